#!/usr/bin/env python3
"""Runs a client test with the Python of $HEARTH_TEST_PYTHON on the small model of $HEARTH_TEST_MODELS; exit code 77 when
either is not there (ctest counts that as skipped).

    run_client.py CLIENT.py HEARTH_BINARY [ARGUMENT …]
"""
import os
import pathlib
import subprocess
import sys


def main():
    client, binary = sys.argv[1:3]
    folder = os.environ.get("HEARTH_TEST_MODELS")
    models = sorted(pathlib.Path(folder).glob("smollm2-135m*.gguf")) if folder else []
    if not models:
        print("no small model: set HEARTH_TEST_MODELS")
        return 77
    python = os.environ.get("HEARTH_TEST_PYTHON") or sys.executable
    return subprocess.run([python, client, binary, str(models[0]), *sys.argv[3:]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
