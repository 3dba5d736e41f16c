#!/usr/bin/env python3
"""Makes the man pages from what the programs say about themselves, so that the two cannot differ.

make_man.py hearth PROGRAM OUT          hearth(1): every command and option, from --help of each command
make_man.py hearth-desktop PROGRAM OUT  hearth-desktop(1)

What --help does not say (files, environment, examples) stands in NAME.txt beside this script: paragraphs as man source.
"""
import datetime
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
OPTION = re.compile(r"^  (\S.*?)(?:\s{2,}(\S.*))?$")


def escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga")
    return "\\&" + text if text[:1] in (".", "'") else text


def run(program, *words):
    result = subprocess.run([program, *words], capture_output=True, text=True, timeout=60,
                            env={**os.environ, "COLUMNS": "80", "LC_ALL": "C.UTF-8", "QT_QPA_PLATFORM": "offscreen"})
    if result.returncode != 0:
        sys.exit(f"make_man: {program} {' '.join(words)} ended with {result.returncode}: {result.stderr}")
    return result.stdout


def sections(text):
    """Help as CLI11 and Qt print it: [(heading, [line…])]; what stands before the first heading is under ''."""
    parts = [("", [])]
    for line in text.splitlines():
        if re.match(r"^[A-Z][\w ]*:$", line):
            parts.append((line[:-1], []))
        elif line and not line.startswith(" ") and parts[-1][0]:
            parts.append(("footer", [line]))  # the footer has no heading
        else:
            parts[-1][1].append(line)
    return parts


def entries(lines):
    """Two columns → [(name, what it does)]; a name that is too long has its text on the next line."""
    found = []
    for line in lines:
        if not line.strip():
            continue
        match = OPTION.match(line)
        if match and not line.startswith("   "):
            found.append([match[1], match[2] or ""])
        elif found:
            found[-1][1] = (found[-1][1] + " " + line.strip()).strip()
    return found


def readable(name):
    """"--threads INT:INT in [1 - 512]" → "--threads N (1 to 512)"."""
    name = re.sub(r"ENUM:value in \{([^}]*)\}.*", lambda m: "|".join(p.split("->")[0] for p in m[1].split(",")), name)
    name = re.sub(r"TEXT:\{([^}]*)\}", lambda m: m[1].replace(",", "|"), name)
    name = re.sub(r"(INT|UINT|FLOAT):(?:INT|UINT|FLOAT) in \[([-\d.]+) - ([-\d.]+)\]", r"\1 (\2 to \3)", name)
    name = re.sub(r"(INT|UINT|FLOAT|TEXT):(POSITIVE|NONNEGATIVE)", r"\1", name)
    name = re.sub(r"=(\S+)", r" [\1]", name) if not name.startswith("--data") else name
    return name.replace(" REQUIRED", "").replace("UINT", "NUMBER").replace("INT", "NUMBER").replace("FLOAT", "NUMBER")


def tagged(items):
    out = []
    for name, text in items:
        out += [".TP", ".B " + escaped(readable(name)), escaped(text) if text else "\\ "]
    return out


def first(parts, heading):
    return [line for name, lines in parts if name == heading for line in lines]


def commands(program, words):
    """The command, then the ones below it, depth first: [(words, parts)]."""
    parts = sections(run(program, *words, "--help"))
    found = [(words, parts)]
    for name, _ in entries(first(parts, "Subcommands")):
        found += commands(program, [*words, name])
    return found


def extra(name):
    with open(os.path.join(HERE, name + ".txt"), encoding="utf-8") as file:
        return file.read().rstrip("\n").splitlines()


def heading(name, version, short):
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    date = datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc) if epoch else datetime.datetime.now(datetime.timezone.utc)
    return [f'.TH {name.upper()} 1 "{date:%Y-%m}" "Hearth {version}" "User Commands"', ".SH NAME", f"{name} \\- {escaped(short)}"]


def usage(parts, words):
    for line in first(parts, ""):
        if line.startswith("Usage:"):
            # The first word is the program's path.
            return " ".join(["hearth", *line.split()[2:]])
    sys.exit(f"make_man: no usage line for {' '.join(words)}")


def hearth(program):
    version = run(program, "--version").split()[-1]
    all_commands = commands(program, [])
    top = all_commands[0][1]
    out = heading("hearth", version, "language models on your own machine, shared with your team")
    out += [".SH SYNOPSIS", ".B hearth", escaped("[OPTIONS] COMMAND …").replace("…", "\\&...")]
    out += [".SH OPTIONS"] + tagged(entries(first(top, "Options")))
    out += [".SH COMMANDS"]
    for words, parts in all_commands[1:]:
        what = next((line for line in first(parts, "") if line and not line.startswith("Usage:")), "")
        out += [".SS " + escaped(usage(parts, words)), escaped(what)]
        options = [item for item in entries(first(parts, "Options")) if not item[0].startswith("-h,")]
        named = [item for item in entries(first(parts, "Positionals")) if item[1]]
        out += tagged(named + options)
    exit_text = " ".join(first(top, "footer"))
    codes, _, rest = exit_text.removeprefix("Exit status: ").partition(". ")
    out += [".SH EXIT STATUS"]
    for each in codes.split("; "):
        number, _, meaning = each.strip().partition(" ")
        out += [".TP", ".B " + number, escaped(meaning.rstrip("."))]
    out += [".PP", escaped(rest)]
    return out + extra("hearth")


def desktop(program):
    version = run(program, "--version").split()[-1]
    parts = sections(run(program, "--help"))
    out = heading("hearth-desktop", version, "chat, model library and team server in a window")
    out += [".SH SYNOPSIS", ".B hearth\\-desktop", "[OPTIONS] [FILE OR LINK\\&...]"]
    ours = [item for item in entries(first(parts, "Options")) if item[0] != "--help-all"]
    if len(ours) < 5:
        sys.exit("make_man: the window's options were not understood")
    out += [".SH OPTIONS"] + tagged(ours) + [".SH ARGUMENTS"] + tagged(entries(first(parts, "Arguments")))
    return out + extra("hearth-desktop")


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("hearth", "hearth-desktop"):
        sys.exit(__doc__)
    lines = (hearth if sys.argv[1] == "hearth" else desktop)(sys.argv[2])
    os.makedirs(os.path.dirname(os.path.abspath(sys.argv[3])), exist_ok=True)
    with open(sys.argv[3], "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
