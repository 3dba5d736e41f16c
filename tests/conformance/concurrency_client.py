#!/usr/bin/env python3
"""32 streamed requests at once against the real server: each greedy reply equals the one it gives alone, also when half of
the requests are cut off in the middle.

    concurrency_client.py HEARTH_BINARY MODEL.gguf
"""
import http.client
import json
import sys
import threading

from serving import serving

SEQUENCES = 32
TOPICS = ["rivers", "copper", "the moon", "bread", "a lighthouse", "chess", "rain", "old maps"]


def request(number):
    filler = " ".join(f"Note {i}: {TOPICS[(number + i) % len(TOPICS)]}." for i in range(number * 3 % 40))
    return {"model": "", "stream": True, "temperature": 0, "max_tokens": 8 + number % 5 * 8,
            "messages": [{"role": "user", "content": f"{filler} Write about {TOPICS[number % len(TOPICS)]}, number {number}."}]}


def chat(port, body, stop_after=None):
    """The reply's text; with stop_after, the connection is cut after so many text deltas and None is returned."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
    reply = connection.getresponse()
    assert reply.status == 200, (reply.status, reply.read())
    text, deltas, done = "", 0, False
    while line := reply.readline():
        if not line.startswith(b"data: "):
            continue
        if line.strip() == b"data: [DONE]":
            done = True
            break
        chunk = json.loads(line[6:])
        assert "error" not in chunk, chunk
        for choice in chunk["choices"]:
            piece = choice["delta"].get("content") or ""
            text += piece
            deltas += bool(piece)
        if stop_after is not None and deltas >= stop_after:
            connection.close()
            return None
    assert done, "the stream ended without [DONE]"
    connection.close()
    return text


def together(port, bodies, stop_after):
    replies, failures = [None] * len(bodies), []

    def one(index):
        try:
            replies[index] = chat(port, bodies[index], stop_after(index))
        except Exception as problem:  # noqa: BLE001 - reported below, with its index
            failures.append((index, repr(problem)))

    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    return replies


def main():
    with serving(*sys.argv[1:3]) as address:
        port = int(address.rsplit(":", 1)[1])
        bodies = [request(i) for i in range(SEQUENCES)]
        alone = [chat(port, body) for body in bodies]
        assert all(alone), "every request has a reply of its own"
        assert len(set(alone)) > SEQUENCES // 2, "the replies differ, else equality would say nothing"
        crowd = together(port, bodies, lambda index: None)
        wrong = [i for i in range(SEQUENCES) if crowd[i] != alone[i]]
        assert not wrong, f"together differs from alone: {wrong}"
        halved = together(port, bodies, lambda index: 2 if index % 2 else None)
        wrong = [i for i in range(0, SEQUENCES, 2) if halved[i] != alone[i]]
        assert not wrong, f"differs when neighbours are cancelled: {wrong}"
        print(f"{SEQUENCES} requests: identical alone, together, and with half of them cancelled")


if __name__ == "__main__":
    main()
