"""Is it still used: find and replace image ids in a person's own files."""

from picora_analytics.references.repoint import Repointing, repoint

__all__ = ["Repointing", "repoint"]
