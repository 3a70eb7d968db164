"""Unattended deletions: a policy in a file, and what CI must not do."""
