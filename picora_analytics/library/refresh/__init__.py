"""Bring a snapshot up to date."""
