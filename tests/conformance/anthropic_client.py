#!/usr/bin/env python3
"""Anthropic's own Python client against the real server.

    anthropic_client.py HEARTH_BINARY MODEL.gguf

Exit code 77 = skipped: the package anthropic is not there.
"""
import asyncio
import sys

from serving import raises, serving

try:
    import anthropic
except ImportError:
    print("the Python package anthropic is not installed")
    sys.exit(77)

QUESTION = [{"role": "user", "content": "What is the capital of France? Answer in one sentence."}]
GREEDY = {"max_tokens": 16, "extra_body": {"temperature": 0}}  # not every release of the client has a name for it


def check_messages(client, model):
    whole = client.messages.create(model=model, messages=QUESTION, **GREEDY)
    assert whole.type == "message" and whole.role == "assistant" and whole.stop_reason in ("end_turn", "max_tokens"), whole
    text = whole.content[0].text
    assert text.strip() and 1 <= whole.usage.output_tokens <= 16, whole
    with client.messages.stream(model=model, messages=QUESTION, **GREEDY) as stream:
        assert "".join(stream.text_stream) == text, "streamed equals whole"
        last = stream.get_final_message()
    assert last.stop_reason == whole.stop_reason and last.usage.output_tokens == whole.usage.output_tokens, last
    counted = client.messages.count_tokens(model=model, messages=QUESTION)
    usage = whole.usage
    assert counted.input_tokens == usage.input_tokens + usage.cache_read_input_tokens, (counted, usage)
    system = client.messages.count_tokens(model=model, messages=QUESTION, system="Be brief.")
    billed = client.messages.count_tokens(model=model, messages=QUESTION, system=[
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1; cch=12345;"}, {"type": "text", "text": "Be brief."}])
    assert system.input_tokens == billed.input_tokens, "the billing header is no part of the prompt"
    word = text.split()[2]
    stopped = client.messages.create(model=model, messages=QUESTION, stop_sequences=[word], **GREEDY)
    assert stopped.stop_reason == "stop_sequence" and stopped.stop_sequence == word, stopped
    return text


def check_blocks(client, model):
    history = [
        {"role": "user", "content": [{"type": "text", "text": "What is the weather in Rome?"}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "I need a tool.", "signature": ""},
                                          {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Rome"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "Sunny, 24 degrees."}]},
    ]
    tools = [{"name": "weather", "description": "The weather of a city.", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}]
    reply = client.messages.create(model=model, messages=history, tools=tools, max_tokens=8)
    assert reply.stop_reason in ("end_turn", "max_tokens", "tool_use"), reply


def check_errors(client, model):
    def create(**options):
        return lambda: client.messages.create(**{"model": model, "messages": QUESTION, "max_tokens": 4, **options})

    raises(anthropic.NotFoundError, create(model="no-such-model"), "not_found_error")
    raises(anthropic.BadRequestError, create(extra_body={"temperature": 2}), "temperature", "invalid_request_error")
    raises(anthropic.BadRequestError, create(max_tokens=0), "max_tokens")
    raises(anthropic.BadRequestError, create(extra_body={"frobnicate": 1}), "frobnicate")
    raises(anthropic.BadRequestError, create(messages=[{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "x"}}]}]), "image")
    raises(anthropic.BadRequestError, create(messages=[{"role": "user", "content": "word " * 60000}]), "context")


async def check_async(address, model, text):
    client = anthropic.AsyncAnthropic(base_url=address, api_key="none", max_retries=0)
    replies = await asyncio.gather(*(client.messages.create(model=model, messages=QUESTION, **GREEDY) for _ in range(4)))
    assert [r.content[0].text for r in replies] == [text] * 4, replies


def main():
    with serving(*sys.argv[1:3]) as address:
        client = anthropic.Anthropic(base_url=address, api_key="none", max_retries=0)
        model = client.models.list().data[0].id
        text = check_messages(client, model)
        check_blocks(client, model)
        check_errors(client, model)
        asyncio.run(check_async(address, model, text))
        print(f"anthropic {anthropic.__version__}: all as expected")


if __name__ == "__main__":
    main()
