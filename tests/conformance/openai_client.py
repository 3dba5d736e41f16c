#!/usr/bin/env python3
"""OpenAI's own Python client against the real server: what it parses, counts and raises.

    openai_client.py HEARTH_BINARY MODEL.gguf

Exit code 77 = skipped: the package openai is not there.
"""
import sys
import threading

try:
    import openai
except ImportError:
    print("the Python package openai is not installed")
    sys.exit(77)
from serving import serving

QUESTION = [{"role": "user", "content": "What is the capital of France? Answer in one sentence."}]


def check_whole(client, model):
    reply = client.chat.completions.create(model=model, messages=QUESTION, temperature=0, max_tokens=24)
    assert reply.object == "chat.completion" and reply.id.startswith("chatcmpl-") and reply.model == model, reply
    choice = reply.choices[0]
    assert choice.message.role == "assistant" and choice.message.content.strip(), reply
    assert choice.finish_reason in ("stop", "length"), reply
    usage = reply.usage
    assert usage.prompt_tokens > 5 and 1 <= usage.completion_tokens <= 24, usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, usage
    return choice.message.content, usage


def check_stream(client, model, text, usage):
    stream = client.chat.completions.create(model=model, messages=QUESTION, temperature=0, max_tokens=24, stream=True,
                                            stream_options={"include_usage": True})
    chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant", chunks[0]
    assert all(c.choices[0].delta.role is None for c in chunks[1:] if c.choices), "the role comes once"
    assert len({(c.id, c.created, c.model) for c in chunks}) == 1, "one envelope for all chunks"
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == text, "streamed equals whole"
    reasons = [c.choices[0].finish_reason for c in chunks if c.choices]
    assert reasons[-1] in ("stop", "length") and not any(reasons[:-1]), reasons
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == usage.completion_tokens, chunks[-1]
    assert all(c.usage is None for c in chunks[:-1])
    plain = list(client.chat.completions.create(model=model, messages=QUESTION, max_tokens=4, stream=True))
    assert all(c.usage is None and c.choices for c in plain), "no usage unless asked for"


def check_sampling(client, model):
    def ask(**options):
        options = {"temperature": 1.0, "max_tokens": 16, **options}
        return client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Tell me a story."}], **options)

    first, again, other = (ask(seed=s).choices[0].message.content for s in (7, 7, 8))
    assert first == again, "the same seed gives the same reply"
    assert first != other, "another seed gives another"
    several = ask(n=3, seed=7)
    assert [c.index for c in several.choices] == [0, 1, 2]
    assert several.choices[0].message.content == first, "a choice does not depend on its siblings"
    assert several.usage.completion_tokens > max(8, 0), several.usage

    text = ask(temperature=0, max_tokens=30).choices[0].message.content
    word = text.split()[3]
    stopped = ask(temperature=0, max_tokens=30, stop=[word]).choices[0]
    assert stopped.finish_reason == "stop" and word not in stopped.message.content, stopped
    assert text.startswith(stopped.message.content), (text, stopped.message.content)
    cut = ask(max_tokens=3)
    assert cut.choices[0].finish_reason == "length" and cut.usage.completion_tokens == 3, cut

    scored = ask(temperature=0, max_tokens=4, logprobs=True, top_logprobs=3).choices[0].logprobs.content
    assert len(scored) == 4
    for entry in scored:
        assert entry.logprob <= 0 and len(entry.top_logprobs) == 3, entry
        assert entry.token == entry.top_logprobs[0].token, "greedy takes the likeliest"
        values = [t.logprob for t in entry.top_logprobs]
        assert values == sorted(values, reverse=True), values


def check_errors(client, model):
    def raises(kind, code, **options):
        try:
            client.chat.completions.create(**{"model": model, "messages": QUESTION, "max_tokens": 2, **options})
        except openai.APIStatusError as error:
            assert type(error) is kind, (type(error), error)
            assert error.code == code, (error.code, error)
            assert error.message and error.request_id, error
            return error
        raise AssertionError(f"{options} was accepted")

    raises(openai.NotFoundError, "model_not_found", model="no-such-model")
    assert raises(openai.BadRequestError, "invalid_value", temperature=3).param == "temperature"
    assert raises(openai.BadRequestError, "invalid_value", stream=True, n=9).param == "n"
    raises(openai.BadRequestError, "unsupported_parameter", response_format={"type": "xml"})
    raises(openai.BadRequestError, "unknown_parameter", extra_body={"frobnicate": 1})
    raises(openai.BadRequestError, "unsupported_parameter",
           messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}])
    for stream in (False, True):
        raises(openai.BadRequestError, "context_length_exceeded", stream=stream, messages=[{"role": "user", "content": "word " * 60000}])


def check_models(client, model):
    assert model in [m.id for m in client.models.list()]
    assert client.models.retrieve(model).id == model
    try:
        client.models.retrieve("no-such-model")
        raise AssertionError("found what is not there")
    except openai.NotFoundError:
        pass


def check_completions(client, model):
    def ask(**options):
        return client.completions.create(**{"model": model, "prompt": "The capital of France is", "temperature": 0, "max_tokens": 8, **options})

    whole = ask()
    text = whole.choices[0].text
    assert whole.object == "text_completion" and text and whole.usage.completion_tokens <= 8, whole
    assert "".join(c.choices[0].text for c in ask(stream=True)) == text, "streamed equals whole"
    assert ask(echo=True).choices[0].text == "The capital of France is" + text
    two = ask(prompt=["The capital of France is", "One, two, three,"], n=2)
    assert [c.index for c in two.choices] == [0, 1, 2, 3] and two.choices[0].text == two.choices[1].text == text, two
    scored = ask(logprobs=2).choices[0].logprobs
    assert len(scored.tokens) == len(scored.token_logprobs) == len(scored.top_logprobs) and "".join(scored.tokens) == text, scored
    assert scored.text_offset[0] == 0 and scored.text_offset[1] == len(scored.tokens[0]), scored


def check_responses(client, model):
    first = client.responses.create(model=model, input="My name is Ann.", temperature=0, max_output_tokens=12, instructions="Be brief.")
    assert first.status in ("completed", "incomplete") and first.output_text and first.usage.total_tokens > 0, first
    assert client.responses.retrieve(first.id).output_text == first.output_text
    second = client.responses.create(model=model, input="What is my name?", temperature=0, max_output_tokens=12, previous_response_id=first.id)
    assert second.usage.input_tokens > first.usage.input_tokens, "the conversation goes on"
    with client.responses.stream(model=model, input="My name is Ann.", temperature=0, max_output_tokens=12, instructions="Be brief.") as stream:
        events = list(stream)
        last = stream.get_final_response() if first.status == "completed" else events[-1].response
    assert [e.sequence_number for e in events] == list(range(len(events))), events
    assert events[0].type == "response.created" and events[-1].type == f"response.{first.status}", events[-1]
    assert last.output_text == first.output_text, "streamed equals whole"
    client.responses.delete(first.id)
    for gone in (lambda: client.responses.retrieve(first.id), lambda: client.responses.create(model=model, input="x", previous_response_id=first.id)):
        try:
            gone()
            raise AssertionError("found what was deleted")
        except openai.NotFoundError:
            pass


async def check_async(address, model, text):
    client = openai.AsyncOpenAI(base_url=address, api_key="none", max_retries=0)
    replies = await asyncio.gather(*(client.chat.completions.create(model=model, messages=QUESTION, temperature=0, max_tokens=24) for _ in range(4)))
    assert [r.choices[0].message.content for r in replies] == [text] * 4, replies


def check_cut_streams(client, model, text):
    """Streams that are left in the middle disturb nobody."""
    for _ in range(4):
        with client.chat.completions.create(model=model, messages=QUESTION, stream=True) as stream:
            for _ in zip(range(3), stream):
                pass
    replies = []

    def ask():
        reply = client.chat.completions.create(model=model, messages=QUESTION, temperature=0, max_tokens=24)
        replies.append(reply.choices[0].message.content)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == [text] * 8, replies


def main():
    with serving(*sys.argv[1:3]) as address:
        client = openai.OpenAI(base_url=address + "/v1", api_key="none", max_retries=0, timeout=120)
        model = client.models.list().data[0].id
        check_models(client, model)
        text, usage = check_whole(client, model)
        check_stream(client, model, text, usage)
        check_sampling(client, model)
        check_errors(client, model)
        check_cut_streams(client, model, text)
        print(f"openai {openai.__version__}: all as expected")


if __name__ == "__main__":
    main()
