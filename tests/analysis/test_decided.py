"""Which decisions stand: keep wins, days end what they spare, and what does not fit its image chooses nothing."""

import re

import pandas as pd
import pytest

import picora_analytics as pic
from picora_analytics import PlanError, rules
from picora_analytics.analysis.decided import standing

# The frames of these tests were loaded on 2026-11-23.
SAID = ["id", "decision", "until"]


def table(*rows, columns=SAID):
    return pd.DataFrame(list(rows), columns=columns)


def ids(mask):
    return list(mask.index[mask.fillna(False)])


def test_each_decision_chooses_its_own(make_images):
    images = make_images(id=list("abcdef"))
    decisions = table(
        ("a", "keep", ""),
        ("b", "delete", ""),
        ("c", "later", "2027-01-31"),
        ("d", "hidden", "2027-01-31"),
    )

    found = {word: ids(rules.decided(images, decisions, word)) for word in ("keep", "delete")}
    found |= {word: ids(rules.decided(images, decisions, word)) for word in ("later", "hidden")}

    assert found == {"keep": ["a"], "delete": ["b"], "later": ["c"], "hidden": ["d"]}
    assert rules.decided(images, decisions, "keep").dtype == "boolean"


def test_a_day_ends_what_it_spares(make_images):
    images = make_images(id=list("abcd"))
    decisions = table(
        ("a", "keep", "2026-11-23"),
        ("b", "keep", "2026-11-24"),
        ("c", "later", "2026-11-23"),
        ("d", "later", "2026-11-24"),
    )

    assert set(standing(images, decisions).spared) == {"b", "d"}


@pytest.mark.parametrize("order", [1, -1])
def test_of_an_id_said_twice_differently_keep_wins_and_its_lines_are_named(make_images, order):
    images = make_images(id=list("ab"))
    rows = [("a", "keep", ""), ("a", "delete", "")][::order]
    decisions = table(*rows, ("b", "delete", ""), ("b", "delete", ""))

    assert ids(rules.decided(images, decisions, "delete")) == ["b"]
    assert ids(rules.decided(images, decisions, "keep")) == ["a"]
    (line,) = standing(images, decisions).lines
    words = " and ".join(f"{row[1]} (line {n})" for n, row in enumerate(rows, 2))
    line_of_keep = 2 if order == 1 else 3
    assert line == f"decisions: 'a' is said twice, {words}; keep of line {line_of_keep} wins"


def test_a_keep_that_is_over_does_not_contradict_a_wish_to_delete(make_images):
    images = make_images(id=["a"])
    said = standing(images, table(("a", "keep", "2026-01-01"), ("a", "delete", "")))

    assert (said.of, said.lines) == ({"a": "delete"}, [])


def test_a_column_sorted_alone_chooses_nothing_and_spares_both_it_may_mean(make_images):
    names = ["roof.png", "tree.png", "car.png", "boat.png"]
    images = make_images(id=list("abcd"), filename=names)
    # Of four wishes to delete, the ids were sorted alone: b fits by chance.
    decisions = pd.DataFrame(
        {
            "id": list("abc"),
            "decision": ["delete"] * 3,
            "filename": ["car.png", "tree.png", "roof.png"],
        }
    )

    mask = rules.decided(images, decisions, "delete")

    assert mask.tolist() == [pd.NA, True, pd.NA, False]
    said = standing(images, decisions)
    assert set(said.spared) == {"a", "c"}
    assert said.lines[0] == (
        "decisions, line 2: its file name or address is not that of 'a'; it chooses nothing, and what it may mean "
        "is kept"
    )


def test_a_keep_in_the_wrong_row_still_spares_the_image_it_names(make_images):
    images = make_images(id=list("ab"), filename=["roof.png", "tree.png"])
    decisions = pd.DataFrame(
        {"id": ["a"], "decision": ["keep"], "url": ["https://img.picora.com/b.png"]}
    )

    assert set(standing(images, decisions).spared) == {"a", "b"}


@pytest.mark.parametrize(
    ("filename", "url"),
    [
        pytest.param("'=roof.png", "", id="a guarded name"),
        pytest.param("=roof.png", "https://my.example/a.png", id="another host"),
        pytest.param("", "", id="nothing told"),
    ],
)
def test_what_spreadsheets_and_hosts_change_still_fits(make_images, filename, url):
    images = make_images(id=["a"], filename=["=roof.png"])
    decisions = pd.DataFrame(
        {"id": ["a"], "decision": ["delete"], "filename": [filename], "url": [url]}
    )

    assert rules.decided(images, decisions, "delete").tolist() == [True]


def test_control_characters_that_libreoffice_drops_still_fit(make_images):
    images = make_images(id=["a"], filename=["\x1b[31mred\t.png"])
    decisions = pd.DataFrame({"id": ["a"], "decision": ["delete"], "filename": ["[31mred.png"]})

    assert rules.decided(images, decisions, "delete").tolist() == [True]


def test_letters_that_a_code_page_lost_still_fit(make_images, tmp_path):
    images = make_images(id=["a"], filename=["屋根-Dächer.png"])
    file = tmp_path / "decisions.csv"
    file.write_bytes(b"id;decision;filename\r\na;delete;??-D\xe4cher.png\r\n")

    assert rules.decided(images, file, "delete").tolist() == [True]


def test_an_image_long_gone_is_no_contradiction(make_images):
    decisions = pd.DataFrame({"id": ["gone"], "decision": ["keep"], "filename": ["old.png"]})

    assert standing(make_images(), decisions).lines == []


def test_many_odd_lines_are_counted(make_images):
    images = make_images(id=[f"i{n}" for n in range(9)])
    decisions = pd.DataFrame(
        {"id": images.index, "decision": "delete", "filename": list(images["filename"][::-1])}
    ).drop(4)

    assert standing(images, decisions).lines[5:] == ["decisions: 3 more such lines"]


def test_pairs_that_are_no_duplicates_spare_nothing(make_images):
    decisions = pd.DataFrame({"id": ["a"], "decision": ["not-duplicates"], "other_id": ["b"]})
    said = standing(make_images(), decisions)

    assert (said.pairs, said.spared) == ({frozenset("ab")}, {})
    assert ids(rules.decided(make_images(), decisions, "not duplicates")) == ["a", "b"]


def test_another_word_is_an_error(make_images):
    with pytest.raises(ValueError, match=r"^decision='drop' is none: choose one of keep, delete, "):
        rules.decided(make_images(), table(), "drop")


# Hidden


HIDDEN_AT = "2026-10-01T12:00:00Z"


@pytest.mark.parametrize(
    ("image", "decision", "found"),
    [
        pytest.param({}, {}, True, id="left alone"),
        pytest.param({"is_public": True}, {}, False, id="public again"),
        pytest.param({"updated_at": "2026-10-01T12:00:01Z"}, {}, False, id="edited later"),
        pytest.param({}, {"decided_at": "2026-11-01T00:00:00Z"}, False, id="not long enough"),
        pytest.param({}, {"until": "2026-12-01"}, False, id="waits for a day to come"),
        pytest.param({}, {"until": "2026-11-01"}, True, id="waited for a day that is over"),
        pytest.param({}, {"decided_at": ""}, False, id="nobody says since when: it waits"),
        pytest.param({"is_public": None}, {}, pd.NA, id="nobody says whether it is public"),
        pytest.param({"updated_at": None}, {}, pd.NA, id="nobody says when it was edited"),
        pytest.param({}, {"filename": "other.png"}, False, id="the row of another image"),
    ],
)
def test_hidden_for_a_time_is_what_nobody_missed(make_images, image, decision, found):
    own = {"is_public": False, "updated_at": HIDDEN_AT} | image
    images = make_images(id=["a"], **{name: [value] for name, value in own.items()})
    row = {"id": "a", "decision": "hidden", "decided_at": HIDDEN_AT} | decision

    (answer,) = rules.hidden_for(images, 30, pd.DataFrame([row])).tolist()

    assert answer is found


def test_what_was_decided_to_be_kept_is_not_hidden_long_enough(make_images):
    images = make_images(id=["a"], is_public=[False], updated_at=[HIDDEN_AT])
    decisions = pd.DataFrame(
        {"id": ["a", "a"], "decision": ["hidden", "keep"], "decided_at": [HIDDEN_AT, ""]}
    )

    assert rules.hidden_for(images, 30, decisions).tolist() == [False]


@pytest.mark.parametrize("days", [-1, True, "30", float("inf")])
def test_a_time_is_a_number_of_days(make_images, days):
    with pytest.raises(ValueError, match=re.escape(f"days={days!r} is not a time")):
        rules.hidden_for(make_images(), days, table())


def test_decisions_that_cannot_be_read_choose_nothing(make_images, tmp_path):
    with pytest.raises(PlanError, match=r"cannot be read: No such file or directory\.$"):
        rules.decided(make_images(), tmp_path / "none.csv", "delete")


# Images named otherwise than by their id


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("https://my.example/aB3dE5fG7hJ.png?w=80", id="its address"),
        pytest.param("aB3dE5fG7hJ.png", id="a file of its id"),
        pytest.param("AB3DE5FG7HJ", id="another case"),
        pytest.param("Roof 1.PNG", id="its file name"),
    ],
)
def test_what_spares_is_heard_however_it_names_its_image(make_images, name):
    images = make_images(
        id=["aB3dE5fG7hJ", "b"],
        filename=["roof_1.png", "b.png"],
        is_public=[False, False],
        updated_at=[HIDDEN_AT] * 2,
    )
    plan = pic.plan_deletion(images, ["aB3dE5fG7hJ", "b"], reason="x", max_fraction=1)
    rows = [("aB3dE5fG7hJ", "delete"), ("b", "delete"), (name, "keep")]
    decisions = pd.DataFrame(rows, columns=["id", "decision"])
    hidden = decisions.replace("delete", "hidden").assign(decided_at=[HIDDEN_AT, HIDDEN_AT, ""])

    assert ids(rules.decided(images, decisions, "delete")) == ["b"]
    assert ids(rules.hidden_for(images, 30, hidden)) == ["b"]
    assert list(plan.decided(decisions).images.index) == ["b"]
    assert plan.portions(decisions=decisions)["n_decided"].sum() == 2
    spared = pic.plan_deletion(images, ["aB3dE5fG7hJ"], reason="x", decisions=decisions).spared
    assert spared["reason"].tolist() == ["on your keep list"]


@pytest.mark.parametrize("name", ["https://my.example/a1.png", "A1", "roof.png"])
def test_a_wish_to_delete_is_heard_for_the_very_id_alone(make_images, name):
    images = make_images(id=["a1", "b"], filename=["roof.png", "b.png"])

    mask = rules.decided(images, table((name, "delete", "")), "delete")

    assert not mask.fillna(False).any()


def test_an_image_hidden_in_another_spelling_is_not_chosen_by_that(make_images):
    images = make_images(id=["a1", "b"])
    decisions = table(("A1", "hidden", "2027-01-31"), ("b", "hidden", "2027-01-31"))

    assert rules.decided(images, decisions, "hidden").tolist() == [pd.NA, True]
    assert "a1" in standing(images, decisions).spared


def test_no_duplicates_may_be_said_by_address(make_images):
    decisions = pd.DataFrame(
        {"id": ["https://x.example/a.png"], "decision": ["not duplicates"], "other_id": ["B.png"]}
    )

    assert frozenset("ab") in standing(make_images(), decisions).pairs


@pytest.mark.parametrize("moment", ["9999-12-31T00:00:00Z", "0001-01-01"])
def test_a_moment_at_the_end_of_the_calendar_is_read(make_images, moment):
    images = make_images(id=["a"], is_public=[False], updated_at=[HIDDEN_AT])
    decisions = pd.DataFrame({"id": ["a"], "decision": ["hidden"], "decided_at": [moment]})

    assert rules.hidden_for(images, 30, decisions).tolist() == [False]
    with pytest.raises(ValueError, match=r"reaches back before the year 1: give fewer\.$"):
        rules.hidden_for(images, 1e12, decisions)
