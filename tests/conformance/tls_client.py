"""TLS as other people's programs see it: curl, openssl s_client and Python's ssl against a server with a certificate of its
operator's own. tls_client.py HEARTH"""
import http.client
import pathlib
import shutil
import ssl
import subprocess
import sys
import tempfile
import time

import certificates

if shutil.which("curl") is None or not certificates.available():
    print("curl or openssl is missing")
    sys.exit(77)

hearth = sys.argv[1]


def curl(*arguments):
    run = subprocess.run(["curl", "-sS", "--max-time", "10", *arguments], capture_output=True, text=True)
    return run.returncode, run.stdout


with tempfile.TemporaryDirectory() as folder:
    authority, certificate, key = certificates.make(folder)
    home = pathlib.Path(folder) / "home"
    server = subprocess.Popen([hearth, "--data-dir", str(home), "serve", "--port", "0", "--require-key", "--tls-cert", str(certificate), "--tls-key", str(key)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        first = server.stdout.readline()
        assert first.startswith("listening on https://127.0.0.1:"), first
        base = first.split()[-1]
        port = int(base.rsplit(":", 1)[1])

        code, out = curl("--cacert", str(authority), base + "/health")
        assert code == 0 and '"status":"ok"' in out, (code, out)
        code, out = curl("--cacert", str(authority), "-o", "/dev/null", "-w", "%{http_code} %{ssl_verify_result} %{http_version}", base + "/v1/models")
        assert (code, out) == (0, "401 0 1.1"), (code, out)
        code, _ = curl(base + "/health")
        assert code == 60, f"without the authority curl must refuse the certificate, not {code}"
        code, out = curl("--cacert", str(authority), "--tls-max", "1.1", base + "/health")
        assert code != 0 and not out, (code, out)
        code, out = curl("-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", f"http://127.0.0.1:{port}/health")
        assert (code, out) == (0, f"307 https://127.0.0.1:{port}/health"), (code, out)

        shown = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", str(authority), "-verify_return_error", "-alpn", "http/1.1"],
                               input="", capture_output=True, text=True, timeout=20)
        assert "Verify return code: 0 (ok)" in shown.stdout and "ALPN protocol: http/1.1" in shown.stdout, shown.stdout[-2000:]

        # Another certificate takes the place of the first while somebody is connected.
        trust = ssl.create_default_context(cafile=str(authority))
        held = http.client.HTTPSConnection("127.0.0.1", port, context=trust, timeout=10)
        held.request("GET", "/health")
        assert held.getresponse().read()
        pathlib.Path(folder, "second").mkdir()
        second_authority, second_certificate, second_key = certificates.make(pathlib.Path(folder, "second"))
        shutil.copy(second_key, key)
        shutil.copy(second_certificate, certificate)
        deadline = time.monotonic() + 15
        while curl("--cacert", str(second_authority), base + "/health")[0] != 0:
            assert time.monotonic() < deadline, "the new certificate is not used"
            time.sleep(0.3)
        held.request("GET", "/health")
        assert held.getresponse().status == 200, "who was connected stays"
        held.close()
    finally:
        server.terminate()
        assert server.wait(timeout=30) == 0
print("TLS: curl, openssl and Python agree with it")
