"""Charts of a library: frame in, matplotlib Axes out."""

from picora_analytics.charts.dimensions import plot_dimensions
from picora_analytics.charts.forecast import plot_forecast
from picora_analytics.charts.formats import plot_bytes_per_pixel, plot_formats, plot_visibility
from picora_analytics.charts.overview import plot_overview
from picora_analytics.charts.savings import plot_changes, plot_savings
from picora_analytics.charts.sizes import plot_concentration, plot_largest, plot_sizes
from picora_analytics.charts.tags import plot_tags
from picora_analytics.charts.treemap import plot_treemap
from picora_analytics.charts.uploads import plot_ages, plot_growth

__all__ = [
    "plot_ages",
    "plot_bytes_per_pixel",
    "plot_changes",
    "plot_concentration",
    "plot_dimensions",
    "plot_forecast",
    "plot_formats",
    "plot_growth",
    "plot_largest",
    "plot_overview",
    "plot_savings",
    "plot_sizes",
    "plot_tags",
    "plot_treemap",
    "plot_visibility",
]
