"""Makes a GGUF file with the layer shapes of a large model and random weights: what a benchmark of arithmetic and memory needs,
without the download. The text that it writes is noise. A few layers are enough: all are alike.

    python make_shapes.py llama-8b OUT.gguf --tokenizer-from ANY.gguf
    python make_shapes.py qwen3-30b-a3b OUT.gguf --tokenizer-from ANY.gguf --layers 4 --scheme q4_0

Schemes: q4_k_m (Q4_K; Q6_K for the head and, in half of the layers, for attn_v and ffn_down), q4_0, q8_0.
Weights are random blocks of the storage format, with scales such that products keep the size of their inputs.
Needs: pip install numpy gguf
"""
import argparse
import pathlib

import numpy as np
from gguf import GGMLQuantizationType as Q
from gguf import GGUFReader, GGUFValueType, GGUFWriter

# Elements and bytes of a block, and its half-precision fields: (byte offset, exponent bits for 4,096 inputs).
BLOCKS = {
    Q.Q4_0: (32, 18, [(0, 6 << 10)]),
    Q.Q8_0: (32, 34, [(0, 2 << 10)]),
    Q.Q4_K: (256, 144, [(0, 1 << 10), (2, 4 << 10)]),
    Q.Q6_K: (256, 210, [(208, 0)]),
}
SHAPES = {
    "llama-8b": dict(arch="llama", embedding=4096, heads=32, kv_heads=8, head=128, feed_forward=14336, experts=0, used=0, width=0,
                     rope=500000.0, epsilon=1e-5, layers=6),
    "qwen3-30b-a3b": dict(arch="qwen3moe", embedding=2048, heads=32, kv_heads=4, head=128, feed_forward=6144, experts=128, used=8,
                          width=768, rope=1000000.0, epsilon=1e-6, layers=4),
}


class Maker:
    def __init__(self, writer, scheme, layers):
        self.writer, self.scheme, self.layers = writer, scheme, layers
        self.random = np.random.default_rng(1)

    def more_bits(self, layer):
        """The layers whose attn_v and ffn_down get Q6_K: the ends, and each third one between."""
        eighth = self.layers // 8
        return layer < eighth or layer >= 7 * self.layers // 8 or (layer - eighth) % 3 == 2

    def kind(self, better):
        if self.scheme == "q4_k_m":
            return Q.Q6_K if better else Q.Q4_K
        return Q.Q4_0 if self.scheme == "q4_0" else Q.Q8_0

    def matrix(self, name, *shape, better=False):
        kind = self.kind(better)
        elements, size, fields = BLOCKS[kind]
        rows = int(np.prod(shape[:-1]))
        blocks = np.frombuffer(self.random.bytes(rows * shape[-1] // elements * size), dtype=np.uint8).reshape(-1, size).copy()
        for offset, exponent in fields:
            half = blocks[:, offset:offset + 2].view(np.uint16)
            half &= 0x3FF
            half |= exponent
        bytes_per_row = shape[-1] // elements * size
        self.writer.add_tensor(name, blocks.reshape(*shape[:-1], bytes_per_row), raw_dtype=kind)

    def floats(self, name, values):
        self.writer.add_tensor(name, values.astype(np.float32))

    def norm(self, name, size):
        self.floats(name, self.random.uniform(0.75, 1.25, size))


def copy_tokenizer(writer, path):
    """Copies the tokenizer.* keys; returns the size of its vocabulary."""
    reader, size = GGUFReader(path), 0
    for key, field in reader.fields.items():
        if not key.startswith("tokenizer.") or key == "tokenizer.chat_template":
            continue
        value = field.contents()
        if key == "tokenizer.ggml.tokens":
            size = len(value)
        sub_type = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(key, value, field.types[0], sub_type=sub_type)
    if size == 0:
        raise SystemExit(f"{path} has no tokenizer")
    return size


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--tokenizer-from", required=True, type=pathlib.Path)
    parser.add_argument("--layers", type=int, default=0, help="default: a file of about one to two gigabytes")
    parser.add_argument("--scheme", choices=["q4_k_m", "q4_0", "q8_0"], default="q4_k_m")
    arguments = parser.parse_args()
    s = SHAPES[arguments.shape]
    layers = arguments.layers or s["layers"]

    writer = GGUFWriter(arguments.out, s["arch"])
    writer.add_name(f"{arguments.shape} shapes, {layers} layers, random weights")
    writer.add_block_count(layers)
    writer.add_context_length(8192)
    writer.add_embedding_length(s["embedding"])
    writer.add_feed_forward_length(s["feed_forward"])
    writer.add_head_count(s["heads"])
    writer.add_head_count_kv(s["kv_heads"])
    writer.add_key_length(s["head"])
    writer.add_value_length(s["head"])
    writer.add_rope_dimension_count(s["head"])
    writer.add_layer_norm_rms_eps(s["epsilon"])
    writer.add_rope_freq_base(s["rope"])
    writer.add_file_type({"q4_k_m": 15, "q4_0": 2, "q8_0": 7}[arguments.scheme])
    if s["experts"]:
        writer.add_expert_count(s["experts"])
        writer.add_expert_used_count(s["used"])
        writer.add_expert_feed_forward_length(s["width"])
    vocabulary = copy_tokenizer(writer, arguments.tokenizer_from)
    writer.add_vocab_size(vocabulary)

    make = Maker(writer, arguments.scheme, layers)
    embedding, query, key = s["embedding"], s["heads"] * s["head"], s["kv_heads"] * s["head"]
    make.matrix("token_embd.weight", vocabulary, embedding)
    for i in range(layers):
        layer, better = f"blk.{i}.", make.more_bits(i)
        make.norm(layer + "attn_norm.weight", embedding)
        make.matrix(layer + "attn_q.weight", query, embedding)
        make.matrix(layer + "attn_k.weight", key, embedding)
        make.matrix(layer + "attn_v.weight", key, embedding, better=better)
        make.matrix(layer + "attn_output.weight", embedding, query)
        if s["arch"] == "qwen3moe":
            make.norm(layer + "attn_q_norm.weight", s["head"])
            make.norm(layer + "attn_k_norm.weight", s["head"])
        make.norm(layer + "ffn_norm.weight", embedding)
        if s["experts"]:
            router = make.random.normal(0.0, embedding**-0.5, (s["experts"], embedding))
            make.floats(layer + "ffn_gate_inp.weight", router)
            make.matrix(layer + "ffn_gate_exps.weight", s["experts"], s["width"], embedding)
            make.matrix(layer + "ffn_up_exps.weight", s["experts"], s["width"], embedding)
            make.matrix(layer + "ffn_down_exps.weight", s["experts"], embedding, s["width"], better=better)
        else:
            make.matrix(layer + "ffn_gate.weight", s["feed_forward"], embedding)
            make.matrix(layer + "ffn_up.weight", s["feed_forward"], embedding)
            make.matrix(layer + "ffn_down.weight", embedding, s["feed_forward"], better=better)
    make.norm("output_norm.weight", embedding)
    make.matrix("output.weight", vocabulary, embedding, better=True)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e9:.2f} GB, {layers} layers")


if __name__ == "__main__":
    main()
