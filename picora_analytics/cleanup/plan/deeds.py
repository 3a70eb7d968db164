"""What the images of a plan may meet: deletion, hiding, being shown again. A phrase and a journal are for one deed."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DEEDS", "DELETE", "HIDE", "SHOW", "Deed"]


class Deed(NamedTuple):
    """
    A deed and its words.

    Attributes
    ----------
    name : str
        As journals and plans hold it.
    prefix : str
        What its phrases begin with.
    would, done : str
        The outcome of an image in a dry run, and once it is done.
    doing : str
        For progress.
    of : str
        What a run of it is called.
    """

    name: str
    prefix: str
    would: str
    done: str
    doing: str
    of: str


DELETE = Deed("delete", "", "would delete", "deleted", "Deleting", "a deletion")
HIDE = Deed("hide", "hide-", "would hide", "hidden", "Hiding", "a hiding")
SHOW = Deed("show", "show-", "would show again", "shown again", "Showing again", "a showing again")
DEEDS = {deed.name: deed for deed in (DELETE, HIDE, SHOW)}
