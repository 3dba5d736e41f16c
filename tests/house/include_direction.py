#!/usr/bin/env python3
"""Fails when a file includes one of a room above its own, or does what only ui may do.

The order is that of DESIGN: ui → host → {server, chat, library, …} → engine → {models, compute, text} → kernels. Each room
lists what it may include; a room that is not listed is a mistake, so that a new one is placed on purpose.
"""
import pathlib
import re
import sys

BELOW = {
    "kernels": set(),
    "core/base": set(),
    "core/documents": {"core/base"},
    "core/monitor": {"core/base"},
    "core/store": {"core/base"},
    "core/team": {"core/base", "core/store"},
    "core/formats": {"core/base", "kernels"},
    "core/text": {"core/base", "core/formats"},
    "core/compute": {"core/base", "core/formats", "core/text", "kernels"},
    "core/models": {"core/base", "core/formats", "core/text", "core/compute", "kernels"},
    "core/engine": {"core/base", "core/formats", "core/text", "core/compute", "core/models", "kernels"},
    "core/library": {"core/base", "core/formats", "core/text", "core/models", "kernels"},
    "core/chat": {"core/base", "core/formats", "core/text", "core/models", "core/engine", "core/library", "core/store", "core/monitor"},
    "core/server": {"core/base", "core/formats", "core/text", "core/models", "core/engine", "core/library", "core/store", "core/monitor", "core/chat", "core/team"},
    "core/host": {"core/base", "core/formats", "core/text", "core/models", "core/engine", "core/library", "core/store", "core/monitor",
                  "core/chat", "core/server", "core/team", "kernels"},
    "ui/terminal": {"core", "kernels"},
    "ui/desktop": {"core"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
QT = re.compile(r"^(Q[A-Z]\w*|Qt\w+/.*)$")
ONLY_UI = re.compile(r"\b(std::(cout|cerr|clog)|printf\s*\(|fprintf\s*\(\s*std(out|err)|std::abort\s*\(|(?<!\w)::abort\s*\(|std::exit\s*\()")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"", re.DOTALL)


def room_of(path):
    for room in sorted(BELOW, key=len, reverse=True):
        if path == room or path.startswith(room + "/"):
            return room
    return None


def problems(root):
    found = []
    for top in ("kernels", "core", "ui"):
        for file in sorted((root / top).rglob("*")):
            if file.suffix not in {".h", ".cpp", ".inl", ".cu", ".cuh"}:
                continue
            name = file.relative_to(root).as_posix()
            room = room_of(name)
            if room is None:
                found.append(f"{name}: its room is not in the list of {pathlib.Path(__file__).name}")
                continue
            text = file.read_text(encoding="utf-8")
            for target in INCLUDE.findall(text):
                if QT.match(target) and room != "ui/desktop":
                    found.append(f"{name}: includes Qt ({target})")
                other = room_of(target)
                if target.startswith(("core/", "kernels/", "ui/")) and other != room:
                    if not any(other == b or (other or "").startswith(b + "/") for b in BELOW[room]):
                        found.append(f"{name}: {room} may not include {target}")
            if not room.startswith("ui/"):
                code = COMMENT.sub(" ", text)
                for match in ONLY_UI.finditer(code):
                    found.append(f"{name}: prints or aborts below ui ({match.group(0).strip()})")
    return found


def main():
    found = problems(pathlib.Path(sys.argv[1]))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
