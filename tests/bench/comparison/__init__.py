"""Hearth beside other engines on one machine: see tests/bench/README.md."""
