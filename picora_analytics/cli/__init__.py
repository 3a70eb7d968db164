"""The command: parse, call the public names, print."""
