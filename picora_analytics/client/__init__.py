"""Picora over HTTP: connect, both answer shapes, pacing, retries."""

from picora_analytics.client.client import Client, Credentials, Usage
from picora_analytics.client.connecting import connect
from picora_analytics.client.shapes import ImageRecord, Page

__all__ = ["Client", "Credentials", "ImageRecord", "Page", "Usage", "connect"]
