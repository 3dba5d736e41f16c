#!/usr/bin/env python3
"""A real model that was trained for it uses a toolset of two functions, through every dialect, streamed and not.

    tools_client.py HEARTH_BINARY MODEL.gguf

Exit code 77 = skipped: the package openai is not there.
"""
import json
import sys

from serving import serving

try:
    import openai
except ImportError:
    print("the Python package openai is not installed")
    sys.exit(77)

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTIONS = [{"name": "get_weather", "description": "Get the weather of a city", "parameters": PARAMETERS},
             {"name": "get_time", "description": "Get the time of day in a city", "parameters": PARAMETERS}]
TOOLS = [{"type": "function", "function": f} for f in FUNCTIONS]
CASES = [("What is the weather in Rome?", "get_weather", "Rome"), ("What time is it in Tokyo?", "get_time", "Tokyo")]


def check_openai(address):
    client = openai.OpenAI(base_url=address + "/v1", api_key="none", max_retries=0)
    model = client.models.list().data[0].id
    for question, name, city in CASES:
        def ask(**options):
            return client.chat.completions.create(model=model, messages=[{"role": "user", "content": question}], tools=TOOLS, temperature=0,
                                                  max_tokens=60, **options)

        choice = ask().choices[0]
        assert choice.finish_reason == "tool_calls" and len(choice.message.tool_calls) == 1, choice
        call = choice.message.tool_calls[0]
        assert call.function.name == name and json.loads(call.function.arguments) == {"city": city}, call
        got, reasons = {}, []
        for chunk in ask(stream=True):
            delta = chunk.choices[0].delta
            reasons.append(chunk.choices[0].finish_reason)
            for piece in delta.tool_calls or []:
                if piece.index not in got:
                    assert piece.id and piece.function.name, "id and name come first"
                    got[piece.index] = [piece.function.name, ""]
                got[piece.index][1] += piece.function.arguments or ""
        assert got == {0: [name, call.function.arguments]} and reasons[-1] == "tool_calls", (got, reasons)
        answer = client.responses.create(model=model, input=question, temperature=0, max_output_tokens=60,
                                         tools=[{"type": "function", **f} for f in FUNCTIONS]).output[0]
        assert answer.type == "function_call" and answer.name == name and json.loads(answer.arguments) == {"city": city}, answer
    filled = client.completions.create(model=model, prompt="def add(a, b):\n    ", suffix="\n\nprint(add(1, 2))", max_tokens=8, temperature=0)
    assert filled.choices[0].text.startswith("return a + b"), filled
    return model


def check_anthropic(address, model):
    import anthropic
    client = anthropic.Anthropic(base_url=address, api_key="none", max_retries=0)
    tools = [{"name": f["name"], "description": f["description"], "input_schema": f["parameters"]} for f in FUNCTIONS]
    for question, name, city in CASES:
        options = {"model": model, "messages": [{"role": "user", "content": question}], "tools": tools, "max_tokens": 60, "extra_body": {"temperature": 0}}
        whole = client.messages.create(**options)
        assert whole.stop_reason == "tool_use" and whole.content[-1].name == name and whole.content[-1].input == {"city": city}, whole
        with client.messages.stream(**options) as stream:
            last = stream.get_final_message()
        assert last.content[-1].name == name and last.content[-1].input == {"city": city}, last


def check_ollama(address, model):
    import ollama
    client = ollama.Client(host=address)
    for question, name, city in CASES:
        options = {"model": model, "messages": [{"role": "user", "content": question}], "tools": TOOLS, "options": {"temperature": 0, "num_predict": 60}}
        whole = client.chat(**options)
        streamed = [call for chunk in client.chat(**options, stream=True) for call in chunk.message.tool_calls or []]
        for calls in (whole.message.tool_calls, streamed):
            assert [(c.function.name, dict(c.function.arguments)) for c in calls] == [(name, {"city": city})], calls


def main():
    with serving(*sys.argv[1:3]) as address:
        model = check_openai(address)
        for check in (check_anthropic, check_ollama):
            try:
                check(address, model)
            except ImportError as missing:
                print(f"left out: {missing}")
        print("two functions, every dialect: all as expected")


if __name__ == "__main__":
    main()
