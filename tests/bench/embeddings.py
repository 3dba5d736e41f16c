#!/usr/bin/env python3
"""Embeddings beside sentence-transformers: texts per second, the same texts, the same threads, in turns.

    embeddings.py HEARTH_BINARY FOLDER-OF-all-MiniLM-L6-v2 [--threads 2] [--seconds 4] [--types f16,q8_0]

Hearth is asked over HTTP as any client would, sentence-transformers in this process. Needs sentence-transformers.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "conformance"))
from serving import serving

WORDS = "the model reads a short text and turns it into numbers that say what it is about so that others can be found".split()


def texts(count, words):
    return [" ".join(WORDS[(i * 7 + j) % len(WORDS)] for j in range(words)) + f" {i}" for i in range(count)]


def timed(function, seconds):
    function()
    times, end = [], time.monotonic() + seconds
    while time.monotonic() < end or len(times) < 3:
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("hearth")
    parser.add_argument("source")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--types", default="f16,q8_0")
    a = parser.parse_args()
    import torch
    from sentence_transformers import SentenceTransformer
    torch.set_num_threads(a.threads)
    peer = SentenceTransformer(a.source, device="cpu")
    batches = {"64 short": texts(64, 10), "64 long": texts(64, 150), "1 short": texts(1, 10)}
    with tempfile.TemporaryDirectory() as folder:
        for kind in a.types.split(","):
            path = f"{folder}/minilm-{kind}.gguf"
            subprocess.run([a.hearth, "convert", a.source, path, "--type", kind], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            with serving(a.hearth, path, "--threads", str(a.threads)) as address:
                for name, batch in batches.items():
                    body = json.dumps({"input": batch, "encoding_format": "base64"}).encode()

                    def ask():
                        request = urllib.request.Request(address + "/v1/embeddings", body, {"Content-Type": "application/json"})
                        with urllib.request.urlopen(request) as reply:
                            reply.read()

                    ours = timed(ask, a.seconds)
                    theirs = timed(lambda: peer.encode(batch, batch_size=64, show_progress_bar=False), a.seconds)
                    print(f"{kind:5} {name:9} Hearth {ours * 1e3:8.1f} ms  sentence-transformers {theirs * 1e3:8.1f} ms  ratio {theirs / ours:.2f}", flush=True)


main()
