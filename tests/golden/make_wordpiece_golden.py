#!/usr/bin/env python3
"""Writes tests/golden/wordpiece.bin: what Hugging Face tokenizers make of every string of tokenizer.bin with BERT's WordPiece.

File: u32 for each string, in order: the low half of the FNV-1a hash (make_tokenizer_golden.py) over its token ids, [CLS] and
[SEP] included. Nothing is truncated or padded.

    pip install tokenizers==0.23.3
    python make_wordpiece_golden.py --model FOLDER-OF-all-MiniLM-L6-v2
"""
import argparse
import struct
from pathlib import Path

from tokenizers import Tokenizer

HERE = Path(__file__).parent


def fnv(ids):
    state = 0xCBF29CE484222325
    for byte in struct.pack(f"<{len(ids)}i", *ids):
        state = (state ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return state


def strings(path):
    data, at = path.read_bytes(), 16
    _, count, models = struct.unpack_from("<III", data, 4)

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    for _ in range(count):
        size = varint()
        repeat = varint()
        yield data[at:at + size] * repeat
        at += size + 8 * models


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    tokenizer = Tokenizer.from_file(str(parser.parse_args().model / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    out = bytearray()
    for raw in strings(HERE / "tokenizer.bin"):
        out += struct.pack("<I", fnv(tokenizer.encode(raw.decode("utf-8", "replace")).ids) & 0xFFFFFFFF)
    (HERE / "wordpiece.bin").write_bytes(out)
    print(len(out) // 4, "strings")


main()
