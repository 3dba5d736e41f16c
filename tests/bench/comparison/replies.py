"""What an OpenAI server's streamed reply was, and when: worked out after the fact from the reads of a socket, so that the
client costs the machine under test as little as possible while it listens."""
import dataclasses
import json
from typing import Optional


@dataclasses.dataclass
class Reply:
    sent: float = 0.0  # when the request was written; seconds of one monotonic clock, as all times here
    status: int = 0  # 0: no response head came
    times: list = dataclasses.field(default_factory=list)  # of the chunks with text, in order
    text: str = ""
    finish: Optional[str] = None
    prompt_tokens: Optional[int] = None
    cached_tokens: Optional[int] = None
    output_tokens: Optional[int] = None
    done: bool = False  # [DONE] came
    ended: float = 0.0
    error: Optional[str] = None  # why this reply does not count

    @property
    def first_token_seconds(self):
        return self.times[0] - self.sent if self.times else None

    @property
    def tokens(self):
        """As the server counts them; chunks with text where it does not say."""
        return self.output_tokens if self.output_tokens is not None else len(self.times)


class HttpReader:
    """A response cut into (time, body bytes): head, Content-Length, chunked coding, or until the end of the connection.
    Fed with reads of any size; one object for one response."""

    def __init__(self):
        self.status, self.headers, self.finished = 0, {}, False
        self._buffer, self._state, self._left = b"", "head", 0

    def feed(self, data):
        """The body bytes that `data` completes. Raises ValueError on what is not HTTP."""
        self._buffer += data
        out = b""
        while not self.finished:
            if self._state == "head":
                head, mark, rest = self._buffer.partition(b"\r\n\r\n")
                if not mark:
                    return out
                self._read_head(head.decode("latin-1"))
                self._buffer = rest
            elif self._state == "size":
                line, mark, rest = self._buffer.partition(b"\r\n")
                if not mark:
                    return out
                self._left, self._buffer = int(line.split(b";")[0], 16), rest
                if self._left == 0:
                    self.finished = True
                self._state = "chunk"
            elif self._state == "chunk":
                if len(self._buffer) < self._left + 2:
                    return out
                if self._buffer[self._left:self._left + 2] != b"\r\n":
                    raise ValueError("a chunk is not as long as it says")
                out, self._buffer = out + self._buffer[:self._left], self._buffer[self._left + 2:]
                self._state = "size"
            elif self._state == "length":
                out, self._buffer, self._left = out + self._buffer, b"", self._left - len(self._buffer)
                self.finished = self._left <= 0
                return out
            else:  # until the connection ends
                out, self._buffer = out + self._buffer, b""
                return out
        return out

    def _read_head(self, head):
        first, *lines = head.split("\r\n")
        parts = first.split(" ", 2)
        if not first.startswith("HTTP/1.") or len(parts) < 2 or not parts[1].isdigit():
            raise ValueError(f"not an HTTP response: {first[:80]!r}")
        self.status = int(parts[1])
        self.headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if 100 <= self.status < 200:
            return  # the real head follows
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            self._state = "size"
        elif "content-length" in self.headers:
            self._state, self._left = "length", int(self.headers["content-length"])
            self.finished = self._left == 0
        else:
            self._state = "end"


class EventReader:
    """Server-sent events out of body bytes; gives the data of each event that is complete."""

    def __init__(self):
        self._buffer, self._data = b"", []

    def feed(self, body):
        self._buffer += body
        events = []
        while True:
            line, mark, rest = self._buffer.partition(b"\n")
            if not mark:
                return events
            self._buffer = rest
            line = line.rstrip(b"\r")
            if not line:
                if self._data:
                    events.append(b"\n".join(self._data).decode("utf-8", "replace"))
                self._data = []
            elif line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))


def _error_text(value):
    error = value.get("error", value) if isinstance(value, dict) else value
    return str(error.get("message", error)) if isinstance(error, dict) else str(error)


def _take_event(reply, data, at):
    if data.strip() == "[DONE]":
        reply.done = True
        return
    chunk = json.loads(data)
    if "error" in chunk:
        raise ValueError("error in the stream: " + _error_text(chunk))
    usage = chunk.get("usage")
    if isinstance(usage, dict):
        reply.prompt_tokens, reply.output_tokens = usage.get("prompt_tokens"), usage.get("completion_tokens")
        reply.cached_tokens = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
    for choice in chunk.get("choices") or []:
        delta = choice.get("delta") or {}
        piece = (delta.get("reasoning_content") or "") + (delta.get("content") or "")
        if piece:
            reply.times.append(at)
            reply.text += piece
        reply.finish = choice.get("finish_reason") or reply.finish


def read_reply(sent, reads, failure=None):
    """The Reply out of the socket's reads [(time, bytes)]; `failure` is what ended them early, if anything did. Whatever is
    wrong with the reply stands in its `error`; nothing is raised."""
    reply = Reply(sent=sent, ended=reads[-1][0] if reads else sent)
    http, events, body = HttpReader(), EventReader(), b""
    try:
        for at, data in reads:
            part = http.feed(data)
            if http.status != 200:
                body += part
                continue
            for event in events.feed(part):
                _take_event(reply, event, at)
    except (ValueError, AttributeError) as problem:
        reply.error = str(problem)
    reply.status = http.status
    if reply.error is None and failure:
        reply.error = failure
    if reply.error is None and http.status == 0:
        reply.error = "the connection ended without a response"
    if reply.error is None and http.status != 200:
        try:
            message = _error_text(json.loads(body))
        except ValueError:
            message = body[:200].decode("utf-8", "replace")
        reply.error = f"HTTP {http.status}: {message}"
    if reply.error is None and not reply.done:
        reply.error = "the stream ended without [DONE]"
    if reply.error is None and not reply.times:
        reply.error = "the reply has no text"
    return reply
