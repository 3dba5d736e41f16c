#!/usr/bin/env python3
"""One account floods the machine with streams; how long does another one wait for its first word, against alone?

    flood.py HEARTH_BINARY MODEL.gguf [QUESTIONS [STREAMS [FACTOR]]]

Alone and beside the flood in turns, short and long questions; fails where the 95th percentile beside it is more than FACTOR
times that of alone. What it says of a browser: tests/web/flood.mjs.
"""
import contextlib
import http.client
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

WORDS = ["river", "copper", "moon", "bread", "lighthouse", "chess", "rain", "map", "garden", "bridge", "violin", "harbour"]
PARTS = 4
PASSWORD = "correct horse battery"


@contextlib.contextmanager
def team(binary, model):
    """A server with two accounts: its port, and a key of each."""
    with tempfile.TemporaryDirectory() as home:
        server = subprocess.Popen([binary, "--data-dir", home, "serve", "--port", "0", "--model", model, "--require-key"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        try:
            port = int(re.search(r"http://127\.0\.0\.1:(\d+)", server.stdout.readline())[1])
            keys = []
            for name in ("flood", "bert"):
                hearth = [binary, "--data-dir", home]
                subprocess.run([*hearth, "user", "add", name, "--role", "member", "--password-stdin"], input=PASSWORD + "\n", text=True, check=True, capture_output=True)
                keys.append(subprocess.run([*hearth, "key", "create", "--user", name], text=True, check=True, capture_output=True).stdout.strip())
            yield port, *keys
        finally:
            server.terminate()
            assert server.wait(timeout=30) == 0, "the server ends cleanly on SIGTERM"


class Asking:
    """Questions that nobody asked before: what is measured is computed, not remembered."""

    def __init__(self, port):
        self.port, self.asked, self.lock = port, 0, threading.Lock()

    def question(self, notes):
        with self.lock:
            self.asked += 1
            asked = self.asked
        return " ".join(f"Note {asked}.{i}: the {WORDS[(asked * 7 + i * 5) % 12]} and the {WORDS[(asked + i * 3) % 12]}." for i in range(notes))

    def stream(self, key, text, tokens, ended):
        """Seconds until each piece of text; None where it was refused. Ends when ended() says so."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        begin = time.monotonic()
        connection.request("POST", "/v1/chat/completions", json.dumps({"model": "", "stream": True, "max_tokens": tokens, "messages": [{"role": "user", "content": text}]}),
                           {"Authorization": "Bearer " + key, "Content-Type": "application/json"})
        reply = connection.getresponse()
        times = []
        if reply.status in (429, 503):
            times = None
        else:
            assert reply.status == 200, (reply.status, reply.read())
            for line in reply:
                if line.startswith(b"data: {") and json.loads(line[6:])["choices"][0]["delta"].get("content"):
                    times.append(time.monotonic() - begin)
                if ended():
                    break
        connection.close()
        return times

    def first_word(self, key, notes):
        times = self.stream(key, self.question(notes) + " Say what this is about.", 4, lambda: False)
        assert times, "no word came"
        return times[0]

    @contextlib.contextmanager
    def flood(self, key, streams):
        stop, pieces, gaps = threading.Event(), [0], []

        def one():
            while not stop.is_set():
                times = self.stream(key, self.question(20) + " Write a long story about all of it.", 400, stop.is_set)
                if times is None:
                    time.sleep(0.2)
                    continue
                pieces[0] += len(times)
                gaps.extend(b - a for a, b in zip(times, times[1:]))

        threads = [threading.Thread(target=one) for _ in range(streams)]
        for thread in threads:
            thread.start()
        try:
            yield gaps
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            assert pieces[0] > streams, "the flood was answered"


def p95(values):
    return sorted(values)[-(-len(values) * 95 // 100) - 1]


def main():
    questions = int(sys.argv[3]) if len(sys.argv) > 3 else 40
    streams = int(sys.argv[4]) if len(sys.argv) > 4 else 48
    most = float(sys.argv[5]) if len(sys.argv) > 5 else 2
    slow = []
    with team(sys.argv[1], sys.argv[2]) as (port, flooding, waiting):
        asking = Asking(port)
        for name, notes in (("short", 2), ("long", 40)):
            for _ in range(3):
                asking.first_word(waiting, notes)
            alone, beside, gaps = [], [], []
            for _ in range(PARTS):
                alone += [asking.first_word(waiting, notes) for _ in range(questions // PARTS)]
                with asking.flood(flooding, streams) as between:
                    time.sleep(3)
                    beside += [asking.first_word(waiting, notes) for _ in range(questions // PARTS)]
                gaps += between
                time.sleep(0.5)
            factor = p95(beside) / p95(alone)
            slow += [name] if factor > most else []
            print(f"{name}: {len(alone)} questions, alone median {statistics.median(alone):.3f} s, p95 {p95(alone):.3f}; beside {streams} streams "
                  f"{statistics.median(beside):.3f}, {p95(beside):.3f}: p95 {factor:.2f}x; between the flood's tokens p50 {statistics.median(gaps):.3f}, p99 {sorted(gaps)[len(gaps) * 99 // 100]:.3f} s", flush=True)
    assert not slow, f"{slow}: more than {most} times"


if __name__ == "__main__":
    main()
