"""What a person may choose and protect, and the line that each mistake is answered with."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from picora_analytics import PlanError, plan_deletion, rules

AGAIN = {"max_fraction": 1, "reason": "test"}


@pytest.fixture
def images(make_images):
    return make_images(
        size_bytes=[10, 20, 30, 40],
        tags=[("cat", "keep"), ("dog",), (), None],
        is_public=[True, False, None, True],
    )


def plan(images, choice, **options):
    return plan_deletion(images, choice, **{**AGAIN, **options})


def ids(made):
    return list(made.images.index)


# What works


@pytest.mark.parametrize(
    "choose",
    [
        pytest.param(lambda images: images["size_bytes"] > 25, id="a mask"),
        pytest.param(
            lambda images: (images["size_bytes"] > 25)[::-1], id="a mask in another order"
        ),
        pytest.param(
            lambda images: (images["size_bytes"] > 25).astype(bool), id="a mask of numpy's bool"
        ),
        pytest.param(
            lambda images: (images["size_bytes"] > 25).astype("bool[pyarrow]"), id="of Arrow's bool"
        ),
        pytest.param(lambda images: ["c", "d"], id="a list"),
        pytest.param(lambda images: ("d", "c"), id="a tuple"),
        pytest.param(lambda images: {"d", "c"}, id="a set"),
        pytest.param(lambda images: np.array(["c", "d"]), id="an array of ids"),
        pytest.param(lambda images: pd.Index(["c", "d"]), id="an Index"),
        pytest.param(
            lambda images: images.query("size_bytes > 25").index, id="the rows of a query"
        ),
        pytest.param(lambda images: {"large": images["size_bytes"] > 25}, id="a mapping"),
        pytest.param(
            lambda images: {"one": ["c"], "two": ["d"], "three": []}, id="a mapping of several"
        ),
    ],
)
def test_a_choice_is_matched_by_image_and_never_by_position(images, choose):
    shuffled = images.sort_values("size_bytes", ascending=False)

    assert ids(plan(images, choose(images))) == ["c", "d"]
    assert ids(plan(shuffled, choose(images))) == ["d", "c"]


@pytest.mark.parametrize("changed", ["account", "loaded_at", "read_at"])
@pytest.mark.parametrize("how", ["choice", "mapping", "protect"])
@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(lambda images: images["size_bytes"] > 25, id="a comparison"),
        pytest.param(lambda images: ~(images["size_bytes"] <= 25), id="its contrary"),
        pytest.param(lambda images: images["tags"].map(len, na_action="ignore") > 1, id="a map"),
        pytest.param(lambda images: rules.untagged(images), id="a rule"),
        pytest.param(lambda images: rules.private(images) | rules.untagged(images), id="two rules"),
        pytest.param(lambda images: rules.untagged(images).fillna(True), id="gaps filled"),
        pytest.param(lambda images: rules.larger_than(images[::-1], "5 B"), id="in another order"),
    ],
)
def test_a_mask_made_from_another_load_is_refused(images, changed, how, rule):
    earlier = images.copy()
    told = {"account": "another", "loaded_at": "2026-11-20T00:00:00Z"}.get(changed, "2026-11-20")
    earlier.attrs = {"picora": images.attrs["picora"] | {changed: told}}
    shuffled = images.sort_values("size_bytes", ascending=False).assign(new=1)

    def make(frame, mask):
        if how == "protect":
            return plan(frame, ["a"], protect=mask)
        return plan(frame, {"why": mask} if how == "mapping" else mask)

    make(shuffled, rule(images))
    with pytest.raises(PlanError, match=r"made from another load, .* Make the mask from the frame"):
        make(shuffled, rule(earlier))


def test_a_mask_may_be_narrowed_by_one_of_another_load(images):
    earlier = images.copy()
    earlier.attrs = {"picora": images.attrs["picora"] | {"read_at": "2026-11-20"}}
    before = rules.larger_than(earlier, "25 B")
    before.attrs.clear()

    assert ids(plan(images, rules.larger_than(images, "5 B") & before)) == ["c", "d"]


def test_a_mapping_gives_each_image_its_reasons(images):
    made = plan(images, {"large": images["size_bytes"] > 25, "named": ["a", "d"]})

    assert made.images["reason"].to_dict() == {"a": "named", "c": "large", "d": "large; named"}


def test_rows_a_rule_cannot_tell_about_are_spared_as_unknown(images):
    made = plan(images, images["is_public"])

    assert ids(made) == ["a", "d"]
    assert made.spared["reason"].to_dict() == {"c": "unknown: the rule cannot tell"}


def test_what_one_rule_cannot_tell_another_may(images):
    made = plan(images, {"public": images["is_public"], "named": ["c"]})

    assert ids(made) == ["a", "c", "d"]
    assert made.spared.empty


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.slow
def test_the_plan_and_what_is_spared_are_exactly_what_was_chosen(make_images, data):
    n = data.draw(st.integers(1, 8))
    images = make_images(size_bytes=[1] * n, tags=[("t",) if i % 2 else () for i in range(n)])
    values = data.draw(st.lists(st.sampled_from([True, False, pd.NA]), min_size=n, max_size=n))
    mask = pd.Series(values, images.index, dtype="boolean")
    shield = data.draw(st.lists(st.sampled_from([True, False, pd.NA]), min_size=n, max_size=n))
    order = data.draw(st.permutations(list(images.index)))

    made = plan(images, mask.loc[order], protect=pd.Series(shield, images.index, dtype="boolean"))

    chosen = {one for one, value in zip(images.index, values, strict=True) if value is not False}
    free = {one for one, value in zip(images.index, shield, strict=True) if value is False}
    sure = {one for one, value in zip(images.index, values, strict=True) if value is True}
    assert set(made.images.index) == sure & free
    assert set(made.spared.index) == chosen - (sure & free)


# What does not, and the line that would

ARRAY = "which matches by position and not by image"


def wrong(choose, message, name, line=None):
    return pytest.param(choose, message, line, id=name)


WRONG = [
    wrong(
        lambda images: (images["size_bytes"] > 25).to_numpy(dtype=bool),
        f"choice is a bare boolean array, {ARRAY}; type choice=pd.Series(choice, index=images.index).",
        "a bare boolean array",
        ["c", "d"],
    ),
    wrong(
        lambda images: (images["size_bytes"] > 25).array,
        f"choice is a bare boolean array, {ARRAY}; type choice=pd.Series(choice, index=images.index).",
        "pandas' own boolean array",
        ["c", "d"],
    ),
    wrong(
        lambda images: [False, False, True, True],
        f"choice is a list of true and false, {ARRAY}; type choice=pd.Series(choice, index=images.index).",
        "a list of true and false",
        ["c", "d"],
    ),
    wrong(
        lambda images: pd.Series([True, None, False, True], images.index, dtype=object),
        "choice is a Series of object with 1 gap, not of true and false; type "
        "choice=choice.astype('boolean').",
        "a mask of objects with gaps",
        ["a", "d"],
    ),
    wrong(
        lambda images: (
            (images["size_bytes"] > 25)[1:].astype(bool).reindex(images.index).astype(float)
        ),
        "choice is a Series of float64 with 1 gap, not of true and false; type "
        "choice=choice.astype('boolean').",
        "a mask of floats with gaps",
        ["c", "d"],
    ),
    wrong(
        lambda images: pd.Series([0, 0, 1, 1], images.index),
        "choice is a Series of int64 with 0 gaps, not of true and false; type "
        "choice=choice.astype('boolean').",
        "a mask of ones and zeros",
        ["c", "d"],
    ),
    wrong(
        lambda images: images["size_bytes"],
        "choice is a Series of Int64 with 0 gaps, not of true and false; write a comparison, such as "
        "images['size_bytes'] > 5_000_000.",
        "a column",
    ),
    wrong(
        lambda images: images["title"],
        None,  # The dtype's name differs between pandas versions.
        "a column of gaps",
    ),
    wrong(
        lambda images: pd.Series(["c", "d"], dtype=object),
        "choice is a Series of object with 0 gaps, not of true and false; for these ids, type "
        "choice=pd.Index(choice).",
        "a Series of ids",
        ["c", "d"],
    ),
    wrong(
        lambda images: (images["size_bytes"] > 25).head(3),
        "choice speaks of other images than this frame: 0 it does not have, and 1 of its own are not mentioned. "
        "Make the mask from the frame you pass, or type choice=choice.reindex(images.index, fill_value=False).",
        "a mask of some of the frame",
        ["c"],
    ),
    wrong(
        lambda images: pd.Series(True, ["c", "d", "x", "y", "z"]),
        "choice speaks of other images than this frame: 3 it does not have, and 2 of its own are not mentioned. "
        "Make the mask from the frame you pass, or type choice=choice.reindex(images.index, fill_value=False).",
        "a mask of another frame",
        ["c", "d"],
    ),
    wrong(
        lambda images: (images["size_bytes"] > 25).reset_index(drop=True),
        "choice speaks of other images than this frame: 4 it does not have, and 4 of its own are not mentioned. "
        "Make the mask from the frame you pass, or type choice=choice.reindex(images.index, fill_value=False).",
        "a mask whose index was dropped",
        [],
    ),
    wrong(
        lambda images: pd.Series(True, ["c", "c", "d", "a", "b"]),
        "choice names the image 'c' twice; look why, then type choice=choice[~choice.index.duplicated()].",
        "a mask that repeats an id",
        ["a", "b", "c", "d"],
    ),
    wrong(
        lambda images: ["d", "c", "d"],
        "choice names the image 'd' twice; look why, then type choice=pd.Index(choice).unique().",
        "ids with a repeat",
        ["c", "d"],
    ),
    wrong(
        lambda images: ["c", "D", "nope", "d"],
        "choice holds 2 ids that this frame does not have, first 'D'; ids are case-sensitive. To leave them out, "
        "type choice=images.index.intersection(list(choice)).",
        "ids that are foreign",
        ["c", "d"],
    ),
    wrong(
        lambda images: pd.Index(["c", "'d"]),
        'choice holds 1 id that this frame does not have, first "\'d"; ids are case-sensitive. To leave them out, '
        "type choice=images.index.intersection(list(choice)).",
        "an Index with one that is foreign",
        ["c"],
    ),
    wrong(
        lambda images: images[images["size_bytes"] > 25],
        "choice is a DataFrame; to take its rows, type choice=choice.index.",
        "a DataFrame",
        ["c", "d"],
    ),
    wrong(
        lambda images: [3.0, 4.0],
        "choice holds 3.0 (float), which is not an id; ids are text, such as 'aB3dE5fG7hJ'.",
        "ids as floats",
    ),
    wrong(
        lambda images: ["c", None],
        "choice holds None (NoneType), which is not an id; ids are text, such as 'aB3dE5fG7hJ'.",
        "a gap among ids",
    ),
    wrong(
        lambda images: [True, None],
        "choice holds True (bool), which is not an id; ids are text, such as 'aB3dE5fG7hJ'.",
        "true and a gap",
    ),
    *(
        wrong(
            lambda images, value=value: value,
            f"choice={value!r} chooses nothing; give a boolean Series over images, or a list of ids such as "
            "choice=['aB3dE5fG7hJ'].",
            repr(value),
        )
        for value in (None, "c", "all", b"c", True, False)
    ),
    *(
        wrong(
            lambda images, value=value: value,
            f"choice is a {kind}; give a boolean Series over images, or a list of ids.",
            kind,
        )
        for value, kind in ((5, "int"), (slice(None), "slice"), ((x for x in "cd"), "generator"))
    ),
    wrong(
        lambda images: {}, "choice is an empty mapping; give {'reason': mask}.", "an empty mapping"
    ),
    wrong(
        lambda images: {" ": ["c"]},
        "choice has the reason ' '; give {'reason': mask}.",
        "an empty reason",
    ),
    wrong(
        lambda images: {5: ["c"]},
        "choice has the reason 5; give {'reason': mask}.",
        "a number for a reason",
    ),
    wrong(
        lambda images: {"large": [True] * 4},
        f"choice['large'] is a list of true and false, {ARRAY}; type choice['large']=pd.Series(choice['large'], "
        "index=images.index).",
        "a mistake within a mapping",
        ["a", "b", "c", "d"],
    ),
]


@pytest.mark.parametrize(("choose", "message", "line"), WRONG)
def test_a_wrong_choice_is_an_error_that_ends_with_what_to_do(images, choose, message, line):
    choice = choose(images)
    expected = r"write a comparison, such as images\['size_bytes'\] > 5_000_000\."
    expected = f"{expected}$" if message is None else f"^{re.escape(message)}$"

    with pytest.raises(PlanError, match=expected) as caught:
        plan(images, choice)

    if line is not None:
        typed = {"choice": choice, "images": images, "pd": pd}
        exec(re.search(r"[Tt]ype (choice.*)\.$", str(caught.value))[1], typed)
        assert ids(plan(images, typed["choice"])) == line


# In `protect`, lists and text mean tags; all else is read as a choice is.
WRONG_TO_PROTECT = [
    one for one in WRONG if re.match("a mask|a bare|pandas|a Series|a DataFrame", one.id)
]


@pytest.mark.parametrize(("choose", "message", "line"), WRONG_TO_PROTECT)
def test_what_is_wrong_to_choose_is_wrong_to_protect(images, choose, message, line):
    protect = choose(images)
    message = re.sub(r"\bchoice\b", "protect", message)
    # Whoever protects is not told to drop what does not fit.
    message = re.sub(r", or type protect=protect.reindex.*$", ".", message)

    with pytest.raises(PlanError, match=f"^{re.escape(message)}$") as caught:
        plan(images, ["a"], protect=protect)

    if " type " not in message:
        return
    typed = {"protect": protect, "images": images, "pd": pd}
    exec(re.search(r"[Tt]ype (protect.*)\.$", str(caught.value))[1], typed)
    spared = plan(images, images.index, protect=typed["protect"]).spared["reason"]
    assert list(spared.index[spared == "protected"]) == line


# Protection


@pytest.mark.parametrize(
    ("protect", "kept"),
    [
        pytest.param(None, {}, id="nothing"),
        pytest.param([], {}, id="an empty list"),
        pytest.param(
            "keep",
            {"a": "protected by the tag 'keep'", "d": "unknown: its tags, and a tag is protected"},
            id="a tag",
        ),
        pytest.param(
            ["keep", "dog"],
            {
                "a": "protected by the tag 'keep'",
                "b": "protected by the tag 'dog'",
                "d": "unknown: its tags, and a tag is protected",
            },
            id="tags",
        ),
        pytest.param(pd.Index(["b", "c"]), {"b": "protected", "c": "protected"}, id="an Index"),
        pytest.param(
            [pd.Index(["b"]), "keep", pd.Index(["c", "b"])],
            {
                "a": "protected by the tag 'keep'",
                "b": "protected",
                "c": "protected",
                "d": "unknown: its tags, and a tag is protected",
            },
            id="a mixture",
        ),
    ],
)
def test_what_is_protected_is_spared_and_says_why(images, protect, kept):
    made = plan(images, images.index, protect=protect)

    assert made.spared["reason"].to_dict() == kept
    assert ids(made) == [one for one in images.index if one not in kept]


def test_a_mask_protects_and_what_it_cannot_tell_is_spared_too(images):
    made = plan(images, images.index, protect=images["is_public"])

    assert made.spared["reason"].to_dict() == {
        "a": "protected",
        "c": "unknown: the protection cannot tell",
        "d": "protected",
    }


def test_the_plan_remembers_protected_tags_once_each(images):
    assert plan(images, ["c"], protect=["keep", "dog", "keep"]).protected_tags == ("keep", "dog")


@pytest.mark.parametrize(
    ("protect", "message"),
    [
        pytest.param(
            "kep",
            "protect='kep' is a tag no image of this frame has, so it would protect nothing; did you mean 'keep'? Ids "
            "are given as pd.Index([...]).",
            id="a typo",
        ),
        pytest.param(
            ["dog", "zzzzzz"],
            "protect='zzzzzz' is a tag no image of this frame has, so it would protect nothing; no tag is like it. Ids "
            "are given as pd.Index([...]).",
            id="nothing like it",
        ),
        pytest.param(
            ["dog", None],
            "protect holds None, which names nothing; leave it out.",
            id="None in a list",
        ),
        pytest.param(
            ["dog", pd.Index(["x"])],
            "protect[1]: 0 of 1 entry matches 0 images; 1 matches nothing: 'x'. Nothing would be protected by it; look "
            "where the list comes from.",
            id="a list of foreign ids",
        ),
    ],
)
def test_a_protection_that_protects_nothing_is_an_error(images, protect, message):
    with pytest.raises(PlanError, match=f"^{re.escape(message)}$"):
        plan(images, ["a"], protect=protect)


# Decisions


def test_earlier_decisions_are_read_from_a_file_that_a_spreadsheet_wrote(make_images, tmp_path):
    file = tmp_path / "decisions.csv"
    images = make_images(id=["-a", "b", "c", "=d", "e", "f"], size_bytes=[1] * 6)
    file.write_text(
        "id,decision,until,note\n'-a,keep,,x\nb, KEEP ,2026-11-24,\nc,keep,2026-11-23,\n"
        "'=d,later,2027-01-01,\ne,delete,,\nf,keep,,\nf,delete,,\ngone,keep,,\n",
        encoding="utf-8-sig",
    )

    made = plan(images, images.index, decisions=file)

    # Days count from the service's own clock, 2026-11-23; of two rows of an image keep wins, and is named.
    assert made.spared["reason"].to_dict() == {
        "-a": "on your keep list",
        "b": "on your keep list",
        "=d": "decide later, from 2027-01-01",
        "f": "on your keep list",
    }
    assert "'f' is said twice, keep (line 7) and delete (line 8); keep of line 7 wins" in repr(made)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda frame: frame, id="columns"),
        pytest.param(lambda frame: frame.set_index("id"), id="an index"),
        pytest.param(
            lambda frame: frame.assign(until=pd.to_datetime(frame["until"])), id="real dates"
        ),
    ],
)
def test_earlier_decisions_are_read_from_a_frame(images, make):
    frame = pd.DataFrame(
        {"id": ["a", "b"], "decision": ["keep", "later"], "until": [None, "2027-01-01"]}
    )

    made = plan(images, images.index, decisions=make(frame))

    assert list(made.spared.index) == ["a", "b"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param(
            "id,decision\na,keep\nb,perhaps\n",
            "row 3: 'perhaps' for id 'b' cannot be read",
            id="a word",
        ),
        pytest.param("id,decision\na,\n", "row 2: '' for id 'a' cannot be read", id="no word"),
        pytest.param("id,decision\n,keep\n", "row 2: 'keep' for id '' cannot be read", id="no id"),
        pytest.param(
            "id,decision\n',keep\n",
            "row 2: 'keep' for id '' cannot be read",
            id="a mere apostrophe",
        ),
        pytest.param(
            "id,decision,until\na,later,\n", "row 2: 'later' for id 'a' cannot be read", id="no day"
        ),
        pytest.param(
            "id,decision,until\na,keep,soon\n",
            "row 2: 'keep until soon' for id 'a' cannot be read",
            id="no such day",
        ),
        pytest.param(
            "id,decision,until\na,keep,31.12.26\n",
            "row 2: 'keep until 31.12.26' for id 'a' cannot be read",
            id="a year cut short",
        ),
    ],
)
def test_a_decision_that_cannot_be_read_is_an_error(images, tmp_path, rows, message):
    file = tmp_path / "decisions.csv"
    file.write_text(rows)
    rest = (
        "; decision is keep, delete, later, hidden or not duplicates, and later needs "
        "until=YYYY-MM-DD."
    )

    with pytest.raises(
        PlanError, match=f"^{re.escape(f'decisions={str(file)!r}, {message + rest}')}$"
    ):
        plan(images, ["a"], decisions=file)


def test_decisions_without_their_columns_are_an_error(images, tmp_path):
    file = tmp_path / "decisions.csv"
    file.write_text("image,verdict\na,keep\n")

    with pytest.raises(
        PlanError,
        match=rf"^decisions={str(file)!r} has the columns \['image', 'verdict'\]; it needs 'id' and 'decision'\.$",
    ):
        plan(images, ["a"], decisions=file)


def test_decisions_that_cannot_be_opened_are_an_error(images, tmp_path):
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"id,decision\n\xff\x81\n")

    with pytest.raises(PlanError, match=r"^decisions='.*nowhere\.csv' cannot be read: .*\.$"):
        plan(images, ["a"], decisions=tmp_path / "nowhere.csv")
    with pytest.raises(PlanError, match=r"^decisions='.*binary\.csv' cannot be read: .*\.$"):
        plan(images, ["a"], decisions=binary)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    names=st.lists(
        st.text("AZaz09_-", min_size=1, max_size=11), min_size=1, max_size=5, unique=True
    ),
)
@pytest.mark.slow
def test_the_ids_of_a_plans_csv_come_back_as_decisions(make_images, tmp_path, names):
    images = make_images(id=names, size_bytes=[1] * len(names))
    file = plan(images, images.index).to_csv(tmp_path / "plan.csv")
    frame = pd.read_csv(file, dtype=str, keep_default_na=False).assign(decision="keep")
    frame[["id", "decision"]].to_csv(tmp_path / "decisions.csv", index=False)

    made = plan(images, images.index, decisions=tmp_path / "decisions.csv")

    assert list(made.spared.index) == names
