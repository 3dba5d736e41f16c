#!/usr/bin/env python3
"""Every field of every body in the OpenAPI document with values that it may not expect: the real server answers each with
success or with a 4xx, never with a 5xx, and is well afterwards. Needs nothing but Python.

    odd_values.py HEARTH_BINARY MODEL.gguf
"""
import http.client
import json
import sys

from serving import serving

VALUES = [None, True, 0, -1, 3.5, 2**31, 2**63, 1e300, "", "x", "json", "\u0000", "é" * 50, [], ["x"], [1], [[1]], {}, {"type": "x"}, {"type": "text"},
          [{"role": "user", "content": "hi"}], [{"type": "function", "function": {"name": "f"}}], {"type": "function", "function": {"name": "f"}}]
HI = [{"role": "user", "content": "hi"}]
SMALLEST = {
    "/v1/chat/completions": {"messages": HI, "max_tokens": 2},
    "/v1/completions": {"prompt": "x", "max_tokens": 2},
    "/v1/responses": {"input": "x", "max_output_tokens": 2},
    "/v1/messages": {"messages": HI, "max_tokens": 2},
    "/v1/messages/count_tokens": {"messages": HI},
    "/api/chat": {"messages": HI, "options": {"num_predict": 2}},
    "/api/generate": {"prompt": "x", "options": {"num_predict": 2}},
    "/tokenize": {"content": "x"},
    "/detokenize": {"tokens": [1]},
    "/apply-template": {"messages": HI},
    "/infill": {"input_prefix": "a"},
}


def main():
    with serving(*sys.argv[1:3]) as address:
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=120)

        def ask(method, path, body=None):
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            reply = connection.getresponse()
            return reply.status, reply.read()

        document = json.loads(ask("GET", "/openapi.json")[1])
        seen = {}
        for path, smallest in SMALLEST.items():
            schema = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
            fields = document["components"]["schemas"][schema]["properties"]
            assert set(smallest) <= set(fields), (path, smallest)
            for number, field in enumerate(fields):
                # An answer without a limit takes long: those are tried elsewhere.
                for value in VALUES[number % 2::2]:
                    body = {**smallest, field: value}
                    if value is None and field in ("max_tokens", "max_output_tokens", "options", "messages", "prompt"):
                        continue
                    status, text = ask("POST", path, json.dumps(body))
                    seen[status] = seen.get(status, 0) + 1
                    assert status < 500, (path, body, status, text[:300])
                    if status != 200:
                        assert 400 <= status < 429 and b"error" in text, (path, body, status, text[:300])
        assert seen[200] > 100 and seen[400] > 500, seen
        assert ask("GET", "/health")[0] == 200
        print(f"{sum(seen.values())} requests: {seen}")


if __name__ == "__main__":
    main()
