"""From the samples of all rounds to medians, median ratios, fractions of the roof and the goals met or missed."""
import fnmatch

from .stats import median, median_ratio

# Metric: (heading, digits, whether more is better, factor for display)
METRICS = {"tok_s": ("tok/s", 1, True, 1), "prefill_tok_s": ("prefill tok/s", 1, True, 1), "output_tok_s": ("out tok/s", 1, True, 1),
           "ttft_p50": ("TTFT p50 s", 2, False, 1), "ttft_p99": ("TTFT p99 s", 2, False, 1), "itl_p50": ("ITL p50 ms", 1, False, 1000),
           "itl_p99": ("ITL p99 ms", 1, False, 1000), "itl_prefill_p50": ("ITL p50 beside prefill ms", 1, False, 1000),
           "itl_prefill_p99": ("ITL p99 beside prefill ms", 1, False, 1000), "peak_mb": ("peak MB", 0, False, 1), "own_mb": ("own MB", 0, False, 1),
           "load_s": ("load s", 2, False, 1), "cpu_percent": ("CPU %", 2, False, 1)}

# (workloads, metric, against, bound): with a peer, bound on the ratio ours/theirs; "roof", on our share of it; "self", on our own
# figure. At least that much where more of the metric is better, at most where less is.
GOALS = (
    ("prefill-512", "tok_s", "llama.cpp", 3.0), ("prefill-512", "tok_s", "ik_llama.cpp", 1.5), ("prefill-512", "tok_s", "roof", 0.5),
    ("decode-0", "tok_s", "llama.cpp", 1.5), ("decode-0", "tok_s", "ik_llama.cpp", 1.2), ("decode-0", "tok_s", "roof", 0.75),
    ("batched-32", "tok_s", "llama.cpp", 4.0), ("batched-32", "tok_s", "ik_llama.cpp", 3.0),
    ("http-32", "tok_s", "llama.cpp", 4.0), ("http-32", "tok_s", "ik_llama.cpp", 4.0),
    ("http-32", "ttft_p99", "llama.cpp", 0.25), ("http-32", "itl_prefill_p99", "llama.cpp", 0.5),
    ("memory-*", "peak_mb", "llama.cpp", 1.0), ("idle", "cpu_percent", "self", 1.0), ("decode-4096", "tok_s", "decode-0", 0.8),
)


def _series(samples, workload, engine, metric):
    """Values by round, None where there is none."""
    rounds = sorted({sample["round"] for sample in samples})
    values = {sample["round"]: sample["metrics"].get(metric) for sample in samples
              if sample["workload"] == workload and sample["engine"] == engine}
    return [values.get(number) for number in rounds]


def roof_fraction(workload, tok_s, facts, roof):
    """The share of the nearer roof that a rate takes: int8 multiply-adds, or reads of the weights once a step. None where
    neither bounds the workload, or the roof is not known."""
    if not facts or not roof or tok_s is None:
        return None
    group, _, rest = workload.partition("-")
    if group == "prefill":
        return tok_s * facts.prefill_macs * 1e-9 / roof["int8_gmac_s"]
    if group in ("decode", "batched"):
        together = int(rest) if group == "batched" else 1
        return max(tok_s / together * facts.decode_bytes * 1e-9 / roof["read_gb_s"], tok_s * facts.decode_macs * 1e-9 / roof["int8_gmac_s"])
    return None


def summarise(samples, engines, ours, facts=None, roofs=()):
    """One row for each workload and metric: {"workload", "metric", "median": {engine}, "ratio": {peer}, "roof": {engine},
    "rounds": {engine}}; `engines` are names in order, `ours` the one that the ratios divide."""
    roof = {key: median([one[key] for one in roofs]) for key in ("read_gb_s", "int8_gmac_s")} if roofs else None
    rows = []
    for workload in dict.fromkeys(sample["workload"] for sample in samples):
        for metric in METRICS:
            series = {name: _series(samples, workload, name, metric) for name in engines}
            medians = {name: median([v for v in values if v is not None]) for name, values in series.items()}
            if all(value is None for value in medians.values()):
                continue
            ratios = {name: median_ratio(series[ours], series[name]) for name in engines if name != ours} if ours in series else {}
            fractions = {name: roof_fraction(workload, value, facts, roof) for name, value in medians.items()} if metric == "tok_s" else {}
            rows.append({"workload": workload, "metric": metric, "median": medians, "ratio": ratios, "roof": fractions,
                         "rounds": {name: sum(v is not None for v in values) for name, values in series.items()}})
    return rows


def check_goals(rows, ours):
    """[(text, value, bound, met)] for the goals whose figures are there."""
    found = []
    by_key = {(row["workload"], row["metric"]): row for row in rows}
    for pattern, metric, against, bound in GOALS:
        for (workload, name), row in by_key.items():
            if name != metric or not fnmatch.fnmatch(workload, pattern):
                continue
            more = METRICS[metric][2]
            if against == "self":
                value = row["median"].get(ours)
            elif against == "roof":
                value = row["roof"].get(ours)
            elif (against, metric) in by_key:
                base, own = by_key[(against, metric)]["median"].get(ours), row["median"].get(ours)
                value = own / base if own is not None and base else None
            else:
                value = row["ratio"].get(against)
            if value is not None:
                met = value >= bound if more else value <= bound
                found.append((f"{workload} {METRICS[metric][0]} against {against}" if against != "self" else f"{workload} {METRICS[metric][0]}",
                              value, ("≥ " if more else "≤ ") + f"{bound:g}", met))
    return found


def _show(value, digits, factor=1):
    return "–" if value is None else f"{value * factor:.{digits}f}"


def tables(rows, engines, ours, goals, notes=()):
    """Markdown: one table of figures, one of goals, and the notes."""
    peers = [name for name in engines if name != ours]
    shown = [name for name in engines if any(row["median"].get(name) is not None for row in rows)]
    head = ["workload", "figure", *shown] + [f"{ours} / {name}" for name in peers if name in shown] + [f"{name}: of the roof" for name in shown]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        title, digits, _, factor = METRICS[row["metric"]]
        cells = [row["workload"], title] + [_show(row["median"].get(name), digits, factor) for name in shown]
        cells += [_show(row["ratio"].get(name), 2) + ("×" if row["ratio"].get(name) is not None else "") for name in peers if name in shown]
        cells += ["" if row["roof"].get(name) is None else f"{100 * row['roof'][name]:.0f}%" for name in shown]
        lines.append("| " + " | ".join(cells) + " |")
    if goals:
        lines += ["", "| goal | measured | bound | |", "|---|---|---|---|"]
        lines += [f"| {text} | {value:.2f} | {bound} | {'met' if met else 'MISSED'} |" for text, value, bound, met in goals]
    return "\n".join(lines + [""] * bool(notes) + [f"- {note}" for note in notes]) + "\n"
