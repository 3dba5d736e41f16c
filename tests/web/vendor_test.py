#!/usr/bin/env python3
"""The libraries in resources/web/vendor are the ones that its manifest names, all of them, unchanged, each with its licence."""
import hashlib
import json
import pathlib
import sys

web = pathlib.Path(__file__).resolve().parents[2] / "resources" / "web"
vendor = web / "vendor"
wanted = {}
for line in (vendor / "manifest.sha256").read_text().splitlines():
    digest, name = line.split(maxsplit=1)
    wanted[name.removeprefix("./")] = digest
found = {p.relative_to(vendor).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
         for p in vendor.rglob("*") if p.is_file() and p.name != "manifest.sha256"}
problems = [f"{name}: {'not in the manifest' if name not in wanted else 'missing' if name not in found else 'changed'}"
            for name in sorted(wanted.keys() | found.keys()) if wanted.get(name) != found.get(name)]
pinned = json.loads((web / "package.json").read_text())["dependencies"]
locked = json.loads((web / "package-lock.json").read_text())["packages"]
for package, version in pinned.items():
    if not version[0].isdigit():
        problems.append(f"{package}: {version} is not one version")
    if locked.get(f"node_modules/{package}", {}).get("version") != version or "integrity" not in locked[f"node_modules/{package}"]:
        problems.append(f"{package}: package-lock.json does not pin {version}")
    name = {"@highlightjs/cdn-assets": "highlight.js"}.get(package, package)
    if not (vendor / "licenses" / f"{name}.txt").is_file():
        problems.append(f"{package}: no licence")
for problem in problems:
    print(problem)
sys.exit(1 if problems or not wanted else 0)
