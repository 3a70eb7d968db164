"""Carry a plan out: look again, journal, delete, verify, receipt."""
