"""A real `hearth serve` for the length of a test."""
import contextlib
import subprocess
import tempfile


@contextlib.contextmanager
def serving(binary, model, *options):
    """Yields the address ("http://127.0.0.1:PORT"); at the end the server must stop cleanly on SIGTERM."""
    with tempfile.TemporaryDirectory() as home:
        server = subprocess.Popen([binary, "--data-dir", home, "serve", "--port", "0", "--model", model, *options],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        try:
            first = server.stdout.readline()
            assert first.startswith("listening on http://127.0.0.1:"), first
            yield first.split()[-1]
        finally:
            server.terminate()
            assert server.wait(timeout=30) == 0, "the server ends cleanly on SIGTERM"


def raises(kind, call, *words, status=None):
    """Calls and expects this error, whose text has all of these words."""
    try:
        call()
    except kind as error:
        for word in words:
            assert word in str(error), (word, str(error))
        assert status is None or error.status_code == status, (error.status_code, error)
        return error
    raise AssertionError(f"no {kind.__name__}")
