#!/usr/bin/env python3
"""Renders chat templates with real Jinja, set up as Hugging Face transformers does, into JSON for tests/text.

    pip install jinja2 gguf
    python make_template_golden.py features > template_features.json
    python make_template_golden.py models DIR > template_models.json    # DIR holds the *.gguf files

"features": small templates of our own, one language feature each. Committed with the result.
"models": the templates inside GGUF files. Only contexts and results are committed; the test reads the template from the file.
"""
import json
import pathlib
import sys
from datetime import datetime

import jinja2
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from template_cases import CONTEXTS, FEATURES, MODEL_CONTEXTS


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_same"), [], [], body).set_lineno(line)

    def _same(self, caller):
        return caller()


def environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda f: datetime.now().strftime(f)
    return env


def render(env, template, context):
    try:
        return {"text": env.from_string(template).render(**context)}
    except Exception as error:  # the kind does not matter: ours must fail too
        return {"error": f"{type(error).__name__}: {error}"}


def main():
    env = environment()
    cases = []
    contexts = CONTEXTS
    if sys.argv[1] == "features":
        for name, template, context in FEATURES:
            cases.append({"name": name, "template": template, "context": context, **render(env, template, CONTEXTS[context])})
    else:
        import gguf

        contexts = {f"{name}.{generate}": {**context, "add_generation_prompt": generate}
                    for name, context in MODEL_CONTEXTS.items() for generate in (True, False)}
        for path in sorted(pathlib.Path(sys.argv[2]).glob("*.gguf")):
            field = gguf.GGUFReader(path).get_field("tokenizer.chat_template")
            if field is None:
                continue
            for name, context in contexts.items():
                cases.append({"name": f"{path.stem}.{name}", "file": path.name, "context": name,
                              **render(env, field.contents(), context)})
    json.dump({"contexts": contexts, "cases": cases}, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")


main()
