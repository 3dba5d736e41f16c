"""The engines under comparison: how each is called, and how what it prints is read."""
import contextlib
import json
import os
import re
import shutil
import tempfile
import time
import urllib.error
import urllib.request

from .load import run_clients
from .processes import Failed, ServerProcess, free_port, run_tool

SLACK = 72  # tokens of a chat template around the messages


def parse_llama_bench(text):
    """[(prompt, generate, depth, tok/s)] of `llama-bench -o json`. Raises ValueError."""
    start = text.find("[")
    rows = json.loads(text[start:]) if start >= 0 else []
    if not rows:
        raise ValueError("llama-bench printed no result")
    return [(row["n_prompt"], row["n_gen"], row.get("n_depth", 0), float(row["avg_ts"])) for row in rows]


def parse_batched_bench(text):
    """{sequences: (prefill tok/s, decode tok/s)} of `llama-batched-bench`, its JSON lines or its table. Raises ValueError."""
    found = {}
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("{"):
            row = json.loads(line)
            if "pl" in row:
                found[int(row["pl"])] = (float(row["speed_pp"]), float(row["speed_tg"]))
        elif re.match(r"\|\s*\d", line):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            found[int(cells[2])] = (float(cells[5]), float(cells[7]))
    if not found:
        raise ValueError("llama-batched-bench printed no result")
    return found


def parse_hearth_bench(text):
    """`hearth bench --json` as {"prefill": {n: tok/s}, "decode": {context: tok/s}, "batched": {n: (prefill, decode)}, "roof"}."""
    value = json.loads(text)
    return {"prefill": {row["tokens"]: row["tok_s"] for row in value.get("prefill", [])},
            "decode": {row["context"]: row["tok_s"] for row in value.get("decode", [])},
            "batched": {row["sequences"]: (row["prefill_tok_s"], row["decode_tok_s"]) for row in value.get("batched", [])},
            "roof": {"read_gb_s": value["roof"]["read_gb_s"], "int8_gmac_s": value["roof"]["int8_gmac_s"]}}


class Running:
    """A server that answers; `process` is None for one that the script did not start."""

    def __init__(self, url, process, extra, load_seconds):
        self.url, self.process, self.extra, self.load_seconds = url, process, extra, load_seconds

    def body(self, system, user, output):
        messages = ([{"role": "system", "content": system}] if system else []) + [{"role": "user", "content": user}]
        return {"messages": messages, "stream": True, "stream_options": {"include_usage": True}, "max_tokens": output, "temperature": 0, **self.extra}


class Engine:
    """Base: what an engine cannot do raises Failed."""

    def __init__(self, name):
        self.name = name

    def facts(self):
        return {}

    def prefill(self, tokens):
        raise Failed(f"{self.name} has no program for this")

    def decode(self, context, output):
        raise Failed(f"{self.name} has no program for this")

    def batched(self, counts, prompt, output):
        raise Failed(f"{self.name} has no program for this")

    def serve(self, clients, tokens_each):
        raise Failed(f"{self.name} has no server")

    def _warm(self, running, limit):
        """The first short reply, asked for until the model is loaded."""
        begin, end = time.monotonic(), time.monotonic() + limit
        while True:
            reply = run_clients(running.url, [[running.body("", "Say hello.", 4)]], max(1.0, end - time.monotonic()))[0][0]
            if reply.error is None:
                return time.monotonic() - begin
            if running.process:
                running.process.check()
            if time.monotonic() > end or reply.status not in (0, 503):
                raise Failed(f"{self.name} does not answer: {reply.error}")
            time.sleep(0.1)

    @contextlib.contextmanager
    def _running(self, command, find_url, extra, limit):
        process = ServerProcess(command)
        try:
            begin = time.monotonic()
            running = Running(find_url(process), process, extra, 0.0)
            self._warm(running, limit)
            running.load_seconds = time.monotonic() - begin
            yield running
        finally:
            process.close()


class Hearth(Engine):
    def __init__(self, name, binary, model, threads, limit, end_tokens):
        super().__init__(name)
        self._binary, self._model, self._threads, self._limit = binary, model, threads, limit
        self._extra = {"logit_bias": {str(token): -100 for token in end_tokens}}
        self.roofs = []

    def facts(self):
        return {"version": run_tool([self._binary, "--version"], 20).strip(), "bench": f"--threads {self._threads}, defaults otherwise",
                "server": f"--threads {self._threads}, defaults otherwise"}

    def _bench(self, *options):
        with tempfile.TemporaryDirectory() as home:
            command = [self._binary, "--data-dir", home, "--threads", str(self._threads), "bench", self._model, "--json", *options]
            result = parse_hearth_bench(run_tool(command, self._limit))
        self.roofs.append(result["roof"])
        return result

    def prefill(self, tokens):
        return self._bench("--parts", "prefill", "--prefill", str(tokens))["prefill"][tokens]

    def decode(self, context, output):
        return self._bench("--parts", "decode", "--context", str(context), "--decode", str(output))["decode"][context]

    def batched(self, counts, prompt, output):
        counts = list(counts)
        return self._bench("--parts", "batched", "--batch", ",".join(map(str, counts)), "--batch-prompt", str(prompt), "--decode", str(output))["batched"]

    @contextlib.contextmanager
    def serve(self, clients, tokens_each):
        with tempfile.TemporaryDirectory() as home:
            command = [self._binary, "--data-dir", home, "--threads", str(self._threads), "serve", "--port", "0", "--model", self._model]
            with self._running(command, lambda process: process.wait_for_line("listening on ", 30), self._extra, self._limit) as running:
                yield running


class LlamaFamily(Engine):
    """llama.cpp and what descends from it: llama-bench, llama-batched-bench, llama-server."""

    def __init__(self, name, programs, model, threads, limit):
        super().__init__(name)
        self._programs, self._model, self._threads, self._limit = programs, model, threads, limit
        helper = programs.get("llama-bench") or programs.get("llama-server")
        # ik_llama.cpp repacks weights while loading when asked to; the same flag in llama-bench takes a value.
        self._repacks = bool(helper) and "run-time-repack" in _said(helper, "--help")
        self._bench_flags = ["-rtr", "1", "-fa", "1"] if self._repacks else []
        self._flags = ["-rtr", "-fa", "on"] if self._repacks else []
        self._has_depth = "n-depth" in _said(programs["llama-bench"], "--help") if "llama-bench" in programs else False

    def facts(self):
        version = "unknown"
        if "llama-server" in self._programs:
            version = _version(self._programs["llama-server"])
        own = " ".join(self._flags) or "no other flags"
        return {"version": version, "bench": f"-t {self._threads}, {' '.join(self._bench_flags) or 'defaults otherwise'}",
                "server": f"-t {self._threads} --parallel CLIENTS -c CLIENTS × longest, {own}, defaults otherwise"}

    def _program(self, name):
        if name not in self._programs:
            raise Failed(f"{self.name} has no {name}")
        return self._programs[name]

    def _bench(self, *options):
        command = [self._program("llama-bench"), "-m", self._model, "-t", str(self._threads), "-r", "1", "-o", "json", *self._bench_flags, *options]
        return parse_llama_bench(run_tool(command, self._limit))[-1][3]

    def prefill(self, tokens):
        return self._bench("-p", str(tokens), "-n", "0")

    def decode(self, context, output):
        if context == 0:
            return self._bench("-p", "0", "-n", str(output))
        if self._has_depth:
            return self._bench("-p", "0", "-n", str(output), "-d", str(context))
        return self._bench("-p", "0", "-n", "0", "-gp", f"{context},{output}")

    def batched(self, counts, prompt, output):
        counts = list(counts)
        command = [self._program("llama-batched-bench"), "-m", self._model, "-t", str(self._threads), "-c", str(max(counts) * (prompt + output)),
                   "-npp", str(prompt), "-ntg", str(output), "-npl", ",".join(map(str, counts)), *self._flags]
        return parse_batched_bench(run_tool(command, self._limit, both=True))  # some print their table to standard error

    @contextlib.contextmanager
    def serve(self, clients, tokens_each):
        port = free_port()
        command = [self._program("llama-server"), "-m", self._model, "--host", "127.0.0.1", "--port", str(port), "-t", str(self._threads),
                   "--parallel", str(clients), "-c", str(clients * (tokens_each + SLACK)), *self._flags]
        with self._running(command, lambda process: f"http://127.0.0.1:{port}", {"ignore_eos": True}, self._limit) as running:
            yield running


class RemoteServer(Engine):
    """Any OpenAI server that already runs; its memory and CPU time are not known."""

    def __init__(self, name, url, limit):
        super().__init__(name)
        self._url, self._limit = url, limit

    def facts(self):
        return {"server": self._url}

    @contextlib.contextmanager
    def serve(self, clients, tokens_each):
        base = self._url.rstrip("/").removesuffix("/v1")
        try:
            with urllib.request.urlopen(base + "/v1/models", timeout=20) as reply:
                models = json.load(reply).get("data") or []
        except (OSError, ValueError) as problem:
            raise Failed(f"{self.name}: {base}/v1/models: {problem}") from problem
        running = Running(base, None, {"model": models[0]["id"]} if models else {}, 0.0)
        self._warm(running, self._limit)
        yield running


def _said(program, flag):
    """Everything that `program flag` prints, whatever its status: some print their help to standard error, or fail after it."""
    with tempfile.NamedTemporaryFile() as file:
        with contextlib.suppress(Failed):
            run_tool(["sh", "-c", 'exec "$0" "$2" >"$1" 2>&1', program, file.name, flag], 20)
        return file.read().decode("utf-8", "replace")


def _version(program):
    found = re.search(r"version:\s*(.+)", _said(program, "--version"))
    return found.group(1).strip() if found else "unknown"


def find_programs(folder=None):
    """{name: path} of the llama programs in `folder`, or on PATH without one."""
    names = ("llama-bench", "llama-batched-bench", "llama-server")
    places = {name: shutil.which(name, path=folder) if folder else shutil.which(name) for name in names}
    return {name: os.path.abspath(place) for name, place in places.items() if place}
