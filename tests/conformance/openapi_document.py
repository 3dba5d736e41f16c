#!/usr/bin/env python3
"""The OpenAPI document of the real server is one, as openapi-spec-validator judges.

    openapi_document.py HEARTH_BINARY MODEL.gguf

Exit code 77 = skipped: the package openapi-spec-validator is not there.
"""
import json
import sys
import urllib.request

from serving import serving

try:
    import openapi_spec_validator
except ImportError:
    print("the Python package openapi-spec-validator is not installed")
    sys.exit(77)


def main():
    with serving(*sys.argv[1:3]) as address:
        document = json.load(urllib.request.urlopen(address + "/openapi.json"))
    openapi_spec_validator.validate(document)
    assert len(document["paths"]) > 20, list(document["paths"])
    print(f"{len(document['paths'])} paths: a valid document")


if __name__ == "__main__":
    main()
