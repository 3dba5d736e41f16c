"""Programs that the comparison starts: each with a time limit, and none of them outlives the script, however it ends."""
import contextlib
import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time

_running = []


class Failed(Exception):
    """A program failed, or took too long; the text says which and shows the end of what it wrote."""


def _die_with_parent():
    # Linux: SIGKILL when the script dies, even by SIGKILL. PR_SET_PDEATHSIG = 1.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _start(command, folder, **files):
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, cwd=folder,
                               preexec_fn=_die_with_parent if sys.platform == "linux" else None, **files)
    _running.append(process)
    return process


def _end(process, patience=10.0):
    """SIGTERM to its whole group, SIGKILL when that does not end it in time."""
    for number, wait in ((signal.SIGTERM, patience), (signal.SIGKILL, 10.0)):
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(wait)
    if process in _running:
        _running.remove(process)


def end_all():
    for process in list(_running):
        _end(process, patience=3.0)


def end_on_signals():
    """SIGTERM and SIGHUP leave through the same `finally`s as Ctrl-C does."""
    def leave(number, _frame):
        raise SystemExit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


def run_tool(command, limit, both=False):
    """What `command` writes to standard output, with `both` to standard error after it. It runs in a folder of its own, which
    goes with all that it leaves there (log files). Raises Failed."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = _start(command, folder, stdout=out, stderr=err)
        except OSError as problem:
            raise Failed(f"{command[0]}: {problem}") from problem
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            raise Failed(f"{' '.join(command)}: not done after {limit:.0f} s") from None
        finally:
            _end(process)
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
        if code != 0:
            raise Failed(f"{' '.join(command)}: status {code}: {_tail(err)}")
        if both:
            err.seek(0)
            text += err.read().decode("utf-8", "replace")
        return text


def _tail(file, length=600):
    file.seek(0, os.SEEK_END)
    file.seek(max(0, file.tell() - length))
    return file.read().decode("utf-8", "replace").strip()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ServerProcess:
    """A server under test, ended by close(). Standard output and error go to files of its own, and so does what it writes
    into its current folder."""

    def __init__(self, command):
        self.command = command
        self._folder = tempfile.TemporaryDirectory()
        self._out, self._err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        try:
            self._process = _start(command, self._folder.name, stdout=self._out, stderr=self._err)
        except OSError as problem:
            raise Failed(f"{command[0]}: {problem}") from problem

    def check(self):
        """Raises Failed when it has ended."""
        code = self._process.poll()
        if code is not None:
            raise Failed(f"{self.command[0]} ended with status {code}: {_tail(self._err)}")

    def wait_for_line(self, prefix, limit):
        """The first line of its standard output, which must start with `prefix`; the rest of that line is returned."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            self._out.seek(0)
            line, mark, _ = self._out.read().decode("utf-8", "replace").partition("\n")
            if mark:
                if not line.startswith(prefix):
                    raise Failed(f"{self.command[0]} began with {line!r}")
                return line[len(prefix):].strip()
            self.check()
            time.sleep(0.02)
        raise Failed(f"{self.command[0]} said nothing in {limit:.0f} s: {_tail(self._err)}")

    def peak_bytes(self):
        """The most resident memory it ever had, pages of the model's file among it (VmHWM)."""
        return _status_kib(self._process.pid, "VmHWM") * 1024

    def own_bytes(self):
        """Resident memory now that is no file's (RssAnon)."""
        return _status_kib(self._process.pid, "RssAnon") * 1024

    def cpu_seconds(self):
        with open(f"/proc/{self._process.pid}/stat", encoding="utf-8", errors="replace") as file:
            return parse_cpu_seconds(file.read(), os.sysconf("SC_CLK_TCK"))

    def close(self):
        _end(self._process)
        self._out.close()
        self._err.close()
        self._folder.cleanup()


class Neighbours:
    """What else used this machine's processors between the object's making and others(): other programs, and what the
    hypervisor gave to other machines. All programs that the script started in between must have ended."""

    def __init__(self):
        self._begin = self._read()

    @staticmethod
    def _read():
        with open("/proc/stat", encoding="utf-8") as file:
            busy, stolen = parse_machine_seconds(file.readline(), os.sysconf("SC_CLK_TCK"))
        own = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return time.monotonic(), busy - own, stolen

    def others(self):
        """Cores that others kept busy, and cores that were stolen, on average."""
        (begin, busy, stolen), (end, busy_now, stolen_now) = self._begin, self._read()
        return max(0.0, (busy_now - busy) / (end - begin)), max(0.0, (stolen_now - stolen) / (end - begin))


def parse_machine_seconds(line, ticks):
    """Seconds of work and stolen seconds of all processors out of the first line of /proc/stat."""
    user, nice, system, _, _, interrupts, soft, stolen = (int(field) / ticks for field in line.split()[1:9])
    return user + nice + system + interrupts + soft, stolen


def parse_cpu_seconds(stat, ticks):
    """User and system time out of /proc/PID/stat; the name in it may hold spaces and parentheses."""
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / ticks


def _status_kib(pid, name):
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith(name + ":"):
                return int(line.split()[1])
    raise Failed(f"/proc/{pid}/status has no {name}")
