"""The scripts of a widget as one module: it brings one, without imports."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["script"]

_COMMENTS = re.compile(r"(?m)^[ ]*(?://.*|/\*\*[^*]*(?:\*(?!/)[^*]*)*\*/)\n")


def script(*files: Path) -> str:
    """Put scripts together, the last of which exports; comments that have lines of their own are not sent."""
    return "\n".join(_COMMENTS.sub("", file.read_text(encoding="utf-8")) for file in files)
