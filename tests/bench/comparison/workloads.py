"""What is measured. A job is one run of one engine; it gives the metrics of one workload or of several."""
import dataclasses
import time

from .load import gaps, run_clients
from .processes import Failed
from .stats import percentile
from .text import mixed_lengths, passage, task

PREFILL, CONTEXTS, BATCHES, CLIENTS = (512, 4096), (0, 4096), (1, 4, 8, 16, 32, 50), (1, 8, 32, 50)
MEMORY_SEQUENCES, MEMORY_TOKENS = 32, 512
NAMES = ([f"prefill-{n}" for n in PREFILL] + [f"decode-{n}" for n in CONTEXTS] + [f"batched-{n}" for n in BATCHES] +
         [f"http-{n}" for n in CLIENTS] + [f"memory-{MEMORY_SEQUENCES}x{MEMORY_TOKENS}", "idle"])
IDLE_SECONDS = 10.0


@dataclasses.dataclass
class Settings:
    decode_tokens: int = 128
    batch_prompt: int = 64
    batch_tokens: int = 128
    http_shortest: int = 64
    http_longest: int = 2000
    http_tokens: int = 128
    http_system: int = 500
    single_requests: int = 4  # in turn, of the only client where there is one
    words_per_token: float = 0.75
    limit: float = 600.0
    salt: str = ""


@dataclasses.dataclass
class Job:
    workloads: list  # their names
    run: object  # (engine, round, settings) -> {workload: {metric: value}}


def choose(names):
    """Workloads by name, by group ("http") or "all", in the order of NAMES. Raises ValueError."""
    chosen = set()
    for name in names:
        group = NAMES if name == "all" else [known for known in NAMES if known == name or known.split("-")[0] == name]
        if not group:
            raise ValueError(f"no workload {name!r}; there are: all, {', '.join(NAMES)}")
        chosen.update(group)
    return [name for name in NAMES if name in chosen]


def jobs(names):
    """The jobs for these workloads; the batched ones share one, since their program is loaded once for all."""
    found = []
    batches = [int(name.split("-")[1]) for name in names if name.startswith("batched-")]
    for name in names:
        group, _, rest = name.partition("-")
        if group == "prefill":
            found.append(Job([name], lambda e, r, s, name=name, n=int(rest): {name: {"tok_s": e.prefill(n)}}))
        elif group == "decode":
            found.append(Job([name], lambda e, r, s, name=name, n=int(rest): {name: {"tok_s": e.decode(n, s.decode_tokens)}}))
        elif group == "batched" and batches:
            found.append(Job([f"batched-{n}" for n in batches], lambda e, r, s, counts=tuple(batches): _batched(e, counts, s)))
            batches = []
        elif group == "http":
            found.append(Job([name], lambda e, r, s, name=name, n=int(rest): {name: _http(e, r, s, n)}))
        elif group == "memory":
            found.append(Job([name], lambda e, r, s, name=name: {name: _memory(e, r, s)}))
        elif group == "idle":
            found.append(Job([name], lambda e, r, s, name=name: {name: _idle(e)}))
    return found


def _batched(engine, counts, settings):
    rates = engine.batched(counts, settings.batch_prompt, settings.batch_tokens)
    return {f"batched-{n}": {"tok_s": rates[n][1], "prefill_tok_s": rates[n][0]} for n in counts}


def http_requests(settings, clients, round_number):
    """[client][request] as (system, user, prompt tokens aimed at). The same for every engine of a round, different between
    clients and rounds from the first words on; the system prompt is one for all clients."""
    seed = f"{settings.salt}/{round_number}"
    system = passage(f"{seed}/system/{clients}", round(settings.http_system * settings.words_per_token))
    each = settings.single_requests if clients == 1 else 1
    lengths = mixed_lengths(clients * each, settings.http_shortest, settings.http_longest, f"{seed}/{clients}")

    def one(number):
        own = f"{seed}/{clients}/{number}"
        question = task(own)
        words = round(lengths[number] * settings.words_per_token) - len(question.split())
        return system, (passage(own, max(words, 0)) + "\n\n" + question).lstrip(), lengths[number]

    return [[one(client * each + i) for i in range(each)] for client in range(clients)]


def http_metrics(replies, seconds):
    """Figures of one round; replies with an error count as failed, and in nothing else."""
    good = [reply for reply in replies if reply.error is None]
    if not good:
        raise Failed(f"no request of {len(replies)} was answered: {replies[0].error}")
    found = gaps(good)
    firsts, every, beside = [reply.first_token_seconds for reply in good], [gap for gap, _ in found], [gap for gap, busy in found if busy]
    output, prompt = sum(reply.tokens for reply in good), sum(reply.prompt_tokens or 0 for reply in good)
    failed = [reply.error for reply in replies if reply.error is not None]
    return {"tok_s": (output + prompt) / seconds, "output_tok_s": output / seconds, "seconds": seconds,
            "ttft_p50": percentile(firsts, 0.5), "ttft_p99": percentile(firsts, 0.99), "itl_p50": percentile(every, 0.5),
            "itl_p99": percentile(every, 0.99), "itl_prefill_p50": percentile(beside, 0.5), "itl_prefill_p99": percentile(beside, 0.99),
            "output_tokens": output, "prompt_tokens": prompt, "cached_tokens": sum(reply.cached_tokens or 0 for reply in good),
            "requests": len(replies), "failed": len(failed), **({"failure": failed[0]} if failed else {})}


def _http(engine, round_number, settings, clients):
    requests = http_requests(settings, clients, round_number)
    longest = settings.http_longest + settings.http_system + settings.http_tokens
    with engine.serve(clients, longest) as server:
        bodies = [[server.body(system, user, settings.http_tokens) for system, user, _ in client] for client in requests]
        begin = time.monotonic()
        replies = [reply for client in run_clients(server.url, bodies, settings.limit) for reply in client]
        metrics = http_metrics(replies, max(reply.ended for reply in replies) - begin)
        return {**metrics, **_process_metrics(server)}


def _process_metrics(server):
    if server.process is None:
        return {}
    return {"peak_mb": server.process.peak_bytes() / 1e6, "own_mb": server.process.own_bytes() / 1e6, "load_s": server.load_seconds,
            "cpu_s": server.process.cpu_seconds()}


def _memory(engine, round_number, settings):
    """All sequences in at once, each of MEMORY_TOKENS tokens: a quarter of them generated."""
    output = MEMORY_TOKENS // 4
    words = round((MEMORY_TOKENS - output) * settings.words_per_token)
    with engine.serve(MEMORY_SEQUENCES, MEMORY_TOKENS) as server:
        bodies = [[server.body("", passage(f"{settings.salt}/memory/{round_number}/{i}", words), output)] for i in range(MEMORY_SEQUENCES)]
        if server.process is None:
            raise Failed("the memory of a server that runs elsewhere is not known")
        replies = [reply for client in run_clients(server.url, bodies, settings.limit) for reply in client]
        failed = [reply.error for reply in replies if reply.error is not None]
        if failed:
            raise Failed(f"{len(failed)} of {len(replies)} requests failed: {failed[0]}")
        tokens = sum((reply.prompt_tokens or 0) + reply.tokens for reply in replies)
        return {**_process_metrics(server), "tokens": tokens}


def _idle(engine):
    with engine.serve(1, MEMORY_TOKENS) as server:
        if server.process is None:
            raise Failed("the processor time of a server that runs elsewhere is not known")
        time.sleep(2.0)  # whatever follows a reply is over by then
        begin, used = time.monotonic(), server.process.cpu_seconds()
        time.sleep(IDLE_SECONDS)
        return {"cpu_percent": 100 * (server.process.cpu_seconds() - used) / (time.monotonic() - begin)}
