"""What an idle connection costs the server: opens many from this process, each after one request, and reads the server's
resident memory before and after. idle_connections.py HEARTH [COUNT]"""
import contextlib
import pathlib
import re
import resource
import socket
import ssl
import subprocess
import sys
import tempfile
import time

import certificates

hearth = sys.argv[1]
count = int(sys.argv[2]) if len(sys.argv) > 2 else 1500
MOST = {"plain": 32 * 1024, "tls": 64 * 1024}

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
room = hard if hard != resource.RLIM_INFINITY else 1 << 20
resource.setrlimit(resource.RLIMIT_NOFILE, (min(room, 65536), hard))
count = min(count, min(room, 65536) - 600)


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) * 1024


def descriptors(pid):
    return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))


def measure(kind, folder):
    options, context = [], None
    if kind == "tls":
        authority, certificate, key = certificates.make(folder)
        options = ["--tls-cert", str(certificate), "--tls-key", str(key)]
        context = ssl.create_default_context(cafile=str(authority))
    server = subprocess.Popen([hearth, "--data-dir", str(pathlib.Path(folder) / "home"), "serve", "--port", "0", *options],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        port = int(server.stdout.readline().rsplit(":", 1)[1])

        def connect():
            connection = socket.create_connection(("127.0.0.1", port), timeout=20)
            if context:
                connection = context.wrap_socket(connection, server_hostname="localhost")
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = b""
            while b"\r\n\r\n" not in answer or not answer.endswith(b"}"):
                piece = connection.recv(4096)
                assert piece, "closed"
                answer += piece
            assert answer.startswith(b"HTTP/1.1 200"), answer
            return connection

        with contextlib.ExitStack() as warm:  # what the first connections allocate for good is not theirs
            for _ in range(100):
                warm.enter_context(connect())
        time.sleep(1)
        before, before_files = resident(server.pid), descriptors(server.pid)
        begin = time.monotonic()
        held = [connect() for _ in range(count)]
        seconds = time.monotonic() - begin
        time.sleep(1)
        each = (resident(server.pid) - before) / count
        print(f"{kind}: {count} idle connections, {each / 1024:.1f} KiB each, opened in {seconds:.1f} s")
        assert descriptors(server.pid) - before_files == count
        for connection in held:
            connection.close()
        deadline = time.monotonic() + 15
        while descriptors(server.pid) > before_files:
            assert time.monotonic() < deadline, "descriptors of closed connections stay open"
            time.sleep(0.1)
        assert each <= MOST[kind], f"{kind}: {each:.0f} bytes a connection"
    finally:
        server.terminate()
        assert server.wait(timeout=30) == 0


for kind in ("plain", "tls"):
    if kind == "tls" and not certificates.available():
        print("tls: no openssl program here")
        continue
    with tempfile.TemporaryDirectory() as folder:
        measure(kind, folder)
