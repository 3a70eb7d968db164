"""Views for a notebook: the same functions, with the mouse."""

from picora_analytics.widgets.gallery.gallery import ImageGallery
from picora_analytics.widgets.panel.panel import CleanupPanel

__all__ = ["CleanupPanel", "ImageGallery"]
