"""decisions.csv is read as spreadsheets and shells write it, and never in part."""

import datetime as dt

import pytest

from picora_analytics import PlanError
from picora_analytics.decisions import Decision, read_decisions

EXPECTED = {
    "aB3dE5fG7hJ": Decision("keep", None),
    "-T40cZpLq8x": Decision("later", dt.date(2027, 1, 31)),
}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "id,decision,until\naB3dE5fG7hJ,keep,\n-T40cZpLq8x,later,2027-01-31\n", id="commas"
        ),
        pytest.param(
            "id;decision;until\naB3dE5fG7hJ;Keep;\n'-T40cZpLq8x;later;2027-01-31\n", id="semicolons"
        ),
        pytest.param(
            "ID\tDecision\tUntil\tby\naB3dE5fG7hJ\tkeep\n\n-T40cZpLq8x\tLATER\t2027-01-31\tme\n",
            id="tabs, a short row, a blank line",
        ),
        pytest.param(
            '"id","decision","until"\n"aB3dE5fG7hJ","keep",""\n"-T40cZpLq8x","later","2027-01-31"\n',
            id="quotes",
        ),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_what_was_decided_is_read_however_it_was_saved(tmp_path, text, encoding, end):
    file = tmp_path / "decisions.csv"
    file.write_bytes(text.replace("\n", end).encode(encoding))

    assert read_decisions(file) == EXPECTED


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('id,decision\n"a,keep\nb,keep\n', "cannot be read: ", id="an open quote"),
        pytest.param("id,decision\na, b,keep,later\n", "row 2: it has more cells", id="a comma"),
        pytest.param("id,decision\na\n", "row 2: '' for id 'a' cannot be read", id="no decision"),
        pytest.param("id,decision\n,keep\n", "row 2: 'keep' for id '' cannot be read", id="no id"),
        pytest.param(f"id,decision\n{'x' * 200_000},keep\n", "cannot be read: ", id="a huge cell"),
        pytest.param("name,choice\na,keep\n", "it needs 'id' and 'decision'", id="other titles"),
    ],
)
def test_a_row_that_cannot_be_read_is_never_dropped(tmp_path, text, said):
    (tmp_path / "decisions.csv").write_text(text)

    with pytest.raises(PlanError, match=said):
        read_decisions(tmp_path / "decisions.csv")
