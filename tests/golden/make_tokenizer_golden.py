#!/usr/bin/env python3
"""Writes tests/golden/tokenizer.bin: strings, and for each model a hash of the tokens that the reference makes of them.

References, built from the vocabulary in the GGUF files (no download of tokenizer.json is needed):
  smollm2  Hugging Face tokenizers, BPE, no unknown token, no normaliser; pre-tokenizer Sequence[Digits(individual_digits),
           ByteLevel(add_prefix_space=False, use_regex=True)]: HuggingFaceTB/SmolLM2-135M, tokenizer.json at revision
           93efa2f097d58c2a74874c7e644dbc9b0cee75a2.
  qwen2    Hugging Face tokenizers, BPE; normaliser NFC; Split(PRETOKENIZE_REGEX, isolated) + ByteLevel(use_regex=False):
           transformers, models/qwen2/tokenization_qwen2.py, which is Qwen2.5's tokenizer.json.
  gemma3   SentencePiece BPE with byte fallback, no dummy prefix, identity normaliser (google/gemma_pytorch's tokenizer.model
           has these settings), pieces, scores and types from the GGUF; converters write the user-defined runs of U+2581 with
           plain spaces, which is undone here.
Added tokens are matched in the text for the first two (Hugging Face always does); SentencePiece matches only the user-defined.
Broken UTF-8 is decoded with errors="replace" for the reference.

File: "HTOK", u32 version, u32 strings, u32 models; then for each string: varint bytes, varint repeat, the bytes (the string is
those bytes `repeat` times), u64 for each model in the order above: FNV-1a over the token ids as little-endian int32.

    pip install tokenizers==0.23.3 sentencepiece==0.2.3 gguf
    python make_tokenizer_golden.py --models FOLDER [--out tokenizer.bin]
"""
import argparse
import random
import struct
from pathlib import Path

from gguf import GGUFReader
from sentencepiece import SentencePieceProcessor
from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE

QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
CONTROL, USER_DEFINED = 3, 4


def vocabulary(path):
    fields = GGUFReader(path).fields
    return {k.removeprefix("tokenizer.ggml."): v.contents() for k, v in fields.items() if k.startswith("tokenizer.ggml.")}


def hugging_face(path, pre_tokenizer, normalizer):
    v = vocabulary(path)
    merges = [tuple(m.split(" ")) for m in v["merges"]]
    ids = {t: i for i, t in enumerate(v["tokens"])}
    tokenizer = Tokenizer(BPE(vocab=ids, merges=merges, unk_token=None, fuse_unk=False, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.decoder = decoders.ByteLevel()
    for text, kind in zip(v["tokens"], v["token_type"]):
        token = AddedToken(text, single_word=False, lstrip=False, rstrip=False, normalized=False, special=kind == CONTROL)
        if kind == CONTROL:
            tokenizer.add_special_tokens([token])
        elif kind == USER_DEFINED:
            tokenizer.add_tokens([token])
    assert all(tokenizer.token_to_id(t) == i for i, t in enumerate(v["tokens"]))
    return lambda text: tokenizer.encode(text, add_special_tokens=False).ids


def smollm2(folder):
    return hugging_face(
        folder / "smollm2-135m-instruct-q4_1.gguf",
        pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                 pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]), None)


def qwen2(folder):
    return hugging_face(
        folder / "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN2), "isolated", invert=False),
                                 pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]), normalizers.NFC())


def field(number, value):
    """One field of a protocol buffer message: bytes, float or int."""
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    return varint(number << 3) + varint(value)


def gemma3(folder):
    # sentencepiece_model.proto: pieces = 1 {piece, score, type}, trainer_spec = 2, normalizer_spec = 3.
    v = vocabulary(folder / "gemma3-270m-q4_k_m.gguf")
    model = bytearray()
    for text, score, kind in zip(v["tokens"], v["scores"], v["token_type"]):
        piece = text.replace(" ", "\u2581") if kind == USER_DEFINED else text
        kind = 2 if text == "<unk>" else kind
        model += field(1, field(1, piece.encode()) + field(2, float(score)) + field(3, kind))
    bpe, byte_fallback, unk, bos, eos, pad = field(3, 2), field(35, 1), field(40, 3), field(41, 2), field(42, 1), field(43, 0)
    model += field(2, bpe + field(4, len(v["tokens"])) + byte_fallback + unk + bos + eos + pad)
    # No dummy prefix, no removal of extra spaces, spaces become U+2581.
    model += field(3, field(1, b"identity") + field(3, 0) + field(4, 0) + field(5, 1))
    processor = SentencePieceProcessor(model_proto=bytes(model))
    return lambda text: processor.encode(text)


SENTENCES = """The quick brown fox jumps over the lazy dog; it's 10:45 and we'll be late, aren't we?
I'VE seen THAT'S "quoted" text—with dashes… and ‘curly’ quotes’s, they'd've known. O'Reilly don't DON'T Don'T
Zażółć gęślą jaźń. Příliš žluťoučký kůň úpěl ďábelské ódy. Æsir, straße, naïve façade, Ångström, ﬁne ligature
Съешь же ещё этих мягких французских булок, да выпей чаю. Україна — ґанок, їжак; ёлка, Ёж
Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. Ελληνικά: ΐ ΰ ά έ ή ί ό ύ ώ
敏捷的棕色狐狸跳过懒狗。中文字符，标点符号！「引号」《书名》１２３４５６７８９０ 二〇二六年
いろはにほへと ちりぬるを。カタカナ、ｶﾀｶﾅ半角、漢字かな交じり文です。がぎぐげご ぱぴぷぺぽ が ば
다람쥐 헌 쳇바퀴에 타고파. 한국어 띄어쓰기, 조합형 각 가 힣
שלום עולם, בְּרֵאשִׁית בָּרָא אֱלֹהִים. דג סקרן שט בים
مرحبا بالعالم، الْعَرَبِيَّةُ ١٢٣٤٥ فارسی: می‌خواهم ۱۲۳ اردو ہے
नमस्ते दुनिया, क्षत्रिय ज्ञान श्री १२३४ हिन्दी में। বাংলা ভাষা ১২৩ தமிழ் மொழி తెలుగు ಕನ್ನಡ മലയാളം ਪੰਜਾਬੀ ગુજરાતી සිංහල
ภาษาไทยไม่มีการเว้นวรรคระหว่างคำ ๑๒๓ ພາສາລາວ ខ្មែរ မြန်မာဘာသာ བོད་ཡིག ქართული ენა Հայերեն አማርኛ ᏣᎳᎩ ᐃᓄᒃᑎᑐᑦ ᚠᚢᚦ
Tiếng Việt: Một con cáo nâu nhanh nhẹn, Đường phố Hà Nội ở Việt Nam
for (int i = 0; i < n; ++i) { sum += a[i] * b[i]; }  // dot product
def f(x: int) -> str:\n    '''Doc.'''\n    return f"{x!r:>10}" if x else None\n\n\nclass A(B):\n\tpass\n
SELECT u.id, COUNT(*) AS n FROM users u LEFT JOIN orders o ON o.uid=u.id WHERE u.email LIKE '%@x.org' GROUP BY 1;
<div class="a b" id='c'>text &amp; more</div>\r\n<br/><table><tr><td>1</td></tr></table> <h1>Title</h1>\n\n<code>x</code>
{"key": [1, 2.5e-10, null, true], "nested": {"a\\\\n": "\\u00e9"}}\nhttps://example.org/a/b?c=d&e=f#g user@host.com
$ git log --oneline -n5 | awk '{print $1}' >> out.txt && echo "$?"; 0xDEADBEEF 1_000_000 3.14159 1e10 v1.2.3-rc4
#include <vector>\ntemplate <class T> auto f(T&& t) noexcept(noexcept(t())) -> decltype(t()) { return t(); }
| a | b |\n|---|---|\n| **bold** | _it_ |\n\n1. one\n2. two\n   - nested\n\n> quote ```code``` ~~~ *** ===
E = mc² ∑∫√∞≠≤≥ αβγ ½ ⅓ Ⅷ ⅷ ① ② ㊙ ℃ № ™ © ® € £ ¥ ₹ x⁰¹²³ H₂O 𝒳𝔸𝟘 ﷽""".replace("\\n", "\n").replace("\\t", "\t").replace(
    "\\r", "\r").split("\n")
EMOJI = ["😀", "👍🏽", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫🇷", "1️⃣", "❤️", "❤", "🧑🏿‍🚀", "👩‍❤️‍💋‍👨", "🫠", "☕", "⚠️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"]
SPACES = [" ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", "\t\t", "\u00a0", "\u3000", "\u2003", "\u200b", "\u2028", "\u0085", "\v",
          "\f", " \n", "\n ", " \t ", "\u202f", "\ufeff", "\u1680", "\r", "\u205f", "\u2581", " \u2581"]
MARKS = [0x300, 0x301, 0x302, 0x303, 0x304, 0x306, 0x307, 0x308, 0x30A, 0x30C, 0x316, 0x323, 0x327, 0x328, 0x331, 0x338, 0x345,
         0x5B0, 0x5BC, 0x5C1, 0x64B, 0x651, 0x654, 0x93C, 0x94D, 0x9BC, 0x3099, 0x309A, 0x20D0, 0x1161, 0x11A8, 0xFE0F, 0x200D]
BASES = "aeiouAEIOUcnszyłøαωדबकগกかはカᄀ가각חبيא\u1100\u1112\u09c7\u0b47"
BLOCKS = [(0x20, 0x7E)] * 4 + [(0xA0, 0x17F)] * 2 + [
    (0x180, 0x24F), (0x250, 0x2AF), (0x370, 0x3FF), (0x400, 0x52F), (0x531, 0x58A), (0x5D0, 0x5EA), (0x620, 0x64A), (0x660, 0x669),
    (0x904, 0x939), (0x966, 0x96F), (0x985, 0x9B9), (0xE01, 0xE3A), (0x10A0, 0x10FF), (0x1200, 0x137C), (0x1E00, 0x1FFF),
    (0x2000, 0x206F), (0x2070, 0x209C), (0x20A0, 0x20BF), (0x2100, 0x218B), (0x2190, 0x23FF), (0x2460, 0x24FF), (0x2500, 0x27BF),
    (0x2C00, 0x2DFF), (0x2E80, 0x2FD5), (0x3000, 0x30FF), (0x3105, 0x33FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xA4C6),
    (0xAC00, 0xD7A3), (0xE000, 0xE0FF), (0xF900, 0xFAD9), (0xFB00, 0xFB4F), (0xFE30, 0xFE6F), (0xFF01, 0xFFEE), (0x10000, 0x100FA),
    (0x10330, 0x1034A), (0x12000, 0x12399), (0x1D400, 0x1D7FF), (0x1F300, 0x1F6FF), (0x20000, 0x2A6D6), (0x0, 0x10FFFF)]
SPECIAL = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<tool_call>", "</tool_call>", "<|fim_prefix|>", "<start_of_turn>",
           "<end_of_turn>", "<bos>", "<eos>", "<unk>", "<repo_name>", "<empty_output>", "[multimodal]", "<start_of_image>", "<b>",
           "</td>", "<0x0A>", "<|im_", "im_end|>", "[PAD151665]", "<unused7>", "<h1>", "<pad>"]


def point(r):
    low, high = r.choice(BLOCKS)
    while True:
        c = r.randint(low, high)
        # Digits of Unicode 17: the reference's own two engines disagree about them.
        if not (0xD800 <= c < 0xE000 or 0x11DE0 <= c <= 0x11DE9 or 0x16FF4 <= c <= 0x16FF6):
            return chr(c)


def slice_of(r, text, most):
    start = r.randrange(len(text))
    return text[start:start + r.randint(1, most)]


def part(r):
    kind = r.randrange(13)
    if kind <= 2:
        return slice_of(r, r.choice(SENTENCES) or "x", 24)
    if kind == 3:
        return "".join(r.choice(SPACES) for _ in range(r.randint(1, 4)))
    if kind == 4:
        return r.choice(EMOJI)
    if kind == 5:
        return r.choice(BASES) + "".join(chr(r.choice(MARKS)) for _ in range(r.randint(1, 4)))
    if kind == 6:
        low, high = r.choice(BLOCKS)
        return "".join(chr(c) for c in (r.randint(low, min(high, 0xD7FF) if low < 0xD800 else high) for _ in range(r.randint(1, 5)))
                       if not 0xD800 <= c < 0xE000)
    if kind == 7:
        return r.choice(SPECIAL)
    if kind == 8:
        return str(r.randrange(10 ** r.randint(1, 8)))
    if kind == 9:
        return r.choice(["'s", "'S", "'ll", "'LL", "'Ve", "'re", "'d", "'M", "'\u017f", "'t", " '", "''", "'x", "\u2019s"])
    if kind == 10:
        return "".join(chr(r.randint(0, 0x7F)) for _ in range(r.randint(1, 8)))
    if kind == 11:
        return r.choice(" \n\tab.-=_#*/") * r.randint(1, 40)
    return "".join(point(r) for _ in range(r.randint(1, 5)))


def strings(seed, count):
    r = random.Random(seed)
    yield b"", 1
    for line in SENTENCES:
        yield line.encode(), 1
    yield "\n".join(SENTENCES).encode(), 1
    for unit in ["a", " ", "\n", "\t", "ab", "é", "e\u0301", "中", "👍🏽", "1", "!", "\r\n", " a", "a ", "  \n", "'s", "\u0301", "\u0316\u0301",
                 "<|im_end|>", "</b>", "\u2581", "x\u2581", "\u3000", "\x00", "ﷺ", "가", "\u1100\u1161"]:
        for times in (2, 3, 31, 32, 33, 62, 63, 64, 65, 100, 1000, 5000):
            yield unit.encode(), times
    for unit in [b"\xff", b"\xe4\xb8", b"\xc3", b"a\x80", b"\xed\xa0\x80", b"\xf0\x9f\x91", b"\xf5\x80\x80\x80", b"\xc0\xaf"]:
        for times in (1, 2, 33, 500):
            yield unit, times
    made = 0
    while made < count:
        text = "".join(part(r) for _ in range(r.randint(1, 4))).encode()
        if r.random() < 0.08:  # broken: a byte changed, lost or inserted
            raw = bytearray(text)
            at = r.randrange(len(raw)) if raw else 0
            choice = r.randrange(3)
            if choice == 0 and raw:
                raw[at] = r.randrange(256)
            elif choice == 1 and raw:
                del raw[at]
            else:
                raw.insert(at, r.randrange(128, 256))
            text = bytes(raw)
        if text and len(text) <= 90:
            yield text, 1
            made += 1


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def fnv(ids):
    state = 0xCBF29CE484222325
    for byte in struct.pack(f"<{len(ids)}i", *ids):
        state = (state ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return state


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("tokenizer.bin"))
    parser.add_argument("--count", type=int, default=9900, help="random strings beside the fixed ones")
    parser.add_argument("--seed", type=int, default=20261122)
    arguments = parser.parse_args()
    models = [smollm2(arguments.models), qwen2(arguments.models), gemma3(arguments.models)]
    rows = list(strings(arguments.seed, arguments.count))
    out = bytearray(b"HTOK" + struct.pack("<III", 1, len(rows), len(models)))
    for raw, times in rows:
        text = (raw * times).decode("utf-8", "replace")
        out += varint(len(raw)) + varint(times) + raw
        for encode in models:
            out += struct.pack("<Q", fnv(encode(text)))
    arguments.out.write_bytes(out)
    print(f"{len(rows)} strings, {len(out)} bytes")


if __name__ == "__main__":
    main()
