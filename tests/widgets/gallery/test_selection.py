"""What is chosen is chosen by id, whatever happens to the list: beside a plain set of ids, and by hand."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from picora_analytics import SchemaError
from picora_analytics.widgets.gallery.going import place_of
from picora_analytics.widgets.gallery.orders import ORDERS, in_order, stretches
from picora_analytics.widgets.gallery.searching import having
from picora_analytics.widgets.gallery.selection import Selection

# Ten thousand by --hypothesis-profile=prove.
STEPS = 200 if settings.default.max_examples < 100 else 10_000


class Plainly:
    """The same by plain sets and lists of ids: what a person would say the gestures mean."""

    def __init__(self, sizes):
        self.sizes, self.chosen, self.before = dict(sizes), set(), []
        self.shown, self.word, self.largest = None, "", True

    @property
    def listed(self):
        ids = [one for one in self.sizes if self.shown is None or one in self.shown]
        ids = [one for one in ids if self.word in one]
        return sorted(ids, key=lambda one: -self.sizes[one] if self.largest else self.sizes[one])

    def remember(self):
        self.before.append(set(self.chosen))
        del self.before[:-100]

    def set(self, a, b, on):
        part = self.listed[min(a, b) : max(a, b) + 1]
        if part:
            self.remember()
            self.chosen = self.chosen | set(part) if on else self.chosen - set(part)

    def invert(self):
        if self.listed:
            self.remember()
            self.chosen ^= set(self.listed)

    def none(self):
        self.remember()
        self.chosen = set()

    def undo(self):
        if self.before:
            self.chosen = self.before.pop()

    def keep_only(self, sizes):
        self.sizes = dict(sizes)
        there = set(sizes)
        self.chosen &= there
        self.before = [one & there for one in self.before]
        if self.shown is not None:
            self.shown &= there


def frame(make_images, sizes):
    return make_images(
        id=list(sizes), filename=["f"] * len(sizes), size_bytes=list(sizes.values()) or []
    )


def library(random, n):
    ids = random.permutation([f"{a}{b}" for a in "pqrs" for b in "abcdefgh"])[:n]
    return {str(one): int(size) for one, size in zip(ids, random.integers(0, 5, n), strict=True)}


@pytest.mark.slow
def test_any_history_of_gestures_chooses_what_a_set_of_ids_would(make_images):
    random = np.random.default_rng(5)
    sizes = library(random, 20)
    plain, ours = Plainly(sizes), Selection(frame(make_images, sizes), order="largest first")

    for step in range(STEPS):
        act = random.choice(
            ["set", "toggle", "all", "none", "invert", "undo", "sort", "find", "show", "refresh", "remove"],
            p=[0.2, 0.15, 0.05, 0.03, 0.1, 0.15, 0.1, 0.1, 0.06, 0.03, 0.03],
        )  # fmt: skip
        a, b = (int(one) for one in random.integers(-1, len(plain.listed) + 2, 2))
        if act == "set":
            on = bool(random.integers(2))
            plain.set(max(a, 0), max(b, 0), on) if min(a, b) >= 0 else None
            ours.set(a, b, on) if min(a, b) >= 0 else None
        elif act == "toggle" and 0 <= a < len(plain.listed):
            plain.set(a, a, plain.listed[a] not in plain.chosen)
            ours.toggle(a)
        elif act == "all":
            plain.set(0, len(plain.listed), True)
            ours.all()
        elif act in ("none", "invert", "undo"):
            getattr(plain, act)()
            getattr(ours, act)()
        elif act == "sort":
            plain.largest = not plain.largest
            ours.sort("largest first" if plain.largest else "smallest first")
        elif act == "find":
            plain.word = str(random.choice(["", "p", "a", "qb"]))
            ours.find(having(ours.images, plain.word) if plain.word else None)
        elif act == "show":
            shown = random.random(len(ours.images)) < 0.6
            ids = set(ours.images.index[shown & ours.there])
            plain.shown = ids if random.integers(3) else None
            ours.show(None if plain.shown is None else shown)
        elif act == "refresh":
            sizes = library(random, int(random.integers(5, 25)))
            plain.keep_only(sizes)
            plain.word = ""
            ours.refresh(frame(make_images, sizes))
        elif act == "remove" and len(plain.sizes) > 3:
            gone = list(plain.sizes)[:2]
            plain.keep_only({one: n for one, n in plain.sizes.items() if one not in gone})
            ours.remove(gone)

        assert set(ours.mask.index[ours.mask]) == plain.chosen, (step, act)
        assert ours.images.index[ours.listed].tolist() == plain.listed, (step, act)
        assert ours.n_hidden == len(plain.chosen - set(plain.listed))
        assert ours.tally(ours.chosen) == (
            len(plain.chosen), sum(plain.sizes[one] for one in plain.chosen), 0
        )  # fmt: skip


def test_an_id_that_stands_twice_is_refused(make_images):
    with pytest.raises(SchemaError, match=re.escape("The id 'a' stands twice in this frame")):
        Selection(make_images(id=["a", "a"]))


def test_orders_put_what_is_missing_last_and_keep_equals_as_they_were(make_images):
    images = make_images(
        size_bytes=[5, None, 9, 5],
        filename=["b", "a", None, "B"],
        created_at=["2026-01-02", "2026-01-01", None, "2026-01-02"],
    )

    assert {name: in_order(images, name).tolist() for name in ORDERS} == {
        "largest first": [2, 0, 3, 1],
        "smallest first": [0, 3, 2, 1],
        "newest first": [0, 3, 1, 2],
        "oldest first": [1, 0, 3, 2],
        "name, A to Z": [1, 0, 3, 2],
        "name, Z to A": [0, 3, 1, 2],
    }
    with pytest.raises(ValueError, match="order='best first' is none of largest first, oldest"):
        in_order(images, "best first")


def test_the_rail_follows_the_order(make_images):
    images = make_images(
        size_bytes=[3 * 2**20, 1024, None, 2**21],
        filename=["Zoo.png", "alps.png", "(1).png", "Ärger.png"],
        created_at=["2026-03-31", "2026-03-01", "2025-12-31", None],
    )

    def rail(order):
        return [tuple(one) for one in stretches(images, in_order(images, order), order)]

    assert rail("newest first") == [
        (0, "2026", "Mar 2026"), (2, "2025", "Dec 2025"), (3, "?", "date unknown"),
    ]  # fmt: skip
    assert rail("largest first") == [
        (0, "2 MiB", "from 2.0 MiB"), (2, "1 KiB", "from 1.0 KiB"), (3, "?", "size unknown"),
    ]  # fmt: skip
    assert [one[1] for one in rail("name, A to Z")] == ["#", "A", "Z", "Ä"]
    assert stretches(images, np.array([], dtype=np.int64), "newest first") == []


def test_a_place_is_found_by_what_people_call_it(make_images):
    images = make_images(
        size_bytes=[5 * 2**20, 1024, None, 2**20],
        filename=["Bird", "cat", "ant", None],
        created_at=["2026-03-05", "2026-03-01", "2024-12-31", None],
    )

    def places(order, *texts):
        return [place_of(images, in_order(images, order), order, one) for one in texts]

    assert places("newest first", "2026", "2026-3", "2026-03-04", "2025", "1999") == [0, 0, 1, 2, 3]
    assert places("oldest first", "2026", "2025-01-01", "2024", "2030") == [1, 1, 0, 3]
    assert places("largest first", "5 MiB", "2 MiB", "1 MiB", "0 B") == [0, 1, 1, 3]
    assert places("smallest first", "1 KiB", "2 MiB", "9 GiB") == [0, 2, 3]
    assert places("name, A to Z", "a", "BIRD", "bz", "z") == [0, 1, 2, 3]
    assert places("name, Z to A", "c", "bz", "A") == [0, 1, 2]
    assert places("newest first", "#1", "#3", "#99", "2026-13", "soon", "") == [
        0,
        2,
        3,
        None,
        None,
        None,
    ]
    assert places("largest first", "2026-03", "5 pounds") == [None, None]


def test_a_search_is_for_words_anywhere_and_no_pattern(make_images):
    images = make_images(
        id=["aa", "bb", "cc", "dd"],
        filename=["Cafe\u0301.PNG", "a.b", None, "axb"],
        title=[None, "The Roof", None, None],
        tags=[("Blue Sky",), (), None, ("sky",)],
    )

    def found(text):
        return images.index[having(images, text)].tolist()

    assert found("caf\u00e9.png") == ["aa"]
    assert found("a.b") == ["bb"]
    assert found("SKY") == ["aa", "dd"]
    assert found("roof bb") == ["bb"]
    assert found("sky roof") == []
    assert found("  ") == ["aa", "bb", "cc", "dd"]
    # Arrays, as plain pandas reads tags from Parquet.
    arrays = images.assign(tags=[np.array(["Blue Sky"]), np.array([]), None, np.array(["sky"])])
    assert having(arrays, "blue").tolist() == [True, False, False, False]


def test_a_refresh_keeps_the_choice_by_id_and_chooses_nothing_new(make_images):
    selection = Selection(make_images(id=["a", "b", "c"]), order="newest first")
    selection.choose(np.array([True, False, True]))

    selection.refresh(make_images(id=["d", "c", "b"]))

    assert selection.mask.to_dict() == {"d": False, "c": True, "b": False}
    assert selection.mask.dtype == pd.BooleanDtype()
