"""Many streaming clients in one thread: each sends its requests one after the other. While the replies come nothing is
parsed: reads are kept with their times, and read after the last one ended."""
import json
import selectors
import socket
import time
import urllib.parse

from .replies import Reply, read_reply


class _Client:
    def __init__(self, address, bodies):
        self.address, self.waiting, self.replies = address, list(bodies), []
        self.socket, self.out, self.reads, self.sent = None, b"", [], 0.0

    def start(self, selector, now):
        """Opens the next request's connection; False when there is none left."""
        if not self.waiting:
            return False
        body = json.dumps(self.waiting.pop(0)).encode()
        host, port, path = self.address
        self.out = (f"POST {path}/v1/chat/completions HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode() + body
        self.reads, self.sent = [], now
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.connect_ex((host, port))
        selector.register(self.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, self)
        return True

    def ready(self, selector, mask, now):
        """Moves bytes; True once the reply has ended."""
        try:
            if mask & selectors.EVENT_WRITE and self.out:
                self.out = self.out[self.socket.send(self.out):]
                if not self.out:
                    selector.modify(self.socket, selectors.EVENT_READ, self)
            if not mask & selectors.EVENT_READ:
                return False
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return False
        except OSError as problem:
            return self.end(selector, f"connection: {problem}")
        if not data:
            return self.end(selector)
        self.reads.append((now, data))
        # An event's end may lie across two reads; the few bytes before are enough to see it.
        tail = b"".join(part for _, part in self.reads[-3:])[-32:].rstrip()
        return self.end(selector) if tail.endswith((b"[DONE]", b"\r\n0")) else False

    def end(self, selector, failure=None):
        selector.unregister(self.socket)
        self.socket.close()
        self.socket = None
        self.replies.append((self.sent, self.reads, failure))
        return True

    def read(self):
        found = [read_reply(*raw) for raw in self.replies]
        return found + [Reply(error="not sent: the time was up") for _ in self.waiting]


def split_url(url):
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"not an http:// address: {url}")
    path = parts.path.rstrip("/").removesuffix("/v1")
    return parts.hostname, parts.port or 80, path


def run_clients(url, bodies, limit):
    """Sends bodies[client][i] to the server at `url`, all clients at once and each client's requests in turn, for at most
    `limit` seconds. Returns the replies, [client][i]; those cut off by the limit carry an error."""
    selector = selectors.DefaultSelector()
    clients = [_Client(split_url(url), list_of_bodies) for list_of_bodies in bodies]
    end = time.monotonic() + limit
    try:
        running = sum(client.start(selector, time.monotonic()) for client in clients)
        while running and time.monotonic() < end:
            for key, mask in selector.select(timeout=max(0.0, min(1.0, end - time.monotonic()))):
                now = time.monotonic()
                if key.data.ready(selector, mask, now) and not key.data.start(selector, time.monotonic()):
                    running -= 1
    finally:
        for client in clients:
            if client.socket is not None:
                client.end(selector, f"cut off after {limit:.0f} s")
        selector.close()
    return [client.read() for client in clients]


def gaps(replies):
    """Of all replies: (gap, while others prefilled) for each pair of successive chunks of text. A gap counts as "while others
    prefilled" when another request had been sent and had no text yet at some moment of it."""
    waits = [(reply.sent, reply.times[0] if reply.times else reply.ended) for reply in replies]
    found = []
    for index, reply in enumerate(replies):
        others = waits[:index] + waits[index + 1:]
        for begin, end in zip(reply.times, reply.times[1:]):
            found.append((end - begin, any(sent < end and first > begin for sent, first in others)))
    return found
