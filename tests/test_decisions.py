"""decisions.csv is read as spreadsheets and shells write it, never in part, and written so that nothing is lost."""

import csv
import io
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from hypothesis import given, strategies as st

import picora_analytics as pic
from picora_analytics import PlanError
from picora_analytics.decisions import COLUMNS, add_decisions, decision_table, with_decisions

EXPECTED = [("aB3dE5fG7hJ", "keep", ""), ("-T40cZpLq8x", "later", "2027-01-31")]


def said(decisions):
    return list(decisions[["id", "decision", "until"]].itertuples(index=False, name=None))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "id,decision,until\naB3dE5fG7hJ,keep,\n-T40cZpLq8x,later,2027-01-31\n", id="commas"
        ),
        pytest.param(
            "id;decision;until\naB3dE5fG7hJ;Keep;\n'-T40cZpLq8x;later;31.01.2027\n", id="semicolons"
        ),
        pytest.param(
            "ID\tDecision\tUntil\tby\naB3dE5fG7hJ\tkeep\n\n-T40cZpLq8x\tLATER\t1/31/2027\tme\n",
            id="tabs, a short row, a blank line",
        ),
        pytest.param(
            '"id","decision","until"\n"aB3dE5fG7hJ","keep",""\n"-T40cZpLq8x","later","2027-01-31"\n',
            id="quotes",
        ),
        pytest.param(
            "sep=;\nid;decision;until\naB3dE5fG7hJ;keep;\n-T40cZpLq8x;later;2027/01/31\n",
            id="Excel's line for the separator",
        ),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_what_was_decided_is_read_however_it_was_saved(tmp_path, text, encoding, end):
    file = tmp_path / "decisions.csv"
    file.write_bytes(text.replace("\n", end).encode(encoding))

    assert said(pic.read_decisions(file)) == EXPECTED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('id,decision\n"a,keep\nb,keep\n', "cannot be read: ", id="an open quote"),
        pytest.param("id,decision\na, b,keep,later\n", "row 2: it has more cells", id="a comma"),
        pytest.param("id,decision\na\n", "row 2: '' for id 'a' cannot be read", id="no decision"),
        pytest.param("id,decision\n,keep\n", "row 2: 'keep' for id '' cannot be read", id="no id"),
        pytest.param(f"id,decision\n{'x' * 200_000},keep\n", "cannot be read: ", id="a huge cell"),
        pytest.param(
            "id,decision,note,Decision\na,keep,x,delete\n",
            r"has two columns 'decision'; leave one of them, or give it another title\.$",
            id="two columns of one title",
        ),
        pytest.param("name,choice\na,keep\n", "it needs 'id' and 'decision'", id="other titles"),
        pytest.param(
            "id,decision\na,not duplicates\n", "needs the other image in other_id", id="half a pair"
        ),
        pytest.param(
            "id,decision,other_id\na,keep,b\n",
            "row 2: keep for id 'a' stands for one image, yet other_id is 'b'",
            id="a pair of one",
        ),
        pytest.param(
            "id,decision,until\na,keep,31/31/2027\n", "'keep until 31/31/2027'", id="no such day"
        ),
        pytest.param(
            "id,decision,until\na,keep,31.12.26\n", "'keep until 31.12.26'", id="half a year"
        ),
    ],
)
def test_a_row_that_cannot_be_read_is_never_dropped(tmp_path, text, message):
    file = tmp_path / "decisions.csv"
    file.write_text(text)

    with pytest.raises(PlanError, match=rf"^decisions={str(file)!r}.*{message}"):
        pic.read_decisions(file)


# What is written

# All that an id is made of, and so what spreadsheets take for formulas, numbers and dates.
IDS = st.one_of(
    st.text("ABab01-_", min_size=11, max_size=11),
    st.sampled_from(
        ["=1+1=1+1=1+", "-2", "1e234567890", "00000000012", "MAR-1234567", "12-11-20245"]
    ),
)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).map(str.strip)


@given(
    rows=st.lists(st.tuples(IDS, st.sampled_from(["keep", "delete", "hidden"]), TEXTS), max_size=5)
)
@pytest.mark.slow
def test_what_is_written_is_read_again(tmp_path_factory, rows):
    file = tmp_path_factory.mktemp("decisions") / "decisions.csv"
    made = pd.DataFrame(
        [{"id": one, "decision": word, "until": "2027-01-31", "by": by} for one, word, by in rows],
        columns=["id", "decision", "until", "by"],
    )

    pic.write_decisions(made, file)
    once = pic.read_decisions(file)
    pic.write_decisions(once, file)

    assert said(once) == [(one, word, "2027-01-31") for one, word, _ in rows]
    assert pic.read_decisions(file).equals(once)
    assert list(once.columns) == list(COLUMNS)


@pytest.mark.parametrize("image_id", ["-T40cZpLq8x", "1e234567890", "00000000012", "MAR-1234567"])
def test_no_spreadsheet_takes_a_cell_for_a_formula_or_a_number(tmp_path, image_id):
    file = tmp_path / "decisions.csv"
    note = '=HYPERLINK("https://evil.example")'

    pic.write_decisions(
        pd.DataFrame({"id": [image_id], "decision": ["keep"], "note": [note]}), file
    )

    (row,) = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig")))
    assert (row["id"], row["note"]) == (f"'{image_id}", f"'{note}")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert pic.read_decisions(file).loc[2, "note"] == note


def test_a_file_that_changed_since_it_was_read_is_not_written(tmp_path):
    file = tmp_path / "decisions.csv"
    file.write_text("id,decision\na,keep\n")
    mine = pic.read_decisions(file)
    file.write_text("id,decision\na,keep\nb,keep\n")

    with pytest.raises(
        PlanError, match=r"was changed since it was read; .* Nothing was written\.$"
    ):
        pic.write_decisions(mine, file)

    assert said(pic.read_decisions(file)) == [("a", "keep", ""), ("b", "keep", "")]


def test_a_file_that_was_not_read_is_not_written_over(tmp_path):
    file = tmp_path / "decisions.csv"
    file.write_text("id,decision\na,keep\n")
    mine = pd.DataFrame({"id": ["b"], "decision": ["delete"]})

    with pytest.raises(PlanError, match=r"is there already, .* attrs = earlier\.attrs\.$"):
        pic.write_decisions(mine, file)

    earlier = pic.read_decisions(file)
    both = pd.concat([earlier, mine])
    both.attrs = earlier.attrs
    pic.write_decisions(both, file)
    assert said(pic.read_decisions(file)) == [("a", "keep", ""), ("b", "delete", "")]


def test_rows_are_added_and_columns_of_ones_own_stay(tmp_path):
    file = tmp_path / "decisions.csv"
    file.write_text("id,decision,ticket\na,keep,T-1\n")

    more = with_decisions(pic.read_decisions(file), [{"id": "b", "decision": "delete"}])
    pic.write_decisions(more, file)
    pic.write_decisions(with_decisions(more, [{"id": "c", "decision": "keep"}]), file)

    found = pic.read_decisions(file)
    assert found["ticket"].tolist() == ["T-1", "", ""]
    assert found["id"].tolist() == ["a", "b", "c"]


@pytest.mark.slow
def test_no_row_is_lost_where_several_decide_at_once(tmp_path):
    file = tmp_path / "decisions.csv"
    ids = [f"i{n:02}" for n in range(16)]

    with ThreadPoolExecutor(4) as several:
        list(several.map(lambda one: add_decisions(file, [{"id": one, "decision": "keep"}]), ids))

    assert sorted(pic.read_decisions(file)["id"]) == ids
    assert [one.name for one in tmp_path.iterdir()] == ["decisions.csv"]


@pytest.mark.skipif(os.name == "nt", reason="links and modes of POSIX")
def test_a_file_of_a_team_behind_a_link_stays_theirs(tmp_path):
    (tmp_path / "team").mkdir()
    theirs, link = tmp_path / "team" / "decisions.csv", tmp_path / "decisions.csv"
    add_decisions(theirs, [{"id": "a", "decision": "keep"}])
    theirs.chmod(0o664)
    link.symlink_to(theirs)

    add_decisions(link, [{"id": "b", "decision": "keep"}])

    assert link.is_symlink() and stat.S_IMODE(theirs.stat().st_mode) == 0o664
    assert list(pic.read_decisions(theirs)["id"]) == ["a", "b"]


def test_a_name_with_a_bare_carriage_return_leaves_the_file_readable(tmp_path):
    file = tmp_path / "decisions.csv"
    rows = [{"id": "a", "decision": "keep", "filename": "roof\rb,delete", "note": "x\ry"}]

    add_decisions(file, rows)
    add_decisions(file, [{"id": "c", "decision": "delete"}])

    found = pic.read_decisions(file)
    assert said(found) == [("a", "keep", ""), ("c", "delete", "")]
    assert (found.loc[2, "filename"], found.loc[2, "note"]) == ("roof\rb,delete", "x\ry")


def test_a_row_that_says_nothing_is_not_written(tmp_path):
    with pytest.raises(PlanError, match=r"^decisions, row 2: 'perhaps' for id 'a' cannot be read"):
        pic.write_decisions(
            pd.DataFrame({"id": ["a"], "decision": ["perhaps"]}), tmp_path / "decisions.csv"
        )

    assert list(tmp_path.iterdir()) == []


def test_a_frame_may_have_the_ids_as_its_index_and_real_dates():
    frame = pd.DataFrame(
        {"decision": ["later", "keep"], "until": pd.to_datetime(["2027-01-31", None])},
        index=pd.Index(["a", "b"], name="id"),
    )

    assert said(decision_table(frame)) == [("a", "later", "2027-01-31"), ("b", "keep", "")]
