#!/usr/bin/env python3
"""Embeddings through other people's clients: `hearth convert`, then OpenAI's and Ollama's Python packages, and rerank.

    embeddings_client.py HEARTH_BINARY MODEL.gguf      (all-minilm-l6-v2 lies beside MODEL)

Exit code 77 = skipped: a package or the embedding model is not there.
"""
import base64
import json
import math
import pathlib
import struct
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

try:
    import ollama
    import openai
except ImportError as missing:
    print(missing)
    sys.exit(77)
from serving import serving

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "bert" / "minilm.json"
LONG = "word " * 600


def golden():
    rows = json.loads(GOLDEN.read_text())
    for row in rows:
        raw = base64.b64decode(row["embedding"])
        yield row["text"], list(struct.unpack(f"<{len(raw) // 4}f", raw)), row["ids"]


def same(a, b, tolerance=1e-3):
    return len(a) == len(b) and max(abs(x - y) for x, y in zip(a, b)) < tolerance


def post(address, path, body, raw=None):
    data = raw if raw is not None else json.dumps(body).encode()
    request = urllib.request.Request(address + path, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as problem:
        return problem.code, json.load(problem)


def check_openai(address, model):
    client = openai.OpenAI(base_url=address + "/v1", api_key="none", max_retries=0)
    texts, wanted, ids = zip(*golden())
    reply = client.embeddings.create(model=model, input=list(texts))  # base64, the client's default
    assert reply.object == "list" and reply.model == model and [d.index for d in reply.data] == list(range(len(texts)))
    for text, item, vector in zip(texts, reply.data, wanted):
        assert item.object == "embedding" and same(item.embedding, vector), text
    assert reply.usage.prompt_tokens == reply.usage.total_tokens == sum(map(len, ids)), reply.usage
    floats = client.embeddings.create(model=model, input=texts[5], encoding_format="float")
    assert same(floats.data[0].embedding, wanted[5]) and same(floats.data[0].embedding, reply.data[5].embedding, 1e-7)
    tokens = client.embeddings.create(model=model, input=list(ids[0]))
    several = client.embeddings.create(model=model, input=[list(i) for i in ids[:3]], user="me")
    assert same(tokens.data[0].embedding, wanted[0]) and all(same(d.embedding, w) for d, w in zip(several.data, wanted))
    short = client.embeddings.create(model=model, input=texts[0], dimensions=64).data[0].embedding
    assert len(short) == 64 and abs(sum(x * x for x in short) - 1) < 1e-5
    try:
        client.embeddings.create(model=model, input=["fine", LONG])
        raise AssertionError("a text that is too long was taken")
    except openai.BadRequestError as refused:
        assert refused.code == "context_length_exceeded" and refused.param == "input", refused
        assert "512" in refused.message and "602" in refused.message, refused.message
    for how in ("truncate", "split"):
        cut = client.embeddings.create(model=model, input=LONG, extra_body={"too_long": how})
        assert len(cut.data[0].embedding) == 384
        assert cut.usage.prompt_tokens == (512 if how == "truncate" else 604), cut.usage
    try:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hello"}])
        raise AssertionError("an embedding model chatted")
    except openai.BadRequestError as refused:
        assert refused.param == "model" and "embedding" in refused.message, refused
    listed = client.models.list().data
    assert any(m.id == model and m.hearth["capabilities"] == ["embedding"] for m in listed), listed


def check_ollama(address, model):
    client = ollama.Client(host=address)
    texts, wanted, _ = zip(*golden())
    reply = client.embed(model=model, input=list(texts[:6]))
    assert all(same(list(e), w) for e, w in zip(reply.embeddings, wanted)) and reply.prompt_eval_count > 6
    assert reply.total_duration > 0 and reply.load_duration >= 0
    assert len(client.embed(model=model, input=LONG).embeddings[0]) == 384, "truncated unless told otherwise"
    try:
        client.embed(model=model, input=LONG, truncate=False)
        raise AssertionError("a text that is too long was taken")
    except ollama.ResponseError as refused:
        assert refused.status_code == 400 and "512" in refused.error, refused
    assert same(list(client.embeddings(model=model, prompt=texts[0]).embedding), wanted[0])
    assert len(client.embed(model=model, input="hello", dimensions=32, options={"num_ctx": 128}, keep_alive="5m").embeddings[0]) == 32
    assert post(address, "/api/embed", {"model": model}) [1]["embeddings"] == []
    try:
        client.embed(model="nothing-of-the-kind", input="x")
        raise AssertionError("a model that is not there was found")
    except ollama.ResponseError as refused:
        assert refused.status_code == 404, refused


def check_rerank(address, model):
    documents = ["The weather is nice today.", "Paris is the capital of France.", {"text": "Bread is made of flour and water."}]
    for path in ("/v1/rerank", "/v2/rerank", "/rerank"):
        status, reply = post(address, path, {"model": model, "query": "What is the capital of France?", "documents": documents,
                                             "top_n": 2, "return_documents": True})
        assert status == 200 and [r["index"] for r in reply["results"]][0] == 1 and len(reply["results"]) == 2, reply
        assert reply["results"][0]["document"] == {"text": documents[1]} and reply["usage"]["total_tokens"] > 10
        scores = [r["relevance_score"] for r in reply["results"]]
        assert scores == sorted(scores, reverse=True) and scores[0] > 0.5, scores


def check_bad_input(address, model):
    def refused(path, body, param, status=400):
        got, reply = post(address, path, {"model": model, **body})
        message = reply["error"] if isinstance(reply["error"], str) else reply["error"]["message"]
        assert got == status and message, (path, body, got, reply)
        if param and not isinstance(reply["error"], str):
            assert reply["error"]["param"] == param, (body, reply)
        assert param is None or param.split("[")[0] in message or param == "input", reply

    v1 = "/v1/embeddings"
    for value in ([], [""][:0], 5, {}, [None], [[1], None], [[]], [1, "a"], [1.5], ["a", 3], [-1], [2**31], [2**63], [30522], True):
        refused(v1, {"input": value}, None)
    refused(v1, {}, "input")
    for value in (0, -1, 385, 2**31, 2**63, 1.5, "64", [1]):
        refused(v1, {"input": "a", "dimensions": value}, "dimensions")
    refused(v1, {"input": "a", "encoding_format": "int8"}, "encoding_format")
    refused(v1, {"input": "a", "nonsense": 1}, "nonsense")
    refused(v1, {"input": ["a"] * 2049}, "input")
    refused("/api/embed", {"input": [1, 2]}, None)
    refused("/api/embed", {"input": "a", "truncate": "yes"}, None)
    refused("/api/embed", {"input": "a", "dimensions": 1000}, None)
    refused("/v1/rerank", {"query": "a"}, "documents")
    refused("/v1/rerank", {"documents": ["a"]}, "query")
    refused("/v1/rerank", {"query": "a", "documents": [{}]}, None)
    refused("/v1/rerank", {"query": "a", "documents": ["a"], "top_n": -1}, "top_n")
    assert post(address, v1, None, b'{"input":"a"')[0] == 400
    assert post(address, v1, None, b'{"input":' + b"[" * 100000)[0] == 400
    assert post(address, v1, {"model": model, "input": "\ud83d\ude00 \u0000 fine"})[0] == 200


def check_decoder(address, model):
    """A model that chats embeds too: the mean of its last hidden states."""
    client = openai.OpenAI(base_url=address + "/v1", api_key="none", max_retries=0)
    cat, kitten, tax = (client.embeddings.create(model=model, input=t).data[0].embedding for t in ("a cat", "a cat", "The tax return is due."))
    assert len(cat) == 576 and same(cat, kitten, 1e-9) and not same(cat, tax)
    assert math.isclose(sum(x * x for x in cat), 1, rel_tol=1e-5)
    answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}], max_tokens=4)
    assert answer.choices[0].message.content


def main():
    binary, chat_model = sys.argv[1], pathlib.Path(sys.argv[2])
    source = chat_model.parent / "all-minilm-l6-v2"
    if not source.is_dir():
        print("no embedding model beside the small one")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "all-minilm-l6-v2.gguf"
        subprocess.run([binary, "convert", str(source), str(path)], check=True, stdout=subprocess.DEVNULL)
        again = subprocess.run([binary, "convert", str(source), str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        assert again.returncode != 0 and "already" in again.stderr, again
        with serving(binary, str(path)) as address:
            model = "all-minilm-l6-v2"
            check_openai(address, model)
            check_ollama(address, model)
            check_rerank(address, model)
            check_bad_input(address, model)
    with serving(binary, str(chat_model)) as address:
        check_decoder(address, chat_model.stem)
    print("embeddings: fine")
    return 0


if __name__ == "__main__":
    sys.exit(main())
