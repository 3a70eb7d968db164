"""Faults a test can script: what shall go wrong, where, and how often."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

Body = bytes | str | Callable[[Any], Any]


@dataclass(slots=True)
class Fault:
    """One fault; see :meth:`picora_analytics.demo.DemoServer.fail` for the fields."""

    method: str
    path: str
    times: int | None = 1
    skip: int = 0
    status: int | None = None
    body: Body | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: int | None = None
    after: bool = False
    drop: bool = False
    meanwhile: Callable[[], object] | None = None

    @property
    def needs_answer(self) -> bool:
        """Whether the service really does the thing before the fault shows."""
        made_up = self.status is not None or isinstance(self.body, bytes | str)
        return self.after or not (made_up or self.drop)

    def matches(self, method: str, path: str) -> bool:
        """Whether the fault is for this call."""
        return self.method in ("*", method) and fnmatchcase(path, self.path)

    def bend(self, status: int, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Return status and body as the fault wants them; headers are changed in place."""
        if self.status is not None:
            status = self.status
            if self.body is None:
                error = {"success": False, "error": "Scripted fault"}
                body = b"" if status in (204, 304) else json.dumps(error).encode()
                headers["content-type"] = "application/json"
        if callable(self.body):
            body = json.dumps(self.body(json.loads(body)), ensure_ascii=False).encode()
        elif self.body is not None:
            body = self.body.encode() if isinstance(self.body, str) else self.body
        headers.update({name.lower(): value for name, value in self.headers.items()})
        return status, body


class FaultList:
    """The faults still to come. Calls meet them in the order they were scripted."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Script one more fault."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault this call meets, and use it up by one."""
        with self._lock:
            for fault in self._faults:
                if not fault.matches(method, path):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    return None
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                return fault
        return None
