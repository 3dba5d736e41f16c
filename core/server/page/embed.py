#!/usr/bin/env python3
"""Writes the browser page's files into one C++ source.

    embed.py OUTPUT.cpp DEPFILE PAGE_DIR VENDOR_DIR

PAGE_DIR's files get their path in it as name, VENDOR_DIR's "vendor/" before it. In index.html "@BASE@" becomes the address of the
folder that holds everything else: it names a hash of all files, so browsers may keep them for ever. Equal input gives equal output.
"""
import gzip
import hashlib
import pathlib
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}


def collect(page, vendor):
    """{name: path} of what is served; notes and build files of the folders are left out."""
    found = {}
    for root, prefix in ((page, ""), (vendor, "vendor/")):
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.suffix in TYPES:
                found[prefix + path.relative_to(root).as_posix()] = path
    return found


def literal(data):
    """A C++ string literal of any bytes, in lines of a bearable length."""
    out = []
    for start in range(0, len(data), 4096):
        line = []
        for byte in data[start:start + 4096]:
            # Three octal digits always end an escape, so what follows cannot be taken for a part of it. '?' because of trigraphs.
            if 32 <= byte < 127 and byte not in b'"\\?':
                line.append(chr(byte))
            else:
                line.append("\\%03o" % byte)
        out.append('"' + "".join(line) + '"')
    return "\n".join(out) or '""'


def main(output, depfile, page, vendor):
    files = {name: path.read_bytes() for name, path in collect(page, vendor).items()}
    version = hashlib.sha256()
    for name in sorted(files):
        version.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    version = version.hexdigest()[:16]
    files["index.html"] = files["index.html"].replace(b"@BASE@", b"/ui/" + version.encode())

    lines = ['#include "core/server/page/page_files.h"', "", "#include <array>", "",
             "// Made by core/server/page/embed.py.", '#pragma GCC diagnostic ignored "-Woverlength-strings"', "",
             "namespace hearth::api {", "namespace {", "", "using namespace std::string_view_literals;", ""]
    rows = []
    for index, name in enumerate(sorted(files)):
        data = files[name]
        zipped = b"" if name.endswith(".woff2") else gzip.compress(data, 9, mtime=0)
        if len(zipped) > len(data) * 0.9:
            zipped = b""
        lines.append(f"constexpr std::string_view kBytes{index} =\n{literal(data)}sv;")
        lines.append(f"constexpr std::string_view kZipped{index} =\n{literal(zipped)}sv;")
        kind = TYPES[pathlib.PurePosixPath(name).suffix]
        rows.append(f'    PageFile{{"{name}", "{kind}", kBytes{index}, kZipped{index}}},')
    lines += ["", "constexpr std::array kFiles{", *rows, "};", "", "}  // namespace", "",
              "std::span<const PageFile> pageFiles() noexcept { return kFiles; }",
              f'std::string_view pageVersion() noexcept {{ return "{version}"; }}', "", "}  // namespace hearth::api", ""]
    pathlib.Path(output).write_text("\n".join(lines))
    inputs = [str(path).replace(" ", "\\ ") for path in collect(page, vendor).values()]
    # The folders too: a file that is added or removed changes them.
    inputs += [str(d).replace(" ", "\\ ") for root in (page, vendor) for d in [root, *sorted(p for p in root.rglob("*") if p.is_dir())]]
    pathlib.Path(depfile).write_text(f"{output}: " + " ".join(inputs) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4]))
