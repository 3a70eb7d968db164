"""Count the steps a program takes on disk and on the wire, and do something at one of them."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

# Calls into C that leave a mark outside the process, or wait for one.
ON_DISK = {"fsync", "truncate", "replace", "rename", "link"}
ON_THE_WIRE = {"send", "sendall", "recv", "recv_into"}


def _kind(what: Any) -> str:
    """Say whether a C function works on the disk or on the wire; text has a replace as well."""
    name, owner = getattr(what, "__name__", ""), getattr(what, "__self__", None)
    if getattr(what, "__module__", None) == os.name or getattr(owner, "__name__", "") == "posix":
        return "disk" if name in ON_DISK else ""
    if isinstance(owner, io.RawIOBase | io.BufferedIOBase):
        return "disk" if name == "write" else ""
    return "wire" if name in ON_THE_WIRE and isinstance(owner, socket.socket) else ""


@contextlib.contextmanager
def at_step(
    number: int, act: Callable[[], None], *, requests: CodeType | None = None
) -> Iterator[list[str]]:
    """
    Call `act` right before a step; the first one counted is the first on disk.

    Parameters
    ----------
    number : int
        0 is the first step; a large one is never reached, and counts them all.
    act : callable
        Ends the process, or raises.
    requests : code, optional
        A Python function that stands for the wire: its call and its return are steps.

    Yields
    ------
    list of str
        The steps so far.
    """
    steps: list[str] = []

    def watch(frame: FrameType, event: str, what: Any) -> None:
        if event == "c_call":
            kind = _kind(what)
            found = kind == "disk" or (bool(steps) and kind == "wire")
            name = what.__name__ if found else ""
        else:
            name = "request" if event == "call" else "answer"
            found = bool(steps) and requests is not None and frame.f_code is requests
        if not found:
            return
        steps.append(name)
        if len(steps) == number + 1:
            sys.setprofile(None)
            act()

    sys.setprofile(watch)
    try:
        yield steps
    finally:
        sys.setprofile(None)
