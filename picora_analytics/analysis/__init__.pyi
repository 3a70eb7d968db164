from . import rules as rules
from .changes import summarize_changes as summarize_changes
from .comparison import SnapshotDiff as SnapshotDiff, compare_snapshots as compare_snapshots
from .dimensions import summarize_dimensions as summarize_dimensions
from .forecast import forecast_storage as forecast_storage
from .formats import (
    summarize_formats as summarize_formats,
    summarize_visibility as summarize_visibility,
)
from .heavy import summarize_heavy as summarize_heavy
from .hygiene import summarize_tag_hygiene as summarize_tag_hygiene
from .names import summarize_names as summarize_names
from .repeats import summarize_duplicates as summarize_duplicates
from .savings import summarize_savings as summarize_savings
from .sizes import (
    summarize_concentration as summarize_concentration,
    summarize_largest as summarize_largest,
    summarize_library as summarize_library,
    summarize_sizes as summarize_sizes,
)
from .tags import summarize_tags as summarize_tags
from .uploads import summarize_ages as summarize_ages, summarize_growth as summarize_growth
