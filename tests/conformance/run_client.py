#!/usr/bin/env python3
"""Runs a client test with the Python of $HEARTH_TEST_PYTHON on a model of $HEARTH_TEST_MODELS (by itself the small one); exit
code 77 when either is not there (ctest counts that as skipped).

    run_client.py [--model=PATTERN] CLIENT.py HEARTH_BINARY [ARGUMENT …]
"""
import os
import pathlib
import subprocess
import sys


def main():
    arguments = sys.argv[1:]
    pattern = "smollm2-135m*.gguf"
    if arguments[0].startswith("--model="):
        pattern = arguments.pop(0).removeprefix("--model=")
    client, binary, *rest = arguments
    folder = os.environ.get("HEARTH_TEST_MODELS")
    models = sorted(pathlib.Path(folder).glob(pattern)) if folder else []
    if not models:
        print(f"no {pattern}: set HEARTH_TEST_MODELS")
        return 77
    python = os.environ.get("HEARTH_TEST_PYTHON") or sys.executable
    return subprocess.run([python, client, binary, str(models[0]), *rest], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
