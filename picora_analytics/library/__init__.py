"""The whole library as one DataFrame: columns, loading, snapshots, refresh."""

from picora_analytics.library.frame import COLUMNS, Facts
from picora_analytics.library.load.loading import load_images
from picora_analytics.library.snapshots import SnapshotStore

__all__ = ["COLUMNS", "Facts", "SnapshotStore", "load_images"]
