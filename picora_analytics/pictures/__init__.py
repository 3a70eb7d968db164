"""What only the service or the pictures can tell."""

from picora_analytics.pictures.duplicates import find_duplicates
from picora_analytics.pictures.savings import measure_savings
from picora_analytics.pictures.usage import reconcile_usage

__all__ = ["find_duplicates", "measure_savings", "reconcile_usage"]
