"""Unattended runs: in CI, nothing vanishes without a warning, and no job confirms its own plan."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.errors import ConfirmationError, PlanError
from picora_analytics.files import read_text, reason_of
from picora_analytics.progress import is_set
from picora_analytics.text import plural

__all__ = [
    "read_phrase",
    "refuse_inside_workspace",
    "refuse_same_job",
    "refuse_unmounted",
    "vanishing",
    "workspace_of",
]

# Where the known runners check a repository out.
_WORKSPACES = (
    "GITHUB_WORKSPACE",
    "CI_PROJECT_DIR",
    "WORKSPACE",
    "BITBUCKET_CLONE_DIR",
    "BUILDKITE_BUILD_CHECKOUT_PATH",
)

# Where Linux and macOS mount disks; a folder made there while the disk is away lies on the system's own.
_MOUNTS = ("/mnt", "/media", "/run/media", "/Volumes")


def read_phrase(path: Path) -> str:
    """
    Read the phrase that was approved: the one line of a text file, `#` comments aside.

    Raises
    ------
    ConfirmationError
        If the file cannot be read or does not have exactly one line.
    """
    try:
        text = read_text(path)
    except (OSError, ValueError) as error:
        raise ConfirmationError(
            f"The phrase cannot be read from {str(path)!r}: {reason_of(error)}."
        ) from None
    lines = [line.strip() for line in text.splitlines() if not line.lstrip().startswith("#")]
    phrases = [line for line in lines if line]
    if len(phrases) != 1:
        raise ConfirmationError(
            f"{str(path)!r} holds {plural(len(phrases), 'line')} that could be a phrase; write the phrase of the "
            "preview into it, alone."
        )
    return phrases[0]


def refuse_same_job(
    plan: Plan, min_age: dt.timedelta, environ: Mapping[str, str], now: dt.datetime
) -> None:
    """
    Refuse, in CI, a plan too young to have been reviewed.

    Raises
    ------
    ConfirmationError
        If the plan is younger than `min_age`.
    """
    age = now - plan.made_at
    minutes = plural(round(max(age.total_seconds(), 0) / 60), "minute")
    if is_set("CI", environ) and age < min_age:
        raise ConfirmationError(
            f"Plan {plan.confirmation!r} was made {minutes} ago, and this is CI: "
            "a job that makes a plan and confirms it by itself asks nobody. Nothing was deleted. There are two "
            "recipes: plan in one job, let people review it and commit its phrase, and apply it in a later job with "
            "--confirm-file; or write a policy and use --standing-order. For a longer or shorter wait, give --min-age."
        )


def workspace_of(path: Path, environ: Mapping[str, str]) -> Path | None:
    """Give the checkout or the runner's workspace that a path lies in, if any."""
    whole = path.absolute().resolve()
    roots = [Path(environ[name]).resolve() for name in _WORKSPACES if environ.get(name)]
    roots += [folder for folder in (whole, *whole.parents) if (folder / ".git").exists()]
    return next((root for root in roots if whole.is_relative_to(root)), None)


def vanishing(places: Mapping[str, Path], environ: Mapping[str, str]) -> str:
    """
    Say, in CI, what would vanish with the runner; empty if nothing would, and outside CI.

    Parameters
    ----------
    places : mapping of name to path
        Such as ``"the journal"``.
    environ : mapping
    """
    if not is_set("CI", environ):
        return ""
    passing = [Path(tempfile.gettempdir()).resolve(), Path.cwd(), Path.home()]
    lost = [
        f"{name} ({path})"
        for name, path in places.items()
        if workspace_of(path, environ)
        or any(path.absolute().resolve().is_relative_to(root) for root in passing)
    ]
    if not lost:
        return ""
    return (
        f"CI: {' and '.join(lost)} would vanish with this runner. Keep them in a step that runs even after a failure, "
        "or name a folder that outlives the job."
    )


def refuse_inside_workspace(folder: Path, environ: Mapping[str, str]) -> None:
    """
    Refuse a backup folder inside a checkout.

    Raises
    ------
    PlanError
        If it lies in one.
    """
    root = workspace_of(folder, environ)
    if root is not None:
        raise PlanError(
            f"The backup folder {str(folder)!r} lies in the checkout {str(root)!r}, which is thrown away or "
            "committed by accident; name one outside it, such as a mounted disk."
        )


def refuse_unmounted(folder: Path, mounts: Sequence[str] = _MOUNTS) -> None:
    """
    Refuse a backup folder that could only be made because its disk is not mounted.

    A folder that exists is taken; of one that does not, the parent must exist, and where disks are mounted there
    must be one.

    Parameters
    ----------
    folder : Path
    mounts : sequence of str
        Folders under which disks are mounted.

    Raises
    ------
    PlanError
        If it would be made on another disk than was meant.
    """
    whole = folder.expanduser().absolute()
    if whole.is_dir():
        return
    roots = [root for root in map(Path, mounts) if whole.is_relative_to(root)]
    between = [
        parent
        for parent in whole.parents
        if any(parent != root and parent.is_relative_to(root) for root in roots)
    ]
    if whole.parent.is_dir() and (not roots or any(map(os.path.ismount, between))):
        return
    raise PlanError(
        f"The backup folder {str(folder)!r} is not there, and an unattended run makes none: the disk may not be "
        "mounted. Mount it, or make the folder once by hand. Nothing was deleted."
    )
