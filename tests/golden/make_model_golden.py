"""Writes tests/golden/logits/smollm2_text.bin: PyTorch's ten largest logits at 32 positions of text.txt, from the dequantised
weights of a SmolLM2-135M-Instruct GGUF (Q4_1).

File: uint32 token count, int32 tokens; uint32 positions, each: uint32 position, ten times (int32 token, float32 logit).
Needs: pip install torch transformers tokenizers gguf numpy.  Run: python make_model_golden.py smollm2-135m-instruct-q4_1.gguf
"""
import pathlib
import struct
import sys

import numpy as np
from gguf import GGUFReader
from tokenizers import Tokenizer, models, pre_tokenizers

import gguf_reference

TOP, POSITIONS = 10, 32


def tokenize(path, text):
    fields = GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    return tokenizer.encode(text).ids


if __name__ == "__main__":
    here = pathlib.Path(__file__).parent
    ids = tokenize(sys.argv[1], (here / "text.txt").read_text())
    logits = gguf_reference.logits(gguf_reference.load_gguf(sys.argv[1]), ids)
    out = struct.pack("<I", len(ids)) + np.array(ids, dtype="<i4").tobytes() + struct.pack("<I", POSITIONS)
    for position in np.linspace(1, len(ids) - 1, POSITIONS).astype(int):
        row = logits[position]
        out += struct.pack("<I", position)
        for token in np.argsort(-row)[:TOP]:
            out += struct.pack("<if", token, row[token])
    (here / "logits" / "smollm2_text.bin").write_bytes(out)
    print(len(ids), "tokens")
