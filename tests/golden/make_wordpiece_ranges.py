#!/usr/bin/env python3
"""Writes core/text/wordpiece_ranges.inc: which code points BERT's normaliser and pre-tokenizer remove, strip and cut at.

Asked of the library itself, code point by code point: its tables are of another Unicode version than ours.

    pip install tokenizers==0.23.3
    python make_wordpiece_ranges.py > ../../core/text/wordpiece_ranges.inc
"""
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer


def normalizer(**on):
    return BertNormalizer(**{k: on.get(k, False) for k in ("clean_text", "handle_chinese_chars", "strip_accents", "lowercase")})


def ranges(wanted):
    out = []
    for c in range(0x110000):
        if 0xD800 <= c < 0xE000 or not wanted(chr(c)):
            continue
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def main():
    clean, strip, cut = normalizer(clean_text=True), normalizer(strip_accents=True), BertPreTokenizer()
    tables = {
        "kRemovedRanges": ranges(lambda ch: clean.normalize_str("a" + ch + "b") == "ab"),
        "kAccentRanges": ranges(lambda ch: strip.normalize_str("a" + ch) == "a"),
        "kPunctuationRanges": ranges(lambda ch: len(cut.pre_tokenize_str("a" + ch + "b")) == 3),
    }
    print("// Made by tests/golden/make_wordpiece_ranges.py.")
    for name, table in tables.items():
        print(f"constexpr CodePointRange {name}[] = {{")
        line = "   "
        for first, last in table:
            item = f" {{0x{first:x}, 0x{last:x}}},"
            if len(line) + len(item) > 124:
                print(line)
                line = "   "
            line += item
        print(line + "\n};")


main()
