"""A team's server as a team uses it: refused without an administrator, then `--lan` with a key, curl trusting this
installation's own authority, every address that the machine has. lan_client.py HEARTH"""
import os
import pathlib
import shutil
import socket
import stat
import subprocess
import sys
import tempfile

if shutil.which("curl") is None:
    print("curl is missing")
    sys.exit(77)

hearth = sys.argv[1]


def run(home, *arguments, text=""):
    return subprocess.run([hearth, "--data-dir", home, *arguments], input=text, capture_output=True, text=True, timeout=60)


def curl(*arguments):
    done = subprocess.run(["curl", "-sS", "--max-time", "10", *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout


with tempfile.TemporaryDirectory() as home:
    refused = run(home, "serve", "--lan", "--port", "0")
    assert refused.returncode != 0 and "hearth user add" in refused.stderr, refused.stderr
    made = run(home, "user", "add", "ada", "--role", "admin", "--password-stdin", text="correct horse battery\n")
    assert made.returncode == 0, made.stderr
    key = run(home, "key", "create", "--user", "ada").stdout.strip()
    assert key.startswith("hk_"), key

    with open(pathlib.Path(home) / "stderr", "w+", encoding="utf-8") as said:
        server = subprocess.Popen([hearth, "--data-dir", home, "serve", "--lan", "--port", "0"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True)
        try:
            first = server.stdout.readline()
            assert first.startswith("listening on https://localhost:"), first
            base = first.split()[-1]
            port = int(base.rsplit(":", 1)[1])
            authority = str(pathlib.Path(home) / "tls" / "ca.pem")
            for name in ("ca.key", "server.key"):
                mode = stat.S_IMODE(os.stat(pathlib.Path(home) / "tls" / name).st_mode)
                assert mode == 0o600, f"{name}: {mode:o}"

            with_key = ["--cacert", authority, "-H", f"Authorization: Bearer {key}"]
            assert curl("--cacert", authority, "-o", "/dev/null", "-w", "%{http_code}", base + "/v1/models")[1] == "401"
            code, out = curl(*with_key, base + "/v1/models")
            assert code == 0 and '"object":"list"' in out, (code, out)
            assert curl(*with_key, "-o", "/dev/null", "-w", "%{http_code}", "-H", "Host: evil.example", base + "/v1/models")[1] == "403"
            code, out = curl("--cacert", authority, base + "/hearth/ca.pem")
            assert out == pathlib.Path(authority).read_text(), "what is offered for download is what signs"

            # The addresses that it names are its certificate's, and answer.
            said.flush()
            lines = [line.strip() for line in pathlib.Path(said.name).read_text().splitlines() if line.strip().startswith("https://")]
            numeric = [line for line in lines if not line.split("//")[1].split(":")[0].endswith(".local")]
            for address in numeric:
                code, out = curl("-g", *with_key, address + "/v1/models")
                assert code == 0 and '"object":"list"' in out, (address, code, out)
            print(f"LAN: {len(numeric)} addresses of this machine answer by TLS")

            with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
                plain.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")
                answer = plain.recv(4096)
                assert answer.startswith(b"HTTP/1.1 400") and b"https://" in answer, answer

            assert run(home, "key", "revoke", key[:9]).returncode == 0
            deadline_tries = 20
            while curl(*with_key, "-o", "/dev/null", "-w", "%{http_code}", base + "/v1/models")[1] != "401":
                deadline_tries -= 1
                assert deadline_tries > 0, "a revoked key is still good"
        finally:
            server.terminate()
            assert server.wait(timeout=30) == 0
    audit = run(home, "audit", "export").stdout
    assert "server.shared" in audit and "server.unshared" in audit, audit
