"""A Picora to play with on 127.0.0.1: an invented library behind the documented API."""

from picora_analytics.demo.server import DemoServer

__all__ = ["DemoServer"]
