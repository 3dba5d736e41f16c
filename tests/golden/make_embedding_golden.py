#!/usr/bin/env python3
"""Writes tests/golden/bert/: a tiny BERT with random weights in the Hugging Face layout, and what PyTorch makes of texts.

  config.json, model.safetensors, vocab.txt, tokenizer_config.json, 1_Pooling/config.json   the tiny model
  tiny.json     for each list of token ids: the last hidden state (transformers, float32)
  minilm.json   for each text: sentence-transformers/all-MiniLM-L6-v2's token ids and embedding, as sentence-transformers
                computes it (mean over all tokens, normalised), but for its limit of 256 tokens: up to the model's 512 here

Floats are base64 of little-endian float32.

    pip install torch transformers safetensors
    python make_embedding_golden.py --minilm FOLDER-OF-all-MiniLM-L6-v2
"""
import argparse
import base64
import json
import random
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel

HERE = Path(__file__).parent / "bert"
TEXTS = [
    "Hello, world!",
    "The quick brown fox jumps over the lazy dog.",
    "a",
    "",
    "Machine learning on your own hardware, shared with the whole team.",
    "机器学习在自己的电脑上运行，全队共享。",
    "今日はとても良い天気ですね。カタカナも混ざっています。",
    "Ünïcödé àccénts, STRAẞE and naïve façades: do they survive?",
    "emoji 😀👍🏽 and flags 🇩🇪, family 👨‍👩‍👧‍👦!",
    "for (int i = 0; i < n; ++i) { sum += a[i] * b[i]; }  // dot product",
    "supercalifragilisticexpialidocious antidisestablishmentarianism " + "x" * 120,
    "tabs\tand\nnew lines\r\n   and   spaces\u3000\u00a0",
    "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "[MASK] and [SEP] are special tokens in the text.",
]


def packed(tensor):
    return base64.b64encode(np.ascontiguousarray(tensor.detach().numpy(), dtype="<f4").tobytes()).decode()


def tiny():
    torch.manual_seed(20261122)
    config = BertConfig(vocab_size=160, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
                        max_position_embeddings=64, type_vocab_size=2, hidden_act="gelu", layer_norm_eps=1e-12)
    model = BertModel(config, add_pooling_layer=False).eval()
    with torch.no_grad():  # the usual start is close to zero: every part should matter
        for name, weight in model.named_parameters():
            weight.normal_(1.0 if "LayerNorm.weight" in name else 0.0, 0.1 if "LayerNorm" in name or "bias" in name else 0.25)
    model.save_pretrained(HERE, safe_serialization=True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [chr(c) for c in range(33, 127) if not chr(c).isupper()]
    words += ["##" + chr(c) for c in range(97, 123)] + ["the", "##ing", "##ed", "hello", "world", "quick", "fox"]
    words += [f"[unused{i}]" for i in range(160 - len(words))]
    (HERE / "vocab.txt").write_text("\n".join(words) + "\n")
    (HERE / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True, "strip_accents": None, "unk_token": "[UNK]",
                                                            "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]",
                                                            "mask_token": "[MASK]"}) + "\n")
    (HERE / "1_Pooling").mkdir(exist_ok=True)
    (HERE / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True}) + "\n")
    generator = random.Random(1)
    rows = []
    for length in (1, 2, 3, 7, 15, 16, 17, 33, 64):
        ids = [generator.randrange(160) for _ in range(length)]
        with torch.no_grad():
            hidden = model(torch.tensor([ids]), attention_mask=torch.ones(1, length)).last_hidden_state[0]
        rows.append({"ids": ids, "hidden": packed(hidden)})
    (HERE / "tiny.json").write_text(json.dumps(rows) + "\n")


def minilm(folder):
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    text = (HERE.parent / "text.txt").read_text()
    rows = []
    for each in TEXTS + [text[:1000], text[-1900:]]:
        ids = tokenizer(each, truncation=False, padding=False)["input_ids"]
        assert len(ids) <= 512, len(ids)
        with torch.no_grad():
            hidden = model(torch.tensor([ids])).last_hidden_state[0]
        rows.append({"text": each, "ids": ids, "embedding": packed(torch.nn.functional.normalize(hidden.mean(0), dim=0))})
        print(len(ids), end=" ")
    (HERE / "minilm.json").write_text(json.dumps(rows) + "\n")


parser = argparse.ArgumentParser()
parser.add_argument("--minilm", type=Path, required=True)
tiny()
minilm(parser.parse_args().minilm)
