"""What only the service or the pictures can tell."""

from picora_analytics.pictures.duplicates import find_duplicates

__all__ = ["find_duplicates"]
