"""The gallery without a browser: what a page may say to it, and what it answers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

import picora_analytics as pic
from picora_analytics import ImageGallery, SchemaError
from picora_analytics.widgets.gallery import messages
from picora_analytics.widgets.gallery.cells import Badge, Evidence
from picora_analytics.widgets.gallery.gallery import ImageGallery as Module
from picora_analytics.widgets.gallery.session import GallerySession

# Ten thousand by --hypothesis-profile=prove.
STEPS = 200 if settings.default.max_examples < 100 else 10_000
ACTS = (
    *("set", "clear", "toggle", "all", "none", "invert", "undo"),
    *("sort", "find", "refresh", "remove", "show", "stale"),
)


class Talk:
    """What a page does: it speaks in messages, and knows only what it was told."""

    def __init__(self, gallery):
        self.gallery, self.answers = gallery, []
        gallery.send = lambda content, buffers=None: self.answers.append((content, buffers))

    def say(self, kind, **rest):
        self.answers.clear()
        content = {"proto": 1, "id": 7, "type": kind, **rest}
        self.gallery._handle_custom_msg(content, [])
        return self.answers[-1] if self.answers else None

    def of_list(self, kind, **rest):
        return self.say(kind, rev=self.gallery.view["rev"], **rest)

    def ids(self):
        """The ids that the page sees, by the names it is told; here a name is its id."""
        total = self.gallery.view["total"]
        return self.of_list("rows", a=0, b=total)[0]["name"] if total else []

    def chosen(self):
        total = self.gallery.view["total"]
        bits = self.of_list("marks", a=0, b=total)[1][0] if total else b""
        return np.unpackbits(np.frombuffer(bits, np.uint8), count=total).astype(bool).tolist()


def library(make_images, random, n):
    ids = [str(one) for one in random.permutation([f"{a}{b}" for a in "pqrs" for b in "abcd"])[:n]]
    return make_images(id=ids, filename=ids, size_bytes=[int(random.integers(9)) for _ in ids])


@pytest.mark.slow
def test_any_history_of_messages_chooses_what_a_set_of_ids_would(make_images):
    random = np.random.default_rng(11)
    gallery = ImageGallery(library(make_images, random, 12))
    talk, chosen, before = Talk(gallery), set(), []

    for step in range(STEPS):
        ids = talk.ids()
        act = random.choice(ACTS)
        a, b = (int(one) for one in random.integers(0, len(ids) + 1, 2))
        part = set(ids[min(a, b) : max(a, b) + 1])
        if act in ("set", "clear", "toggle", "all", "none", "invert"):
            part = {"toggle": set(ids[a : a + 1]), "all": set(ids), "invert": set(ids)}.get(
                act, part
            )
            if part or act == "none":
                before.append(set(chosen))
            talk.of_list("sel", op=act, a=a, b=b)
            if act in ("set", "all"):
                chosen |= part
            elif act == "clear":
                chosen -= part
            else:
                chosen = chosen ^ part if act != "none" else set()
        elif act == "undo":
            chosen = before.pop() if before else chosen
            talk.of_list("sel", op="undo")
        elif act == "sort":
            talk.say("sort", order=str(random.choice(gallery.view["orders"])))
        elif act == "find":
            talk.say("find", text=str(random.choice(["", "p", "a", "zz"])))
        elif act == "show":
            gallery.show(None if random.integers(2) else [one for one in ids if one < "r"])
        elif act in ("refresh", "remove"):
            if act == "refresh":
                images = library(make_images, random, int(random.integers(4, 14)))
                gallery.refresh(images)
                there = set(images.index)
            else:
                gone = ids[:1] if len(gallery.mask) > 3 else []
                gallery.remove(gone)
                there = set(gallery.mask.index) - set(gone)
            chosen &= there
            before = [one & there for one in before]
        else:
            answer, _ = talk.say("sel", rev=gallery.view["rev"] - 1, op="all")
            assert answer["type"] == "stale"

        assert set(gallery.selected) == chosen, (step, act)
        assert gallery.n_selected == gallery.choice["n"] == len(chosen)
        shown = dict(zip(talk.ids(), talk.chosen(), strict=True))
        assert {one for one, on in shown.items() if on} == chosen & set(shown)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param("select all", "does not understand", id="no object"),
        pytest.param({"type": "rows", "rev": 1, "a": 0, "b": 5}, "proto", id="no protocol"),
        pytest.param({"proto": 2, "type": "hello"}, "proto", id="another protocol"),
        pytest.param({"proto": 1, "type": "delete"}, "delete", id="another deed"),
        pytest.param({"proto": 1, "type": "rows", "rev": 1, "a": -1, "b": 5}, ">= 0", id="before the list"),
        pytest.param({"proto": 1, "type": "rows", "rev": 1, "a": 0, "b": 10**6}, "240 rows", id="too many rows"),
        pytest.param({"proto": 1, "type": "thumbs", "rev": 1, "places": [0] * 999}, "length <= 240", id="pictures"),
        pytest.param({"proto": 1, "type": "sel", "rev": 1, "op": "drop"}, "drop", id="another operation"),
        pytest.param({"proto": 1, "type": "sort", "order": "best first"}, "no order 'best first'", id="another order"),
    ],
)  # fmt: skip
def test_a_page_is_not_trusted(make_images, content, text):
    gallery = ImageGallery(make_images())
    talk = Talk(gallery)

    gallery._handle_custom_msg(content, [])

    (answer, _), = talk.answers  # fmt: skip
    assert answer["type"] == "error"
    assert text in answer["text"]
    assert gallery.n_selected == 0


def test_places_beyond_the_list_do_nothing(make_images):
    gallery = ImageGallery(make_images())
    talk = Talk(gallery)
    n = len(gallery.mask)

    assert talk.of_list("rows", a=n, b=n + 5)[0]["name"] == []
    assert talk.of_list("open", place=n) is None
    talk.of_list("sel", op="set", a=n + 3, b=n + 9)
    assert gallery.n_selected == 0
    talk.of_list("sel", op="set", a=n - 1, b=2**31)
    assert gallery.n_selected == 1


def test_selecting_from_python_takes_masks_and_ids(make_images):
    gallery = ImageGallery(make_images(id=["a", "b", "c"]))
    seen = []
    gallery.observe(lambda change: seen.append(change["new"]), "changes")

    gallery.select(pd.Series([True, None, False], ["c", "a", "b"], dtype="boolean"))
    assert list(gallery.selected) == ["c"]
    gallery.select(pd.Index(["b", "a"]))
    assert gallery.mask.to_dict() == {"a": True, "b": True, "c": False}
    with pytest.raises(KeyError, match="'x' is not among the 3 images"):
        gallery.select(["x"])
    with pytest.raises(TypeError, match="mask is a Series of int64; give a boolean Series"):
        gallery.select(pd.Series([1, 0, 1], ["a", "b", "c"]))
    assert len(seen) == 2


def test_what_the_list_hides_stays_chosen_and_is_said(make_images):
    gallery = ImageGallery(make_images(id=["a", "b", "c"], filename=["ant", "bee", "cat"]))
    talk = Talk(gallery)
    talk.of_list("sel", op="all")

    talk.say("find", text="bee")

    assert gallery.view["total"] == 1
    assert gallery.choice["more"] == "2 not in this list"
    talk.of_list("sel", op="invert")
    assert sorted(gallery.selected) == ["a", "c"]


def test_badges_say_one_thing_and_the_most_important(make_images, looked):
    images = make_images(
        id=list("abcdefg"),
        filename=["one.png", *["x"] * 6],
        content_hash=[None, "f0", "f0", None, None, None, None],
        created_at=["2026-01-01"] * 7,
    )
    decisions = pd.DataFrame(
        {
            "id": ["a", "e", "f"],
            "decision": ["keep", "hidden", "delete"],
            "decided_at": ["", "2026-09-01T00:00:00Z", ""],
            "until": ["", "2030-01-01", ""],
        }
    )
    evidence = Evidence(
        images, looked(found=("a", "d")), decisions, notes={"g": Badge("warn", "!")}
    )

    texts = [evidence.badge(row).text for row in range(7)]

    assert texts[:4] == ["kept", "not found", "duplicate of x", "1 page"]
    assert texts[4].startswith("hidden ") and texts[4].endswith(" days")
    assert texts[5:] == ["decided: delete", "!"]
    assert [evidence.spared(row) for row in range(4)] == ["on your keep list", "", "", "in 1 page"]
    assert evidence.spared_rows.tolist() == [True, False, False, True, True, False, False]
    assert Evidence(images).places(0) == ("nobody looked in your pages", [])


def test_names_reach_the_page_visible_and_short(make_images):
    images = make_images(filename=["photo\u202egnp.exe", "x" * 300], title=["a\x1b[31m", None])

    block = ImageGallery(images).first

    assert block["name"][0] == "photo\N{REPLACEMENT CHARACTER}gnp.exe"
    assert len(block["name"][1]) == 44 and len(block["whole"][1]) == 120


def test_what_travels_by_itself_is_small(make_images):
    import msgspec

    n = 2000
    images = make_images(id=[f"{one:011d}" for one in range(n)], filename=["x" * 400] * n)
    gallery = ImageGallery(images)
    state = {name: getattr(gallery, name) for name in ("facts", "view", "first", "choice")}

    assert len(msgspec.json.encode(state)) < 32_000
    assert len(msgspec.json.encode(gallery.choice)) < 500
    assert len(gallery._esm) + len(str(gallery._css)) < 90_000


def test_scripts_make_no_markup_of_text_and_fetch_nothing():
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "import ",
        "fetch(",
    ):
        assert word not in ImageGallery._esm
    for word in ("http:", "https:", "url(", "@import", "!important;\n"):
        assert word not in str(ImageGallery._css)


def test_a_frame_must_be_of_images(make_images):
    with pytest.raises(TypeError, match="ImageGallery takes a pandas DataFrame"):
        ImageGallery([1, 2])
    with pytest.raises(SchemaError, match="size_bytes"):
        ImageGallery(make_images().drop(columns="size_bytes"))
    with pytest.raises(TypeError, match="client is a str; give the Client"):
        ImageGallery(make_images(), "sk_live")
    assert len(ImageGallery(make_images().reset_index()).mask) == len(make_images())
    # As a spreadsheet or a file of text gives it back.
    plain = make_images(size_bytes=[5, None], created_at=["2026-01-02", "2026-01-01"]).astype(
        object
    )
    plain["created_at"] = ["2026-01-02T00:00:00", "2026-01-01T00:00:00"]
    assert ImageGallery(plain).first["date"] == ["2 Jan 2026", "1 Jan 2026"]
    assert ImageGallery(plain).first["size"] == ["5 B", "size unknown"]
    assert ImageGallery is Module


def test_an_empty_library_opens(make_images):
    gallery = ImageGallery(make_images(id=["a"]).iloc[:0])

    assert gallery.view["total"] == 0 and gallery.view["rail"] == []
    assert Talk(gallery).of_list("sel", op="all") is None


def test_a_plan_opens_as_a_review_with_everything_chosen(make_images):
    images = make_images(
        id=["a", "b", "c", "d", "e", "f", "g", "h"],
        filename=["x", "header.png", *"cdefgh"],
        size_bytes=[900, 5, 1, 1, 800, 700, 600, 500],
    )
    plan = pic.plan_deletion(images, ["a", "b"], reason="try")

    gallery = ImageGallery(plan)

    assert gallery.mode == "review" and gallery.n_selected == 2
    assert gallery.first["name"] == ["header.png", "x"]
    assert gallery.first["badge"] == ["named header", ""]
    assert gallery.facts["title"].startswith("Delete 2 images, 905 B")
    assert gallery.facts["more"][0] == "1 image to look at twice"
    Talk(gallery).of_list("sel", op="toggle", a=0)
    assert plan.without(gallery.mask.index[~gallery.mask]).images.index.tolist() == ["a"]


def test_duplicates_open_as_a_comparison(make_images, looked):
    images = make_images(
        id=list("abcde"),
        filename=["one", "two", "three", "four", "five"],
        content_hash=["f0", "f0", None, None, "aa"],
        size_bytes=[10, 10, 30, 30, 40],
        is_public=[True, False, True, True, True],
        created_at=["2026-01-01", "2026-01-02", "2026-01-01", "2026-01-01", "2026-01-01"],
    )
    references = looked(found=("a",))
    found = pic.find_duplicates(images, references=references, progress=False)

    gallery = ImageGallery(found, references=references)

    # What is only likely is looked at, and never chosen for anybody.
    assert gallery.mode == "compare" and list(gallery.selected) == ["b"]
    assert gallery.view["groups"] == 2 and gallery.view["order"] == "group by group"
    group, _ = Talk(gallery).of_list("group", n=0)
    assert group["certain"] and [one["name"] for one in group["members"]] == ["one", "two"]
    assert [one["chosen"] for one in group["members"]] == [False, True]
    differs = {name for name, _, differs in group["members"][0]["facts"] if differs}
    assert differs == {"Uploaded", "Seen by", "In your pages"}
    with pytest.raises(SchemaError, match="make them again"):
        ImageGallery(pd.DataFrame(found.to_dict("list")))


def test_a_session_with_groups_tells_places_of_the_list(make_images):
    images = make_images(id=["a", "b"], filename=["one", "two"], content_hash=["f0", "f0"])
    gallery = ImageGallery(pic.find_duplicates(images, progress=False))
    talk = Talk(gallery)

    talk.say("find", text="two")

    group, _ = talk.of_list("group", n=0)
    assert [one["place"] for one in group["members"]] == [-1, 0]
    assert talk.of_list("group", n=9) is None


def test_a_session_needs_no_widget(make_images):
    images = make_images()
    session = GallerySession(images, Evidence(images))

    answer = session.answer(messages.read({"proto": 1, "type": "sel", "rev": 1, "op": "all"}))

    assert answer.chosen and session.selection.chosen.all()
    assert session.said().startswith(f"{len(images)} image")
