#!/usr/bin/env python3
"""Writes tests/kernels/quant_golden.inc: random blocks of each GGUF format and what the `gguf` package reads from them.

Needs: pip install gguf numpy.   Usage: python make_quant_golden.py > ../kernels/quant_golden.inc

Every bit pattern of a block is legal except a scale that is not finite, so blocks are random bytes whose half-precision
fields are replaced by random finite halves (among them zero, negative and subnormal ones). All expected floats go
into an FNV-1a 64 hash; the first eight are written out, so that a failure can be read.
"""
import numpy as np
import gguf
from gguf.constants import GGMLQuantizationType as T

# format -> offsets of half-precision fields in the block
FIELDS = {
    T.F32: [], T.F16: [0], T.BF16: [], T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0],
    T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208],
}


def fnv1a(data: bytes) -> int:
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def finite_halves(rng, count):
    values = rng.integers(0, 1 << 16, count, dtype=np.uint16)
    values[(values & 0x7C00) == 0x7C00] &= 0xBFFF
    values[0] = 0x0001  # the smallest subnormal
    values[1] = 0x8000  # minus zero
    return values


def main():
    print("// Written by tests/golden/make_quant_golden.py with gguf", getattr(gguf, "__version__", "(PyPI)"), "- do not edit.")
    for fmt, fields in FIELDS.items():
        rng = np.random.default_rng(int(fmt) + 1)
        elements, size = gguf.GGML_QUANT_SIZES[fmt]
        count = 6 if elements == 256 else 12 if elements == 32 else 64
        blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
        for field in fields:
            blocks[:, field:field + 2] = finite_halves(rng, count).view(np.uint8).reshape(count, 2)
        if fmt in (T.F32, T.BF16):
            blocks[:, size - 1] &= 0xBF  # keeps the exponent away from all ones
        raw = blocks.reshape(-1)
        if fmt == T.F32:
            floats = raw.view(np.float32)
        elif fmt == T.F16:
            floats = raw.view(np.float16).astype(np.float32)
        else:
            floats = gguf.quants.dequantize(blocks.reshape(1, -1), fmt).reshape(-1).astype(np.float32)
        head = ", ".join(f"0x{v:08X}" for v in floats.view(np.uint32)[:8])
        print(f"{{{int(fmt)}, {floats.size}, 0x{fnv1a(floats.tobytes()):016X}ULL, {{{head}}},")
        text = raw.tobytes().hex()
        for i in range(0, len(text), 116):
            print(f' "{text[i:i + 116]}"')
        print("},")


main()
