"""Questions to a library: frame in, frame out; no I/O and no clock."""

from picora_analytics.analysis import rules
from picora_analytics.analysis.comparison import SnapshotDiff, compare_snapshots
from picora_analytics.analysis.kinds import (
    summarize_dimensions,
    summarize_formats,
    summarize_tags,
    summarize_visibility,
)
from picora_analytics.analysis.sizes import (
    summarize_concentration,
    summarize_largest,
    summarize_library,
    summarize_sizes,
)
from picora_analytics.analysis.uploads import summarize_ages, summarize_growth

__all__ = [
    "SnapshotDiff",
    "compare_snapshots",
    "rules",
    "summarize_ages",
    "summarize_concentration",
    "summarize_dimensions",
    "summarize_formats",
    "summarize_growth",
    "summarize_largest",
    "summarize_library",
    "summarize_sizes",
    "summarize_tags",
    "summarize_visibility",
]
