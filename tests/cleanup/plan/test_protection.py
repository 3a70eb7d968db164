"""A protection is matched, near-matched or named, and never silent; folding protects, and chooses nothing."""

import re
import unicodedata

import pandas as pd
import pytest
from hypothesis import given, strategies as st

from picora_analytics import PlanError, plan_deletion
from picora_analytics.analysis.matching import Images
from picora_analytics.text import folded

IDS = ["aB3dE5fG7hJ", "Ab3dE5fG7hJ", "-kL9mN1pQ3r", "_sT5uV7wX9y", "zA1bC3dE5fG"]


def plan(images, choice=None, **options):
    chosen = images.index if choice is None else choice
    return plan_deletion(images, chosen, **{"reason": "test", "max_fraction": 1, **options})


@pytest.fixture
def images(make_images):
    return make_images(
        id=IDS,
        filename=["roof.png", "Café au lait.png", "IMG_0001.JPG", "a b.png", None],
        url=[f"https://img.picora.com/{one}.webp" for one in IDS],
        tags=[("keep",), ("cat",), (), None, ("to do",)],
        size_bytes=[1] * 5,
    )


INVISIBLE = "\u200b\u200d\u2060\ufeff\u00ad\ufe0f\u034f\u3164\u202e"
BLANKS = " \t\u00a0\u2003\u3000"


@st.composite
def spellings(draw, text):
    """Write a text as other keyboards, programs and people do."""
    form = draw(st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
    spelled = unicodedata.normalize(form, text)
    spelled = draw(st.sampled_from([str, str.upper, str.lower, str.title, str.swapcase]))(spelled)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(spelled)))
        spelled = spelled[:at] + draw(st.sampled_from(INVISIBLE + BLANKS)) + spelled[at:]
    if draw(st.booleans()):
        spelled = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in spelled)
    return spelled


TAGS = ["keep", "café", "straße", "to do", "重要", "Ünïcode"]


@given(data=st.data(), tag=st.sampled_from(TAGS))
@pytest.mark.slow
def test_a_tag_protects_in_every_spelling_and_the_preview_counts_it(make_images, data, tag):
    typed, there = data.draw(spellings(tag)), data.draw(spellings(tag))
    images = make_images(tags=[(there,), ("another", there), ("another",)])

    made = plan(images, protect=typed)

    assert list(made.images.index) == ["c"]
    assert re.search(r"PROTECTED BY\n    the tag .*: 2 images", repr(made))


@given(
    tags=st.lists(st.tuples(st.text(max_size=4)), min_size=3, max_size=3), word=st.text(max_size=4)
)
@pytest.mark.slow
def test_folding_only_adds_to_what_is_protected(make_images, tags, word):
    images = make_images(tags=[(word,), *tags[1:]])

    made = plan(images, protect=[word])

    exact = {one for one, row in images["tags"].items() if word in row}
    near = {one for one, row in images["tags"].items() if folded(word) in map(folded, row)}
    assert set(made.spared.index) == near >= exact


WRAPPED = {
    "an id": "{id}",
    "an id with blanks": "  {id}\t",
    "an id with an apostrophe, as our CSV writes it": "'{id}",
    "an id in quotes": '"{id}"',
    "an id in three quotes": '"""{id}"""',
    "an id and an invisible character": "{id}\u200b",
    "an address": "https://img.picora.com/{id}.webp",
    "an address of another host": "http://media.picora.me/{id}.png",
    "an address without its scheme": "//img.picora.com/{id}.webp",
    "an address with a query": "https://img.picora.com/{id}.webp?w=800&fmt=webp",
    "an entry of a srcset": "https://img.picora.com/{id}.webp?w=800 800w",
    "an address with a fragment": "https://img.picora.com/{id}#top",
    "an address in Markdown": "![roof](https://img.picora.com/{id}.webp)",
    "an address in HTML": '<img src="https://img.picora.com/{id}.webp">',
    "a path": "images/{id}.webp",
    "a path of Windows": "images\\{id}.webp",
    "a file name made of the id": "{id}.jpeg",
    "an encoded address": "https%3A%2F%2Fimg.picora.com%2F{id}.webp",
    "an id within a path": "/i/{id}/w=200",
    "a short code": "[picora id={id}]",
}


@pytest.mark.parametrize("image_id", IDS)
@pytest.mark.parametrize("form", WRAPPED.values(), ids=WRAPPED)
@pytest.mark.parametrize("way", ["protect", "decisions"])
def test_an_entry_gives_its_id_however_it_is_written(images, form, image_id, way):
    entry = form.format(id=image_id)
    options = {
        "protect": {"protect": pd.Index([entry])},
        "decisions": {"decisions": pd.DataFrame({"id": [entry], "decision": ["keep"]})},
    }[way]

    made = plan(images, **options)

    assert image_id not in made.images.index
    assert "1 of 1 entry matches" in repr(made)


@given(data=st.data(), place=st.integers(0, 4))
@pytest.mark.slow
def test_an_id_or_a_file_name_protects_in_every_spelling(make_images, data, place):
    names = ["roof.png", "Café au lait.png", "IMG_0001.JPG", "a b.png", "Straße.png"]
    images = make_images(id=IDS, filename=names, size_bytes=[1] * 5)
    entry = data.draw(spellings(data.draw(st.sampled_from([IDS[place], names[place]]))))

    made = plan(images, protect=pd.Index([entry]))

    assert IDS[place] in made.spared.index
    # Capitals are all that two of the ids differ in: both are protected.
    assert len(made.spared) <= 2


@pytest.mark.parametrize("form", list(WRAPPED.values())[1:], ids=list(WRAPPED)[1:])
def test_nothing_is_chosen_by_a_likeness(images, form):
    with pytest.raises(PlanError, match=r"ids are case-sensitive"):
        plan(images, [form.format(id=IDS[0])])


def test_what_matches_nothing_is_counted_and_named_with_its_nearest(images):
    entries = [IDS[0], IDS[2].lower(), "zA1bC3dE5fX", "https://elsewhere.example/x.gif", "q", "w"]

    made = plan(images, protect=pd.Index(entries))

    (line,) = made.protection
    assert line == (
        "protect: 2 of 6 entries match 2 images; 1 only nearly, such as '-kl9mn1pq3r'; 4 match nothing: "
        "'zA1bC3dE5fX' (nearest 'zA1bC3dE5fG'), 'https://elsewhere.example/x.gif', 'q', ..."
    )
    assert line in repr(made)
    assert "zA1bC3dE5fX" in made._repr_html_()


@pytest.mark.parametrize("entries", [["zA1bC3dE5fX"], ["nothing", "at all"]])
def test_a_list_that_matches_nothing_at_all_is_an_error(images, entries):
    with pytest.raises(PlanError, match=r"match(es)? nothing: .*look where the list comes from\.$"):
        plan(images, protect=pd.Index(entries))


def test_decisions_that_match_nothing_are_named(images):
    decisions = pd.DataFrame(
        {"id": [IDS[0], "zA1bC3dE5fX", IDS[2]], "decision": ["keep", "keep", "delete"]}
    )

    made = plan(images, decisions=decisions)

    assert made.protection == (
        "decisions: 1 of 2 entries matches 1 image; 1 matches nothing: 'zA1bC3dE5fX' (nearest 'zA1bC3dE5fG')",
    )
    assert made.spared.loc[IDS[0], "reason"] == "on your keep list"


def test_text_that_is_no_tag_may_be_an_id_an_address_or_a_file_name(images):
    for text in (IDS[1], "https://img.picora.com/" + IDS[1] + ".webp", "café au lait.PNG"):
        made = plan(images, protect=[text])

        assert IDS[1] in made.spared.index
        assert made.protected_tags == ()
        assert "of this id, address or file name" in made.protection[0]


def test_a_mask_is_counted_as_well(images):
    made = plan(images, protect=["keep", images["filename"] == "a b.png"])

    assert made.protection == (
        "the tag 'keep': 1 image",
        "protect[1]: a rule that holds for 1 image",
    )


def test_no_advice_drops_a_part_of_a_protection(images):
    for protect in (
        images["size_bytes"].head(2) > 0,
        pd.Series(True, ["x", "y"]),
        pd.Index(["nothing"]),
        "kep",
    ):
        with pytest.raises(PlanError) as refused:
            plan(images, protect=protect)

        assert not re.search(r"intersection|reindex|leave .* out", str(refused.value))


@given(entries=st.lists(st.text(max_size=30), max_size=6))
@pytest.mark.slow
def test_any_list_adds_up_to_its_entries(make_images, entries):
    images = make_images(id=IDS, size_bytes=[1] * 5)

    found = Images(images).match(entries)

    assert found.n_exact + len(found.near) + len(found.unmatched) == len(set(entries))
    assert found.ids <= set(IDS)
    assert found.line("a list", Images(images)).startswith("a list: ")


def test_what_is_used_or_was_not_looked_for_is_spared_and_said(make_images, looked):
    images = make_images(id=["a", "b", "c", "d"], size_bytes=[1] * 4)
    complete = looked(found=("a",), unlooked=("b",))
    incomplete = looked(found=("d",), complete=False)

    made = plan(images, protect=complete)
    more = plan(images, protect=[complete, incomplete, pd.Index(["c"])])

    assert made.spared["reason"].to_dict() == {
        "a": "still used: found by the references",
        "b": "could not look everywhere for references",
    }
    assert made.protection == (
        "references: 1 image found in use, and 1 for which not all could be looked at",
    )
    assert list(made.searched) == complete.summary()
    assert len(more.images) == 0
    assert more.protection == (
        *made.protection,
        "references: 1 image found in use, and 3 for which not all could be looked at",
        "protect[2]: 1 of 1 entry matches 1 image",
    )
    assert list(more.searched) == [*complete.summary(), *incomplete.summary()]


def test_references_in_which_all_was_looked_at_say_no_more(make_images, looked):
    made = plan(make_images(size_bytes=[1] * 3), protect=looked(found=("a", "b")))

    assert made.protection == ("references: 2 images found in use",)
    assert list(made.images.index) == ["c"]


def test_references_protect_no_other_account(make_images, looked):
    with pytest.raises(PlanError, match=r"^These references are of account ffffffff"):
        plan(make_images(), protect=looked(account="f" * 16))


def test_other_spellings_of_a_tag_are_named_three_of_them(make_images):
    images = make_images(tags=[("keep",), ("Keep",), ("KEEP", "x"), ("kEEP",), ("keeP",), None])

    made = plan(images, protect="keep")
    other = plan(images, protect="x")

    assert made.protection == ("the tag 'keep': 5 images, 'KEEP', 'Keep', 'kEEP' included",)
    assert other.protection == ("the tag 'x': 1 image",)


def test_texts_that_are_ids_add_up_with_those_of_a_list(images):
    made = plan(images, protect=[IDS[0], pd.Index([IDS[1]]), "img_0001.jpg"])

    assert set(made.images.index) == {IDS[3], IDS[4]}
    assert made.protection == (
        f"'{IDS[0]}': 1 image of this id, address or file name",
        "protect[1]: 1 of 1 entry matches 1 image",
        "'img_0001.jpg': 1 image of this id, address or file name",
    )


def test_a_mistyped_tag_is_answered_with_the_three_nearest(make_images):
    images = make_images(tags=[("keep1",), ("keep2",), ("keep3",), ("keep4",)])

    with pytest.raises(PlanError, match=r"did you mean '[^']+' or '[^']+' or '[^']+'\? Ids"):
        plan(images, protect="keep")
