#!/usr/bin/env python3
"""The comparison's streaming clients against a small server of this test's own, errors among the answers; and the whole
script with that server."""
import contextlib
import http.server
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))
from comparison import engines, load, processes, replies, workloads  # noqa: E402
from tiny_gguf import write_tiny_gguf  # noqa: E402


def stream(*chunks, done=True):
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + ("data: [DONE]\n\n" if done else "")


def delta(content, **more):
    return {"choices": [{"index": 0, "delta": {"content": content}, **more}]}


def response(body, head="Content-Type: text/event-stream\r\n", status="200 OK"):
    return f"HTTP/1.1 {status}\r\n{head}\r\n{body}".encode()


def chunked(body, size):
    data = body.encode()
    parts = [data[i:i + size] for i in range(0, len(data), size)]
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(f"{len(p):x}\r\n".encode() + p + b"\r\n" for p in parts) + b"0\r\n\r\n"


class Replies(unittest.TestCase):
    BODY = ": hello\n\n" + stream({"choices": [{"delta": {"role": "assistant"}}]}, delta("Grüße"), delta(" an"), delta("", finish_reason="length"),
                                  {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 3}}})

    def test_any_cut_gives_the_same(self):
        for whole in (response(self.BODY), response(self.BODY.replace("\n", "\r\n")), chunked(self.BODY, 11), chunked(self.BODY, 100000),
                      response(self.BODY, f"Content-Length: {len(self.BODY.encode())}\r\n")):
            for size in (1, 2, 3, 7, 64, len(whole)):
                reads = [(10.0 + i, whole[i:i + size]) for i in range(0, len(whole), size)]
                reply = replies.read_reply(9.0, reads)
                self.assertIsNone(reply.error)
                self.assertEqual((reply.text, reply.finish, reply.done, len(reply.times)), ("Grüße an", "length", True, 2))
                self.assertEqual((reply.prompt_tokens, reply.tokens, reply.cached_tokens), (7, 5, 3))

    def test_times_are_those_of_the_read_that_completed_the_event(self):
        head, first, second = response(""), stream(delta("a"), done=False).encode(), stream(delta("b")).encode()
        reply = replies.read_reply(1.0, [(2.0, head + first[:9]), (3.5, first[9:] + second[:5]), (4.0, second[5:])])
        self.assertEqual((reply.times, reply.first_token_seconds, reply.ended), ([3.5, 4.0], 2.5, 4.0))
        self.assertEqual(reply.tokens, 2, "counted by chunks where the server does not say")

    def test_what_is_wrong_is_said(self):
        cases = {
            response('{"error":{"message":"queue is full","code":"queue_full"}}', "", "503 Service Unavailable"): "HTTP 503: queue is full",
            response("<html>", "", "500 Oops"): "HTTP 500: <html>",
            response(stream(delta("a"), {"error": {"message": "gone"}}, done=False)): "error in the stream: gone",
            response(stream(delta("a"), done=False)): "without [DONE]",
            response(stream(delta(""))): "no text",
            response("data: {nonsense\n\n"): "Expecting",
            b"SSH-2.0-OpenSSH\r\n\r\n": "not an HTTP response",
            b"": "without a response",
        }
        for raw, expected in cases.items():
            self.assertIn(expected, replies.read_reply(0.0, [(1.0, raw)] if raw else []).error)


class Endless(http.server.BaseHTTPRequestHandler):
    """Streams as many pieces as max_tokens says; a prompt of "refuse", "break" or "hang" does that."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        answer = json.dumps({"data": [{"id": "the-model"}]}).encode() if self.path == "/v1/models" else b"{}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = body["messages"][-1]["content"]
        self.server.asked.append(body)
        if prompt == "refuse":
            answer = b'{"error":{"message":"no such model"}}'
            self.send_response(404)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            return
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        with contextlib.suppress(ConnectionError):  # the client may have gone
            self._stream(prompt, body["max_tokens"])

    def _stream(self, prompt, count):
        for i in range(count):
            self.wfile.write(stream(delta(f"{i} "), done=False).encode())
            time.sleep(0.01)
            if prompt == "break":
                return
            while prompt == "hang" and not self.server.stop.wait(0.05):
                pass
        self.wfile.write(stream().encode())

    def log_message(self, *args):
        pass


class Clients(unittest.TestCase):
    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless)
        self.server.daemon_threads = True
        self.server.stop, self.server.asked = threading.Event(), []
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def tearDown(self):
        self.server.stop.set()
        self.server.shutdown()
        self.server.server_close()

    def run_prompts(self, *prompts, limit=20):
        body = engines.Running(self.url, None, {}, 0).body
        return load.run_clients(self.url, [[body("", prompt, 5) for prompt in list(client)] for client in prompts], limit)

    def test_many_at_once_and_one_after_the_other(self):
        found = self.run_prompts(*[["hello"]] * 20, ["one", "two"])
        self.assertEqual([len(client) for client in found], [1] * 20 + [2])
        for client in found:
            for reply in client:
                self.assertIsNone(reply.error)
                self.assertEqual((reply.text, len(reply.times)), ("0 1 2 3 4 ", 5))
                self.assertEqual(reply.times, sorted(reply.times))
        self.assertGreater(max(reply.times[-1] - reply.times[0] for client in found for reply in client), 0.02, "as they came, not in one piece")
        self.assertGreaterEqual(found[-1][1].sent, found[-1][0].ended)

    def test_errors_stay_with_their_request(self):
        good, refused, broken = (client[0] for client in self.run_prompts(["fine"], ["refuse"], ["break"]))
        self.assertIsNone(good.error)
        self.assertEqual((refused.error, refused.status), ("HTTP 404: no such model", 404))
        self.assertIn("without [DONE]", broken.error)
        metrics = workloads.http_metrics([good, refused, broken], 2.0)
        self.assertEqual((metrics["requests"], metrics["failed"], metrics["output_tok_s"]), (3, 2, 2.5))
        with self.assertRaises(processes.Failed):
            workloads.http_metrics([refused], 1.0)

    def test_time_limit(self):
        begin = time.monotonic()
        ((hung, unsent), (good,)) = self.run_prompts(["hang", "never"], ["fine"], limit=1)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertIn("cut off after 1 s", hung.error)
        self.assertIn("not sent", unsent.error)
        self.assertIsNone(good.error)

    def test_nobody_listens(self):
        self.tearDown()
        self.assertTrue(self.run_prompts(["hello"])[0][0].error)

    def test_the_script_with_a_server_by_address(self):
        with tempfile.TemporaryDirectory() as folder:
            model, result = f"{folder}/m.gguf", f"{folder}/result.json"
            write_tiny_gguf(model)
            command = [sys.executable, str(FOLDER / "compare"), model, "--hearth", "none", "--server", f"mine={self.url}", "--workloads", "http-8,idle", "--rounds", "2",
                       "--http-tokens", "3", "--limit", "20", "--busy-limit", "1000", "--peer", f"none={folder}"]
            self.assertEqual(subprocess.run(command, capture_output=True, timeout=60).returncode, 2, "a folder without programs")
            nowhere = subprocess.run([*command[:-2], "--json", f"{folder}/none/r.json"], capture_output=True, text=True, timeout=60)
            self.assertEqual((nowhere.returncode, self.server.asked), (2, []), nowhere.stderr)
            run = subprocess.run([*command[:-2], "--only", "mine", "--json", result], capture_output=True, text=True, timeout=60, env={"PATH": folder})
            self.assertEqual(run.returncode, 1, run.stderr)  # the idle time of a foreign server cannot be had
            self.assertIn("| http-8 | TTFT p99 s |", run.stdout)
            self.assertIn("idle · mine · round 1: the processor time", run.stdout)
            found = json.loads(pathlib.Path(result).read_text(encoding="utf-8"))
        http8 = [sample for sample in found["samples"] if sample["workload"] == "http-8"]
        self.assertEqual([(sample["round"], sample["metrics"]["failed"], sample["metrics"]["output_tokens"]) for sample in http8], [(0, 0, 24), (1, 0, 24)])
        asked = [body for body in self.server.asked if body["max_tokens"] == 3]
        self.assertEqual(len({body["messages"][-1]["content"] for body in asked}), 16)
        self.assertEqual({body["model"] for body in asked}, {"the-model"})

    def test_gaps_beside_prefill(self):
        early = replies.Reply(sent=0.0, times=[1.0, 2.0, 4.0, 9.0, 9.5])
        late = replies.Reply(sent=3.0, times=[8.0, 8.5], ended=8.5)
        self.assertEqual(load.gaps([early, late]), [(1.0, False), (2.0, True), (5.0, True), (0.5, False), (0.5, False)])


if __name__ == "__main__":
    unittest.main()
