"""Deletions with nobody watching: a policy in a file, and what CI must not do."""
