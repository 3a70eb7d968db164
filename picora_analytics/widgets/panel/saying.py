"""What the list and the bar of a panel say of its session: pure words, and which buttons are there."""

from __future__ import annotations

from typing import Any

from picora_analytics.text import plural
from picora_analytics.units import format_bytes, format_share
from picora_analytics.widgets.panel.choosing import Stage
from picora_analytics.widgets.panel.session import CleanupSession

__all__ = ["bar_of", "pile_title", "view_of"]


def pile_title(name: str) -> str:
    """Write the name of a pile as a title."""
    return name.replace("-", " ").capitalize()


def view_of(session: CleanupSession, view: dict[str, Any], searched: str) -> dict[str, Any]:
    """
    Give what the head of the list says instead of the gallery's own words, and what stands in an empty list.

    Parameters
    ----------
    session : CleanupSession
    view : dict
        As the gallery has it.
    searched : str
        The text that is searched for.
    """
    matching = session.matching
    unknown = f" · of {matching.unknown:,} more the filters cannot tell" if matching.unknown else ""
    # A list that is not empty must not change with the selection: the page would draw it anew.
    empty = None if view["total"] else _empty(session, searched)
    found: dict[str, Any] = {"all": True, "press": None, "empty": empty}
    if session.problems:
        return found | {"count": "No list", "of": "until the filter can be read", "all": False}
    if session.suggested and session.only:
        return found | {
            "of": f"suggested, the least missed first: {_by_pile(session)}",
            "all": False,
            "press": ["undo", "Take all back"],
        }
    if session.months is not None:
        number, n = session.months.place + 1, len(session.months)
        return found | {
            "of": f"{view['of']} · {session.months.name}, month {number} of {n}",
            "press": ["months", "Next month"] if number < n else ["all", "List all"],
        }
    if session.only:
        return found | {"of": "selected when this list was opened", "press": ["all", "Back"]}
    if session.pile is not None:
        found["all"] = session.pile.may_go
        return found | {"of": f"{view['of']}{unknown} · {session.pile.why}"}
    return found | {"of": f"{view['of']}{unknown}"}


def _by_pile(session: CleanupSession) -> str:
    listed = session.selection.matching
    counted = [
        (int((pile.rows & listed).sum()), pile.name) for pile in session.piles if pile.may_go
    ]
    return ", then ".join(f"{n:,} {name}" for n, name in counted if n)


def _empty(session: CleanupSession, searched: str) -> dict[str, Any]:
    """Say why the list is empty, and name what would fill it."""
    n = session.selected.n_images
    stay = f"Your {plural(n, 'image')} stay{'s' if n == 1 else ''} selected." if n else ""
    if session.problems:
        several = len(session.problems) > 1
        return {
            "title": f"{len(session.problems)} filters cannot be read"
            if several
            else "One filter cannot be read",
            "text": stay,
            "press": ["unreadable", "Take them off" if several else "Take that filter off"],
        }
    if searched:
        text = f"Nothing here has “{searched}”."
        return {"title": text, "text": stay, "press": ["search", "Search no more"]}
    if session.months is not None:
        return {"title": f"Nothing is left of {session.months.name}.", "text": stay, "press": None}
    if session.filters or session.pile is not None:
        n_filters = len(session.filters) + (session.pile is not None)
        title = "No image fits." if n_filters == 1 else f"No image fits all {n_filters} filters."
        press = ["last", "Take it off" if n_filters == 1 else "Take the last one off"]
        return {"title": title, "text": stay, "press": press}
    if not len(session.images):
        return {"title": "There are no images in this library.", "text": "", "press": None}
    return {"title": "There are no images here.", "text": stay, "press": ["all", "List all"]}


def bar_of(session: CleanupSession, problem: str) -> dict[str, Any]:
    """Give what the bar says beside the count: what is spared, the shares, the review and what stops it."""
    selected, going, library = session.selected, session.going, session.library
    problem = session.refusal or problem
    spared = selected.n_images - going.n_images
    hidden = session.selection.n_hidden
    more = [f"{spared:,} spared{_why(session, spared)}"] if spared else []
    more += [f"{hidden:,} not in this list"] if hidden else []
    if selected.n_images:
        more.append(
            f"{format_share(going.n_images, library['n_images'])} of images, "
            f"{format_share(going.size_bytes, library['size_bytes'])} of storage"
        )
    return {
        "size": format_bytes(going.size_bytes),
        "more": " · ".join(more),
        "review": f"Review {going.n_images:,}" if going.n_images else "Review",
        "ready": bool(going.n_images)
        and not session.refusal
        and not session.problems
        and session.stage is not Stage.DELETING,
        "refusal": problem,
        "way": ["months", "Month by month"] if session.refusal and not session.months else None,
        "code": "\n".join([session.selection_code(), session.plan_code(session.reason())]),
    }


def _why(session: CleanupSession, n: int) -> str:
    """Say why, where it is one image only."""
    if n != 1:
        return ""
    row = int(session.spared_rows.argmax())
    why = session.would_spare(row)
    return f": {why}" if why else ""
