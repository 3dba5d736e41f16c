"""Random JSON schemas, answers drawn under their grammars, and the jsonschema package as the judge of each.

  schema_samples.py SAMPLE_SHAPES MODEL.gguf [COUNT] [walk|model] [SEED]

Needs jsonschema; skipped (77) without it. The schemas have what OpenAI's strict
mode and Ollama's `format` use, and more. A schema may be refused only where the generator knows that it asks for something
that is not done.
"""

import json
import random
import re
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("no jsonschema package")
    sys.exit(77)

WORDS = ["name", "age", "city", "tags", "größe", "x y", "id", "value", "children", 'quo"te', "a", "ab", "abc", "items", "kind", "数"]
PATTERNS = ["^[a-z]{2,8}$", "^\\d{3}-\\d{4}$", "b+", "^(red|green|blue)$", "^[A-Z][a-z]*( [A-Z][a-z]*)?$", "^\\S{1,20}$", "[\"\\\\]x", "^[^a-y]{1,30}$"]


def pick(r, *weighted):
    return r.choices([w[0] for w in weighted], [w[1] for w in weighted])[0]


def scalar(r):
    return pick(r, (r.randint(-50, 50), 3), (r.choice(WORDS), 4), (None, 1), (r.random() < 0.5, 1), (round(r.uniform(-9, 9), 2), 2), ([1, "x"], 0.5), ({"k": None}, 0.5))


def string(r):
    s = {"type": "string"}
    kind = r.random()
    if kind < 0.2:
        s["pattern"] = r.choice(PATTERNS)
    elif kind < 0.5:
        low = r.choice([0, 1, 3, 20])
        if r.random() < 0.7:
            s["minLength"] = low
        if r.random() < 0.8:
            s["maxLength"] = low + r.choice([0, 1, 4, 30, 300])
    elif kind < 0.65:
        s["format"] = r.choice(["date", "date-time", "time", "uuid", "email", "ipv4", "ipv6", "color"])
    return s


def number(r):
    s = {"type": r.choice(["integer", "integer", "number"])}
    whole = s["type"] == "integer" or r.random() < 0.5
    value = (lambda: r.choice([r.randint(-9, 9), r.randint(-2000, 2000), 0])) if whole else (lambda: round(r.uniform(-100, 100), r.randint(0, 3)))
    if r.random() < 0.5:
        low = value()
        s[r.choice(["minimum", "exclusiveMinimum"])] = low
        if r.random() < 0.7:
            s[r.choice(["maximum", "exclusiveMaximum"])] = round(low + r.choice([2, 5, 17, 1000]), 3)
    elif r.random() < 0.4:
        s["maximum"] = value()
    if s["type"] == "integer" and r.random() < 0.2:
        for key in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"):
            s.pop(key, None)
        s["multipleOf"] = r.choice([2, 5, 7, 12])
    return s


def obj(r, depth):
    names = r.sample(WORDS, r.randint(0, 6))
    s = {"type": "object", "properties": {n: schema(r, depth - 1) for n in names}}
    if names:
        s["required"] = r.sample(names, r.randint(0, len(names)))
    roll = r.random()
    if roll < 0.5:
        s["additionalProperties"] = False
    elif roll < 0.65:
        s["additionalProperties"] = r.choice([True, {"type": "integer"}, {"type": ["null", "boolean"]}])
        s["maxProperties"] = len(names) + r.randint(0, 3)
    if names and r.random() < 0.15:
        s["minProperties"] = r.randint(0, len(names))
    if r.random() < 0.3:
        s["description"] = "words"
    return s


def array(r, depth):
    s = {"type": "array"}
    if r.random() < 0.2:
        s["prefixItems"] = [schema(r, depth - 1) for _ in range(r.randint(1, 3))]
        s["items"] = r.choice([False, {"type": "integer"}])
        if s["items"] is not False:
            s["maxItems"] = len(s["prefixItems"]) + 2
        return s
    s["items"] = schema(r, depth - 1)
    low = r.choice([0, 0, 1, 3])
    if r.random() < 0.5:
        s["minItems"] = low
    s["maxItems"] = low + r.choice([0, 2, 5]) if low else r.choice([1, 3, 6])
    return s


def schema(r, depth):
    kind = pick(r, ("string", 5), ("number", 5), ("bool", 1), ("null", 1), ("enum", 2), ("const", 1), ("types", 1), ("any", 0.4),
                *([("object", 6), ("array", 4), ("anyOf", 1.5), ("oneOf", 0.7), ("allOf", 0.7), ("ref", 1.2), ("node", 0.8)] if depth > 0 else []))
    if kind == "string":
        return string(r)
    if kind == "number":
        return number(r)
    if kind == "bool":
        return {"type": "boolean"}
    if kind == "null":
        return {"type": "null"}
    if kind == "enum":
        return {"enum": [scalar(r) for _ in range(r.randint(1, 5))]}
    if kind == "const":
        return {"const": scalar(r)}
    if kind == "types":
        return {"type": r.sample(["string", "integer", "null", "boolean", "number"], 2), "maxLength": 9, "minimum": -4}
    if kind == "any":
        return r.choice([{}, True, {"title": "anything"}])
    if kind == "object":
        return obj(r, depth)
    if kind == "array":
        return array(r, depth)
    if kind == "anyOf":
        return {"anyOf": [schema(r, depth - 1) for _ in range(r.randint(1, 3))]}
    if kind == "oneOf":
        tags = r.sample(WORDS, r.randint(1, 3))
        return {"oneOf": [{"type": "object", "properties": {"tag": {"const": t}, "value": schema(r, depth - 1)}, "required": ["tag"]} for t in tags]}
    if kind == "allOf":
        return {"allOf": [{"type": "object", "properties": {"p": {"type": "integer", "minimum": 3}}, "required": ["p"]},
                          {"properties": {"p": {"maximum": 90}, "q": {"type": "boolean"}}}]}
    if kind == "ref":
        return {"$ref": "#/$defs/" + r.choice(["leaf", "pair"])}
    return {"$ref": "#/$defs/node"}


def whole(r):
    s = schema(r, 3)
    if s is True or "$ref" in s:
        s = {"type": "object", "properties": {"root": s}, "required": ["root"], "additionalProperties": False}
    s["$defs"] = {
        "leaf": {"type": "string", "maxLength": 12},
        "pair": {"type": "array", "items": {"$ref": "#/$defs/leaf"}, "minItems": 2, "maxItems": 2},
        "node": {"type": "object", "properties": {"v": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}, "list": {"type": "array", "items": {"$ref": "#/$defs/node"}, "maxItems": 2}},
                 "required": ["v", "next"], "additionalProperties": False}}
    return s


def main():
    tool, model = sys.argv[1:3]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    mode = sys.argv[4] if len(sys.argv) > 4 else "walk"
    r = random.Random(int(sys.argv[5]) if len(sys.argv) > 5 else 2026)
    schemas = [whole(r) for _ in range(count)]
    ran = subprocess.run([tool, mode, model, "600"], input="".join(json.dumps(s) + "\n" for s in schemas), capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in ran.stdout.split("\n") if line]  # not splitlines(): text may hold U+2028
    assert len(answers) == count, (len(answers), ran.stderr[-500:])
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    good = unfinished = refused = 0
    bad = []
    for s, answer in zip(schemas, answers):
        if "error" in answer:
            refused += 1
            # What the generator makes by chance and cannot be: no value at all.
            if not re.search("no text can have this shape", answer["error"]):
                bad.append((s, answer))
            continue
        if not answer["finished"]:
            unfinished += 1
            continue
        try:
            value = json.loads(answer["text"])
            jsonschema.Draft202012Validator(s, format_checker=checker).validate(value)
            good += 1
        except (ValueError, jsonschema.ValidationError) as problem:
            bad.append((s, answer, str(problem)[:300]))
    for case in bad[:10]:
        print("BAD", json.dumps(case, ensure_ascii=False)[:2000])
    print(f"{count} schemas: {good} valid, {len(bad)} bad, {unfinished} cut off by the length, {refused} refused")
    if bad or good < count * (0.8 if mode == "walk" else 0.5):
        return 1
    return 0


sys.exit(main())
