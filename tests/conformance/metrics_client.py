#!/usr/bin/env python3
"""Every series that the Grafana dashboard and the alert rules name is one that the real server writes.

    metrics_client.py HEARTH_BINARY MODEL.gguf
"""
import json
import pathlib
import re
import sys
import urllib.request

from serving import serving

INSTALLER = pathlib.Path(__file__).resolve().parents[2] / "installer"
# Only where there is a GPU, only after a preemption: what the tests of these rooms hold.
CONDITIONAL = re.compile(r"hearth_gpu_|hearth_preemptions_total$")


def named(text):
    return set(re.findall(r"\b(hearth_[a-z0-9_]+)", text))


def main():
    dashboard = json.loads((INSTALLER / "grafana" / "hearth.json").read_text())
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids)), "each panel has an id of its own"
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    queries += [variable["query"] for variable in dashboard["templating"]["list"]]
    rules = (INSTALLER / "prometheus" / "alerts.yml").read_text()
    wanted = named("\n".join(queries)) | named(rules)
    assert len(wanted) > 20, wanted

    with serving(sys.argv[1], sys.argv[2]) as address:
        model = json.load(urllib.request.urlopen(address + "/v1/models", timeout=30))["data"][0]["id"]
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Count to five."}], "max_tokens": 8}).encode()
        request = urllib.request.Request(address + "/v1/chat/completions", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=120).read()
        text = urllib.request.urlopen(address + "/metrics", timeout=30).read().decode()
    written = set(re.findall(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{[^}]*\})? ", text, re.M))
    missing = {name for name in wanted - written if not CONDITIONAL.match(name)}
    assert not missing, f"named in installer/, written by nobody: {sorted(missing)}"
    for line in text.splitlines():
        assert line.startswith("#") or re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? (NaN|[+-]?Inf|[-+0-9.e]+)", line), line
    print(f"{len(wanted)} series named, {len(written)} written")


if __name__ == "__main__":
    main()
