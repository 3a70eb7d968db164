"""Simulations and long counts: run by `make prove`, and in small by tests/library; nothing here is a test itself."""

collect_ignore_glob = ["*.py"]
