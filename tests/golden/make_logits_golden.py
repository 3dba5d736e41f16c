"""Writes tests/golden/logits/*.bin: PyTorch's logits of tiny random models that tests/models/tiny_model.cpp makes alike.

Each file: uint64 hash of the model's tensor bytes, uint32 rows, uint32 vocabulary, float32 [rows][vocabulary].
Needs: pip install torch transformers gguf numpy.  Run: python make_logits_golden.py
"""
import pathlib
import struct

import numpy as np
from gguf import GGMLQuantizationType as Q
from gguf import quants

import gguf_reference

MASK = (1 << 64) - 1
VOCABULARY, EMBEDDING, HEADS, FEED_FORWARD, PROMPT = 96, 256, 4, 512, 40
EXPERTS, USED = 8, 3
# (offset, fixed sign and exponent bits) of each block's half-precision fields; see tiny_model.cpp.
NEG = 0x8000
FIELDS = {
    Q.Q4_0: [(0, 8 << 10)], Q.Q4_1: [(0, 8 << 10), (2, 11 << 10 | NEG)], Q.Q5_0: [(0, 7 << 10)],
    Q.Q5_1: [(0, 7 << 10), (2, 11 << 10 | NEG)], Q.Q8_0: [(0, 4 << 10)], Q.Q4_K: [(0, 2 << 10), (2, 5 << 10)],
    Q.Q5_K: [(0, 1 << 10), (2, 5 << 10)], Q.Q6_K: [(208, 0)],
}
BLOCK = {Q.Q4_0: (32, 18), Q.Q4_1: (32, 20), Q.Q5_0: (32, 22), Q.Q5_1: (32, 24), Q.Q8_0: (32, 34), Q.Q4_K: (256, 144),
         Q.Q5_K: (256, 176), Q.Q6_K: (256, 210)}


def fnv(data, value=0xCBF29CE484222325):
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def random(seed, count):
    n = np.arange(1, count + 1, dtype=np.uint64)
    z = np.uint64(seed) + n * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


class Tiny:
    def __init__(self, arch, kind, second=None, tied=False, factors=False, biases=False, linear=0.0, width=256, dense=(),
                 normalised=True):
        gemma, qwen3, mixture = arch == "gemma3", arch.startswith("qwen3"), arch == "qwen3moe"
        # Qwen3's heads are together wider than the embedding.
        kv, dim, layers = (1, 128, 4) if gemma else (2, 128 if qwen3 else 64, 2)
        self.data, self.tensors = [], {}
        self.meta = {"general.architecture": arch}
        meta = {"block_count": layers, "context_length": 512, "embedding_length": EMBEDDING, "feed_forward_length": FEED_FORWARD,
                "attention.head_count": HEADS, "attention.head_count_kv": kv, "attention.layer_norm_rms_epsilon": 1e-5,
                "rope.freq_base": 1000000.0 if gemma else 10000.0}
        if gemma:
            meta |= {"attention.key_length": dim, "attention.sliding_window": 12, "attention.sliding_window_pattern": 2}
        if qwen3:
            meta |= {"attention.key_length": dim}
        if mixture:
            meta |= {"expert_count": EXPERTS, "expert_used_count": USED, "expert_feed_forward_length": width,
                     "expert_weights_norm": normalised}
        self.meta |= {f"{arch}.{key}": value for key, value in meta.items()}
        second = second or kind
        self.add("token_embd.weight", kind, (VOCABULARY, EMBEDDING))
        for i in range(layers):
            layer = f"blk.{i}."
            self.add(layer + "attn_norm.weight", Q.F32, (EMBEDDING,), norm=True)
            self.add(layer + "attn_q.weight", kind, (HEADS * dim, EMBEDDING))
            self.add(layer + "attn_k.weight", kind, (kv * dim, EMBEDDING))
            self.add(layer + "attn_v.weight", second, (kv * dim, EMBEDDING))
            if arch == "qwen2" or biases:
                self.add(layer + "attn_q.bias", Q.F32, (HEADS * dim,))
                self.add(layer + "attn_k.bias", Q.F32, (kv * dim,))
                self.add(layer + "attn_v.bias", Q.F32, (kv * dim,))
            self.add(layer + "attn_output.weight", kind, (EMBEDDING, HEADS * dim))
            if biases:
                self.add(layer + "attn_output.bias", Q.F32, (EMBEDDING,))
            self.add(layer + "ffn_norm.weight", Q.F32, (EMBEDDING,), norm=True)
            if mixture and i not in dense:
                self.add(layer + "ffn_gate_inp.weight", Q.F32, (EXPERTS, EMBEDDING))
                self.add(layer + "ffn_gate_exps.weight", kind, (EXPERTS, width, EMBEDDING))
                self.add(layer + "ffn_up_exps.weight", kind, (EXPERTS, width, EMBEDDING))
                self.add(layer + "ffn_down_exps.weight", second, (EXPERTS, EMBEDDING, width))
            else:
                self.add(layer + "ffn_gate.weight", kind, (FEED_FORWARD, EMBEDDING))
                self.add(layer + "ffn_up.weight", kind, (FEED_FORWARD, EMBEDDING))
                self.add(layer + "ffn_down.weight", second, (EMBEDDING, FEED_FORWARD))
            if gemma or qwen3:
                self.add(layer + "attn_q_norm.weight", Q.F32, (dim,), norm=True)
                self.add(layer + "attn_k_norm.weight", Q.F32, (dim,), norm=True)
            if gemma:
                self.add(layer + "post_attention_norm.weight", Q.F32, (EMBEDDING,), norm=True)
                self.add(layer + "post_ffw_norm.weight", Q.F32, (EMBEDDING,), norm=True)
        self.add("output_norm.weight", Q.F32, (EMBEDDING,), norm=True)
        if not tied and not gemma:
            self.add("output.weight", kind, (VOCABULARY, EMBEDDING))
        if factors:
            self.add("rope_freqs.weight", Q.F32, (dim // 2,), norm=True)
        if linear:  # transformers has it as a rope type; dividing the frequencies is the same thing
            self.tensors["rope_freqs.weight"] = np.full(dim // 2, linear, dtype=np.float32)

    def add(self, name, kind, shape, norm=False):
        seed, count = fnv(name.encode()), int(np.prod(shape))
        if kind in BLOCK:
            elements, size = BLOCK[kind]
            total = count // elements * size
            raw = random(seed, (total + 7) // 8).view(np.uint8)[:total].reshape(-1, size).copy()
            for offset, fixed in FIELDS[kind]:
                half = raw[:, offset].astype(np.uint16) | raw[:, offset + 1].astype(np.uint16) << np.uint16(8)
                half = (half & np.uint16(0x3FF)) | np.uint16(fixed)
                raw[:, offset], raw[:, offset + 1] = half & np.uint16(0xFF), half >> np.uint16(8)
            value = quants.dequantize(raw.reshape(shape[0], -1) if len(shape) > 1 else raw.reshape(-1), kind)
        else:
            u = random(seed, count)
            eight = (u >> np.uint64(56)).astype(np.float64) / 128.0 - 1.0
            if norm:
                value = (1.0 + 0.25 * eight).astype(np.float32)
            elif kind == Q.F32:
                value = (((u >> np.uint64(40)).astype(np.float64) / 8388608.0 - 1.0) / 8.0).astype(np.float32)
            else:
                value = (eight / 8.0).astype(np.float32)
            raw = value.astype(np.float16).view(np.uint8) if kind == Q.F16 else (
                (value.view(np.uint32) >> 16).astype(np.uint16).view(np.uint8) if kind == Q.BF16 else value.view(np.uint8))
        self.data.append(raw.tobytes())
        self.tensors[name] = np.asarray(value, dtype=np.float32).reshape(shape)

    def hash(self):
        value = fnv(b"")
        for data in self.data:
            value = fnv(data, value)
        return value


CASES = {f"llama_{kind.name.lower()}": dict(arch="llama", kind=kind)
         for kind in (Q.F32, Q.F16, Q.BF16, Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1, Q.Q8_0, Q.Q4_K, Q.Q5_K, Q.Q6_K)}
CASES |= {f"qwen3moe_{kind.name.lower()}": dict(arch="qwen3moe", kind=kind)
          for kind in (Q.F16, Q.BF16, Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1, Q.Q8_0, Q.Q5_K, Q.Q6_K)}
CASES |= {
    "qwen3moe_f32": dict(arch="qwen3moe", kind=Q.F32, width=72),  # tiles of an expert's rows are not full
    "qwen3moe_q4_k_m": dict(arch="qwen3moe", kind=Q.Q4_K, second=Q.Q6_K),
    "qwen3moe_q8_0": dict(arch="qwen3moe", kind=Q.Q8_0, width=96),
    "qwen3moe_dense": dict(arch="qwen3moe", kind=Q.F32, dense=(0,)),
    "qwen3moe_shares": dict(arch="qwen3moe", kind=Q.F32, normalised=False),
    "llama_factors": dict(arch="llama", kind=Q.F32, factors=True, tied=True),
    "llama_biases": dict(arch="llama", kind=Q.F32, biases=True),
    "llama_linear": dict(arch="llama", kind=Q.F32, linear=4.0),
    "qwen2_f32": dict(arch="qwen2", kind=Q.F32),
    "qwen2_q8_0": dict(arch="qwen2", kind=Q.Q8_0, tied=True),
    "qwen2_q4_k_m": dict(arch="qwen2", kind=Q.Q4_K, second=Q.Q6_K),
    "qwen3_f32": dict(arch="qwen3", kind=Q.F32),
    "qwen3_q4_k_m": dict(arch="qwen3", kind=Q.Q4_K, second=Q.Q6_K, tied=True),
    "gemma3_f32": dict(arch="gemma3", kind=Q.F32),
    "gemma3_bf16": dict(arch="gemma3", kind=Q.BF16),
    "gemma3_mixed": dict(arch="gemma3", kind=Q.Q5_0, second=Q.Q8_0),
}

if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent / "logits"
    folder.mkdir(exist_ok=True)
    prompt = [int(u) % VOCABULARY for u in random(fnv(b"prompt"), PROMPT)]
    for name, case in CASES.items():
        tiny = Tiny(**case)
        out = gguf_reference.logits(gguf_reference.build(tiny.meta, tiny.tensors), prompt).astype(np.float32)
        (folder / f"{name}.bin").write_bytes(struct.pack("<QII", tiny.hash(), *out.shape) + out.tobytes())
        print(f"{name:16} logits of standard deviation {out.std():.3f}, largest {np.abs(out).max():.2f}")
