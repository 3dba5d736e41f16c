#!/usr/bin/env python3
"""The comparison's own parts, without any engine: statistics, texts, what the programs print, processes, roofs and goals."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))
from comparison import engines, gguf_facts, processes, report, stats, text, workloads  # noqa: E402
from tiny_gguf import write_tiny_gguf  # noqa: E402


class Statistics(unittest.TestCase):
    def test_percentiles_interpolate(self):
        self.assertEqual(stats.percentile([40, 10, 30, 20], 0.5), 25)
        self.assertEqual(stats.percentile(range(101), 0.99), 99)
        self.assertEqual(stats.percentile([7], 0.99), 7)
        self.assertIsNone(stats.percentile([], 0.5))
        with self.assertRaises(ValueError):
            stats.percentile([1], 99)

    def test_median_ratio_pairs_rounds(self):
        # The ratio of the medians would be 20/10.
        self.assertEqual(stats.median_ratio([10, 20, 90], [10, 5, 30]), 3)
        self.assertEqual(stats.median_ratio([10, None, 90], [5, 5, 30]), 2.5)
        self.assertIsNone(stats.median_ratio([1, 2], [0, None]))


class Text(unittest.TestCase):
    def test_passages_are_repeatable_and_differ(self):
        self.assertEqual(text.passage("a/1", 300), text.passage("a/1", 300))
        self.assertEqual(len(text.passage("a/1", 301).split()), 301)
        starts = {text.passage(f"a/{i}", 40)[:60] for i in range(50)}
        self.assertEqual(len(starts), 50, "no two prompts share a beginning that a cache could use")

    def test_lengths_span_the_range(self):
        lengths = text.mixed_lengths(32, 64, 2000, "x")
        self.assertEqual((min(lengths), max(lengths), len(lengths)), (64, 2000, 32))
        self.assertNotEqual(lengths, sorted(lengths))
        with self.assertRaises(ValueError):
            text.mixed_lengths(3, 0, 10, "x")

    def test_requests_share_only_the_system_prompt(self):
        settings = workloads.Settings()
        first, second = workloads.http_requests(settings, 8, 0), workloads.http_requests(settings, 8, 1)
        systems = {system for client in first for system, _, _ in client}
        self.assertEqual(len(systems), 1)
        self.assertNotIn(second[0][0][0], systems, "another round, another system prompt")
        users = [user for requests in (first, second) for client in requests for _, user, _ in client]
        self.assertEqual(len({user[:50] for user in users}), 16)
        self.assertEqual(len(workloads.http_requests(settings, 1, 0)[0]), settings.single_requests)


class Programs(unittest.TestCase):
    def test_llama_bench(self):
        rows = [{"build_commit": "abc", "n_prompt": 512, "n_gen": 0, "n_depth": 0, "avg_ts": 123.5, "samples_ts": [123.5]},
                {"n_prompt": 0, "n_gen": 128, "n_depth": 4096, "avg_ts": 9.25}]
        self.assertEqual(engines.parse_llama_bench("warning: something\n" + json.dumps(rows)), [(512, 0, 0, 123.5), (0, 128, 4096, 9.25)])
        for wrong in ("", "[]", "[{", "no json"):
            with self.assertRaises(ValueError):
                engines.parse_llama_bench(wrong)

    def test_batched_bench_both_ways(self):
        lines = '{"n_kv_max": 1, "pp": 64, "tg": 32, "pl": 8, "speed_pp": 300.5, "speed_tg": 85.0}\nnoise\n'
        table = ("main: n_kv_max = 4096\n|    PP |     TG |    B |   N_KV |   T_PP s | S_PP t/s |   T_TG s | S_TG t/s |      T s |    S t/s |\n"
                 "|-------|--------|------|--------|----------|----------|----------|----------|----------|----------|\n"
                 "|    64 |     32 |    8 |    768 |    1.700 |   300.50 |    3.010 |    85.00 |    4.710 |   163.06 |\n")
        self.assertEqual(engines.parse_batched_bench(lines), {8: (300.5, 85.0)})
        self.assertEqual(engines.parse_batched_bench(table), {8: (300.5, 85.0)})
        with self.assertRaises(ValueError):
            engines.parse_batched_bench("error: out of memory")

    def test_hearth_bench(self):
        value = {"prefill": [{"tokens": 512, "tok_s": 2.5}], "decode": [{"context": 0, "tok_s": 3.5}],
                 "batched": [{"sequences": 4, "prefill_tok_s": 1.5, "decode_tok_s": 9.5}], "roof": {"read_gb_s": 30, "int8_gmac_s": 400}, "threads": 2}
        result = engines.parse_hearth_bench(json.dumps(value))
        self.assertEqual((result["prefill"], result["decode"], result["batched"]), ({512: 2.5}, {0: 3.5}, {4: (1.5, 9.5)}))
        with self.assertRaises(KeyError):
            engines.parse_hearth_bench("{}")

    def test_cpu_seconds_with_a_strange_name(self):
        fields = ["S"] + [str(i) for i in range(1, 40)]
        self.assertEqual(processes.parse_cpu_seconds("42 (a) b (c)) " + " ".join(fields), 10), (11 + 12) / 10)

    def test_machine_seconds(self):
        self.assertEqual(processes.parse_machine_seconds("cpu  100 20 30 5000 600 7 3 40 11 12\n", 10), (16, 4))
        quiet = processes.Neighbours()
        self.assertGreaterEqual(min(quiet.others()), 0)

    def test_workload_names(self):
        self.assertEqual(workloads.choose(["http-8", "prefill"]), ["prefill-512", "prefill-4096", "http-8"])
        self.assertEqual(workloads.choose(["all"]), list(workloads.NAMES))
        with self.assertRaises(ValueError):
            workloads.choose(["http-9"])
        covered = [name for job in workloads.jobs(list(workloads.NAMES)) for name in job.workloads]
        self.assertEqual(sorted(covered), sorted(workloads.NAMES), "each workload once")

    def test_gguf_facts(self):
        with tempfile.NamedTemporaryFile() as file:
            write_tiny_gguf(file.name)
            facts = gguf_facts.read_facts(file.name)
            self.assertEqual((facts.prefill_macs, facts.decode_macs, facts.end_tokens), (64 * 64, 64 * 64 + 6400, [2]))
            self.assertEqual(facts.decode_bytes, 6400 // 32 * 34 + 4096 // 32 * 18 + 64 * 4)
            for size in (0, 3, 20, 60, 150):
                os.truncate(file.name, size)
                with self.assertRaises(ValueError):
                    gguf_facts.read_facts(file.name)
                write_tiny_gguf(file.name)


class Servers(unittest.TestCase):
    def test_a_server_is_watched_and_ended_with_its_children(self):
        code = "import subprocess,sys,time; subprocess.Popen(['sleep','60']); print('ready on 5', flush=True); x='m'*30000000; time.sleep(60)"
        server = processes.ServerProcess([sys.executable, "-c", code])
        self.assertEqual(server.wait_for_line("ready on ", 20), "5")
        time.sleep(0.2)
        self.assertGreater(server.peak_bytes(), 30e6)
        self.assertGreater(server.own_bytes(), 30e6)
        self.assertGreaterEqual(server.cpu_seconds(), 0)
        group = server._process.pid
        server.close()
        with self.assertRaises(ProcessLookupError):
            for _ in range(100):
                os.killpg(group, 0)
                time.sleep(0.05)

    def test_failures_name_their_cause(self):
        server = processes.ServerProcess([sys.executable, "-c", "import sys; sys.exit('bad model')"])
        try:
            with self.assertRaisesRegex(processes.Failed, "status 1: bad model"):
                server.wait_for_line("ready", 20)
        finally:
            server.close()
        with self.assertRaisesRegex(processes.Failed, "not done after"):
            processes.run_tool(["sleep", "30"], 0.2)
        with self.assertRaisesRegex(processes.Failed, "status 3: oh"):
            processes.run_tool(["sh", "-c", "echo oh >&2; exit 3"], 20)
        with self.assertRaises(processes.Failed):
            processes.run_tool(["/no/such/program"], 1)
        processes.run_tool(["sh", "-c", "echo x >left-behind-by-a-tool"], 20)
        self.assertFalse(os.path.exists("left-behind-by-a-tool"))
        speak = ["sh", "-c", "echo err >&2; echo out"]
        self.assertEqual((processes.run_tool(speak, 20), processes.run_tool(speak, 20, both=True)), ("out\n", "out\nerr\n"))

    def test_sigterm_ends_what_was_started(self):
        code = ("import sys,time; sys.path.insert(0, sys.argv[1]); from comparison import processes\nprocesses.end_on_signals()\ntry:\n"
                " s = processes.ServerProcess(['sleep', '60']); print(s._process.pid, flush=True); time.sleep(60)\nfinally:\n processes.end_all()\n")
        script = subprocess.Popen([sys.executable, "-c", code, str(FOLDER)], stdout=subprocess.PIPE, text=True)
        pid = int(script.stdout.readline())
        script.send_signal(signal.SIGTERM)
        self.assertEqual(script.wait(20), 128 + signal.SIGTERM)
        script.stdout.close()
        with self.assertRaises(ProcessLookupError):
            os.kill(pid, 0)


class Report(unittest.TestCase):
    FACTS = gguf_facts.Facts(name="m", prefill_macs=10**8, decode_macs=2 * 10**8, decode_bytes=10**8, end_tokens=[])
    ROOF = {"read_gb_s": 20.0, "int8_gmac_s": 100.0}

    @staticmethod
    def samples(workload, metric, **series):
        return [{"workload": workload, "engine": name.replace("_cpp", ".cpp"), "round": i, "metrics": {metric: value} if value is not None else {"error": "x"}}
                for name, values in series.items() for i, value in enumerate(values)]

    def test_ratios_roofs_and_goals(self):
        samples = (self.samples("prefill-512", "tok_s", Hearth=[600, 500, 700], llama_cpp=[200, 250, 175]) +
                   self.samples("decode-0", "tok_s", Hearth=[100, 120, 110], llama_cpp=[50, None, 50]) +
                   self.samples("decode-4096", "tok_s", Hearth=[50, 50, 50]) +
                   self.samples("http-32", "ttft_p99", Hearth=[1.0, 3.0], llama_cpp=[10.0, 10.0]))
        rows = report.summarise(samples, ["Hearth", "llama.cpp"], "Hearth", self.FACTS, [self.ROOF])
        found = {(row["workload"], row["metric"]): row for row in rows}
        self.assertEqual(found["prefill-512", "tok_s"]["ratio"], {"llama.cpp": 3})
        self.assertAlmostEqual(found["prefill-512", "tok_s"]["roof"]["Hearth"], 0.6)
        self.assertAlmostEqual(found["decode-0", "tok_s"]["ratio"]["llama.cpp"], 2.1)
        self.assertEqual(found["decode-0", "tok_s"]["rounds"], {"Hearth": 3, "llama.cpp": 2})
        self.assertAlmostEqual(found["decode-0", "tok_s"]["roof"]["llama.cpp"], 0.25)
        goals = {text: met for text, _, _, met in report.check_goals(rows, "Hearth")}
        self.assertEqual(goals, {"prefill-512 tok/s against llama.cpp": True, "prefill-512 tok/s against roof": True, "decode-0 tok/s against llama.cpp": True,
                                 "decode-0 tok/s against roof": False, "http-32 TTFT p99 s against llama.cpp": True,
                                 "decode-4096 tok/s against decode-0": False})
        shown = report.tables(rows, ["Hearth", "llama.cpp"], "Hearth", report.check_goals(rows, "Hearth"), ["a note"])
        self.assertIn("| prefill-512 | tok/s | 600.0 | 200.0 | 3.00× | 60% | 20% |", shown)
        self.assertIn("| decode-4096 | tok/s | 50.0 | – | – | 25% |  |", shown)
        self.assertIn("MISSED", shown)

    def test_the_nearer_roof_of_a_batch(self):
        self.assertAlmostEqual(report.roof_fraction("batched-4", 100, self.FACTS, self.ROOF), 0.2, msg="the multiply-adds")
        self.assertAlmostEqual(report.roof_fraction("batched-1", 100, self.FACTS, self.ROOF), 0.5, msg="the reads")
        self.assertIsNone(report.roof_fraction("http-8", 100, self.FACTS, self.ROOF))
        self.assertIsNone(report.roof_fraction("decode-0", None, self.FACTS, self.ROOF))


class Script(unittest.TestCase):
    def test_wrong_arguments_start_nothing(self):
        for arguments, expected in ((["no-such-file.gguf", "--hearth", "none"], "no-such-file"), (["--peer", "x", "m"], "NAME=VALUE")):
            run = subprocess.run([sys.executable, str(FOLDER / "compare"), *arguments], capture_output=True, text=True, timeout=60)
            self.assertEqual(run.returncode, 2)
            self.assertIn(expected, run.stderr)


if __name__ == "__main__":
    unittest.main()
