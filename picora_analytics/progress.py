"""One progress protocol: a bar in a terminal, one updated output in a notebook, a line now and then elsewhere."""

from __future__ import annotations

import html
import os
import sys
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol, TextIO

from picora_analytics.text import about, visible

__all__ = [
    "Progress",
    "begin",
    "follow",
    "in_notebook",
    "is_interactive",
    "is_set",
    "notice",
    "progress_for",
]

LINE_EVERY = 10.0  # Seconds between lines where there is no terminal.


class Progress(Protocol):
    """
    What a long task reports to; pass your own object as `progress=` to show it elsewhere.

    A method ``begin(step)`` is told where a task has several steps, such as reading hashes.
    """

    def update(self, done: int, total: int | None) -> None:
        """Show how far the task is; `total` is None where nobody knows."""

    def wait(self, reason: str) -> None:
        """Show why nothing happens, and until when."""

    def finish(self, text: str) -> None:
        """End, with the one line that stays."""


def follow(progress: Progress, step: str, ids: Collection[str]) -> None:
    """
    Tell a progress that has a method ``follow`` what became of images: ``backed up``, ``deleted``, ``gone``, ...

    With ``now`` it is told which of them are being downloaded or deleted, instead of those before.
    """
    told = getattr(progress, "follow", None)
    if told is not None and ids:
        told(step, ids)


def begin(progress: Progress, step: str) -> None:
    """Tell a progress that has a method ``begin`` what is done now; its counts begin anew."""
    told = getattr(progress, "begin", None)
    if told is not None:
        told(step)


class Pace:
    """How long the rest will take, by the pace since the first count."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: tuple[float, int] | None = None

    def counted(self, done: int, total: int | None) -> str:
        """Say how far a task is, and how long the rest will take once that can be told."""
        moment = self._clock()
        if self._first is None or done < self._first[1]:
            self._first = (moment, done)
        if total is None or total < done:
            return f"{done:,}"
        seconds, n = moment - self._first[0], done - self._first[1]
        left = f", {about(seconds * (total - done) / n)} left" if n and seconds >= 1 else ""
        return f"{done:,} of {total:,}{left if done < total else ''}"


class Silent:
    """Show nothing."""

    def update(self, done: int, total: int | None) -> None:
        """Ignore."""

    def wait(self, reason: str) -> None:
        """Ignore."""

    def finish(self, text: str) -> None:
        """Ignore."""


class Lines:
    """Write a line each 10 seconds, and the last one always: for logs and cron."""

    def __init__(self, label: str, stream: TextIO, every: float = LINE_EVERY) -> None:
        self._label, self._stream, self._every = label, stream, every
        self._last, self._pace = time.monotonic(), Pace()

    def begin(self, step: str) -> None:
        """Take another label."""
        self._label, self._pace = step, Pace()

    def update(self, done: int, total: int | None) -> None:
        """Write a line if 10 seconds have passed."""
        if time.monotonic() - self._last >= self._every:
            self._write(f"{self._label}: {self._pace.counted(done, total)}")

    def wait(self, reason: str) -> None:
        """Write the reason."""
        self._write(f"{self._label}: {reason}")

    def finish(self, text: str) -> None:
        """Write the last line."""
        self._write(text)

    def _write(self, text: str) -> None:
        self._last = time.monotonic()
        self._stream.write(visible(text) + "\n")
        self._stream.flush()


class Bar:
    """Draw tqdm's bar in a terminal; the last line replaces it."""

    def __init__(self, label: str, stream: TextIO) -> None:
        from tqdm import tqdm

        self._label, self._stream = label, stream
        self._bar = tqdm(
            desc=label,
            file=stream,
            unit=" images",
            leave=False,
            dynamic_ncols=True,
            ascii=not _unicode(stream),
        )

    def begin(self, step: str) -> None:
        """Take another label, and count anew."""
        self._label = step
        self._bar.reset()
        self._bar.set_description_str(step)

    def update(self, done: int, total: int | None) -> None:
        """Move the bar."""
        if total is not None and total >= done:
            self._bar.total = total
        self._bar.set_description_str(self._label, refresh=False)
        self._bar.update(done - self._bar.n)

    def wait(self, reason: str) -> None:
        """Write the reason before the bar: behind it, 80 columns would cut it off."""
        self._bar.set_description_str(visible(reason))

    def finish(self, text: str) -> None:
        """Take the bar away and write the last line."""
        self._bar.close()
        self._stream.write(visible(text) + "\n")
        self._stream.flush()


class NotebookOutput:
    """
    Update one output in place, so that the saved notebook keeps the final state.

    tqdm's notebook bar is a widget: saved, it stands at its first state for ever.
    """

    def __init__(self, label: str) -> None:
        from IPython.display import display

        self._label, self._pace = label, Pace()
        self._last = 0.0
        first = self._bundle(f"{label} …")
        self._handle: Any = display(first, raw=True, display_id=True)  # type: ignore[no-untyped-call]

    def begin(self, step: str) -> None:
        """Show what is done now."""
        self._label, self._pace = step, Pace()
        self._show(f"{step} …")

    def update(self, done: int, total: int | None) -> None:
        """Show the state, at most five times a second."""
        text = f"{self._label}: {self._pace.counted(done, total)}"
        if time.monotonic() - self._last >= 0.2:
            self._show(text, done, total)

    def wait(self, reason: str) -> None:
        """Show the reason."""
        self._show(f"{self._label}: {reason}")

    def finish(self, text: str) -> None:
        """Show the line that stays."""
        self._show(text)

    def _show(self, text: str, done: int = 0, total: int | None = None) -> None:
        self._last = time.monotonic()
        self._handle.update(self._bundle(text, done, total), raw=True)

    @staticmethod
    def _bundle(text: str, done: int = 0, total: int | None = None) -> dict[str, str]:
        meter = f'<progress value="{done}" max="{total}"></progress> ' if total else ""
        return {"text/plain": text, "text/html": f"<span>{meter}{html.escape(text)}</span>"}


def progress_for(
    progress: Progress | bool | None, label: str, stream: TextIO | None = None
) -> Progress:
    """
    Choose where progress goes.

    Parameters
    ----------
    progress : Progress, bool or None
        Your own object; False for silence; None or True to suit the place.
    label : str
        What is going on, such as ``"Loading"``.
    stream : file, optional
        Default: standard error.

    Raises
    ------
    TypeError
        If it is nothing that progress can be reported to.
    """
    if progress is False:
        return Silent()
    if progress is not None and progress is not True:
        lacks = [name for name in ("update", "wait", "finish") if not hasattr(progress, name)]
        if lacks:
            raise TypeError(
                f"progress is of the type {type(progress).__name__}, which has no {' or '.join(lacks)}; give True, "
                "False or an object with the methods of picora_analytics.progress.Progress."
            )
        return progress
    if in_notebook():
        return NotebookOutput(label)
    stream = sys.stderr if stream is None else stream
    return Bar(label, stream) if stream.isatty() else Lines(label, stream)


def in_notebook() -> bool:
    """Tell whether a Jupyter kernel runs this code."""
    return _kernel() is not None


def is_interactive() -> bool:
    """Tell whether someone can type here: at a prompt, in marimo, or in a kernel that takes input."""
    if is_set("CI"):
        return False
    if in_notebook():
        return is_watched()
    marimo = sys.modules.get("marimo")
    return hasattr(sys, "ps1") or (marimo is not None and bool(marimo.running_in_notebook()))


def is_watched() -> bool:
    """Tell whether a page may show this as it runs: nbconvert and papermill run cells without input."""
    return bool(getattr(_kernel(), "_allow_stdin", True))


def is_set(name: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether an environment variable says yes; GitHub, GitLab and most other runners set CI."""
    return environ.get(name, "").strip().lower() not in ("", "0", "false", "no")


def _kernel() -> Any:
    ipython = sys.modules.get("IPython")  # Without it there is no kernel.
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None)


def notice(text: str) -> None:
    """Show a person a line that must not be missed: in a notebook as an output, else on standard error."""
    if in_notebook():
        from IPython.display import display

        display(  # type: ignore[no-untyped-call]
            {
                "text/plain": text,
                "text/html": "<div style='border-left: 4px solid #b45309; padding: .3em .8em'>"
                f"{html.escape(text)}</div>",
            },
            raw=True,
        )
    else:
        sys.stderr.write("\n".join(map(visible, text.split("\n"))) + "\n")


def _unicode(stream: TextIO) -> bool:
    return (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "") == "utf8"
