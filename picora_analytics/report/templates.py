"""The templates of the pages, which escape whatever is put into them."""

from __future__ import annotations

import functools
from pathlib import Path

import jinja2

__all__ = ["template"]


@functools.cache
def template(name: str) -> jinja2.Template:
    """Read a template of this folder."""
    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(name)
