"""The storage report: facts first, then HTML, Markdown, JSON and text made from them."""

from picora_analytics.report.report import StorageReport

__all__ = ["StorageReport"]
