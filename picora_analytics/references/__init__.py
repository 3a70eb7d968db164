"""Is it still used: find image ids in a person's own files, pages and history, and replace them there."""

from picora_analytics.references.found import References, read_references
from picora_analytics.references.repoint import Repointing, repoint
from picora_analytics.references.search import find_references

__all__ = ["References", "Repointing", "find_references", "read_references", "repoint"]
