"""Charts of a library: frame in, matplotlib Axes out."""

from picora_analytics.charts.dimensions import plot_dimensions
from picora_analytics.charts.formats import plot_formats, plot_visibility
from picora_analytics.charts.overview import plot_overview
from picora_analytics.charts.sizes import plot_concentration, plot_largest, plot_sizes
from picora_analytics.charts.tags import plot_tags
from picora_analytics.charts.uploads import plot_ages, plot_growth

__all__ = [
    "plot_ages",
    "plot_concentration",
    "plot_dimensions",
    "plot_formats",
    "plot_growth",
    "plot_largest",
    "plot_overview",
    "plot_sizes",
    "plot_tags",
    "plot_visibility",
]
