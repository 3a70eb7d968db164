"""The list of what is in use protects in every form it comes in, or is refused; it is never taken in part."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from picora_analytics import PlanError, plan_deletion
from picora_analytics.cleanup.policy.references import (
    read_used_list,
    refuse_doubtful,
    refuse_outdated,
    used_ids,
)

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
FOUND = "# found 2026-11-24T10:00:00Z\n"
IDS = ["aB3dE5fG7hJ", "-T40cZpLq8x", "_w9Kd-3_fPz", "ZZZZZZZZZZZ", "Qq1Qq2Qq3Qq", "0000000000a"]


@pytest.fixture(scope="module")
def library(make_images):
    names = ["roof.png", "Küche 1.jpg", "a,b;c.png", "cat.webp", "dog.gif", "menu.svg"]
    return make_images(
        id=IDS, filename=names, url=[f"https://img.picora.com/{one}.png" for one in IDS]
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("# found 2026-11-24T10:00:00Z\na\nb\n", id="an id a line"),
        pytest.param(
            "\ufeff# found 2026-11-24T10:00:00Z\r\nfile,id\r\nx.md,a\r\ny.md,'b\r\n", id="a table"
        ),
    ],
)
def test_ids_in_use_are_read(tmp_path, text):
    (tmp_path / "used").write_text(text, encoding="utf-8")

    assert used_ids(tmp_path / "used", dt.timedelta(days=2), NOW) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\nb\n", r"does not say when"),
        ("# found yesterday\na\n", r"does not say when"),
        ("# found 2026-11-24T10:00:00\na\n", r"does not say when"),
        ("# found 2026-11-22T10:00:00Z\na\n", r"look for references again\.$"),
        ("# found 2026-11-25T10:00:00Z\na\n", r"look for references again\.$"),
        (
            f"{FOUND}# incomplete two sites did not answer\na\n",
            r"incomplete: two sites .* again\.$",
        ),
        (f"{FOUND}#incomplete\na\n", r"says that it is incomplete\. .* again\.$"),
        (f"{FOUND}# Incomplete: why\na\n", r"says that it is incomplete: why\. .* again\.$"),
        (f"{FOUND}# INCOMPLETE\na\n", r"says that it is incomplete\. .* again\.$"),
        # What breaks off says so at its end.
        (f"{FOUND}a\nb\n# incomplete 503\n", r"says that it is incomplete: 503\. .* again\.$"),
        (f"{FOUND}id,page\na,x\n# Incomplete 503\n", r"."),
        ("# found 2026-11-24T10:00:00Z\n\n", r"a scan that found nothing proves nothing\.$"),
        ("# found 2026-11-24T10:00:00Z\nid,file\n", r"a scan that found nothing proves nothing\.$"),
        (None, r"cannot be read: "),
    ],
)
def test_ids_in_use_that_prove_nothing_are_refused(tmp_path, text, said):
    if text is not None:
        (tmp_path / "used").write_text(text)

    with pytest.raises(PlanError, match=said):
        used_ids(tmp_path / "used", dt.timedelta(days=2), NOW)


ENCODINGS = {
    "UTF-8": lambda text: text.encode(),
    "UTF-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16, big end first": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "UTF-16 without a mark": lambda text: text.encode("utf-16-le"),
    "UTF-32": lambda text: text.encode("utf-32"),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "CRLF in UTF-16": lambda text: text.replace("\n", "\r\n").encode("utf-16"),
}
SHAPES = {
    "an id a line": lambda rows: "".join(f"{one}\n" for _, one in rows),
    "no line end": lambda rows: "\n".join(one for _, one in rows),
    "commas": lambda rows: "file,id\n" + "".join(f"{file},{one}\n" for file, one in rows),
    "semicolons": lambda rows: "file;id\n" + "".join(f"{file};{one}\n" for file, one in rows),
    "tabs": lambda rows: "id\tfile\n" + "".join(f"{one}\t{file}\n" for file, one in rows),
    "quotes": lambda rows: '"ID","file"\n' + "".join(f'"{one}","{file}"\n' for file, one in rows),
    "our own CSV": lambda rows: "id,file\n" + "".join(f"'{one},{file}\n" for file, one in rows),
    "blank lines": lambda rows: "\n\n".join(
        ["id,file", *(f" {one} ,{file}" for file, one in rows)]
    ),
    "another title": lambda rows: "Image ID;x\n" + "".join(f"{one};{file}\n" for file, one in rows),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_way_to_write_the_list_is_read(tmp_path, encoding, shape):
    rows = [("a.md", IDS[0]), ("b c.md", IDS[1]), ("d.md", IDS[2])]
    path = tmp_path / "used"
    path.write_bytes(ENCODINGS[encoding](FOUND + SHAPES[shape](rows)))

    assert used_ids(path, dt.timedelta(days=2), NOW) == IDS[:3]


@pytest.mark.parametrize(
    "head",
    [
        '"# found 2026-11-24T10:00:00Z";;\n',
        "# found 2026-11-24T11:00:00+01:00,,\n",
        "# the site, drafts too\n\n#found: 2026-11-24T10:00:00Z\n",
    ],
)
def test_the_head_is_read_as_a_spreadsheet_leaves_it(tmp_path, head):
    (tmp_path / "used").write_text(f"{head}id\na\n")

    assert read_used_list(tmp_path / "used").found_at == NOW - dt.timedelta(hours=2)


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        pytest.param("file,id\na.md,x\nb.md\n", "row 4: 'b.md' does not have", id="a short row"),
        pytest.param("file,id\na, b.md,x\n", "row 3: .* does not have", id="a comma in a name"),
        pytest.param("file,id\na.md,\n", "row 3: .* does not have", id="no id"),
        pytest.param('file,id\n"a.md,x\nb.md,y\n', "cannot be read as a table", id="an open quote"),
        pytest.param('file,id\n"a"b.md,x\n', "cannot be read as a table", id="a quote inside"),
        pytest.param(
            f"file,id\n{'x' * 200_000},y\n", "cannot be read as a table", id="a huge cell"
        ),
    ],
)
def test_what_cannot_be_read_is_refused_and_no_advice_is_to_drop_it(tmp_path, rest, said):
    (tmp_path / "used").write_text(FOUND + rest)

    with pytest.raises(PlanError, match=said) as caught:
        read_used_list(tmp_path / "used")

    assert "Mend the file" in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_bytes_in_no_encoding_are_refused(tmp_path):
    (tmp_path / "used").write_bytes(FOUND.encode() + "Küche.jpg\n".encode("cp1252"))

    with pytest.raises(PlanError, match=r"cannot be read: it is no text in a known encoding\.$"):
        read_used_list(tmp_path / "used")


def _list(tmp_path, entries, head=FOUND):
    path = tmp_path / "used.txt"
    path.write_text(head + "\n".join(entries), encoding="utf-8")
    return read_used_list(path)


# How a page or a person writes an image: the id, somewhere in an address, or its file name.
FORMS = {
    "id": lambda images, one: one,
    "address": lambda images, one: images["url"][one],
    "srcset": lambda images, one: f"{images['url'][one]}?w=800&fmt=webp 800w",
    "another host": lambda images, one: f"https://cdn.example/x/{one}.jpeg#top",
    "quoted": lambda images, one: f'"{one}"',
    "Markdown": lambda images, one: f"![roof](https://img.picora.com/{one}.png)",
    "file name": lambda images, one: images["filename"][one],
}


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(sorted(FORMS))), min_size=1))
@pytest.mark.slow
def test_what_the_list_names_in_any_form_is_never_planned(library, tmp_path, named):
    used = _list(tmp_path, [FORMS[form](library, one) for one, form in named])

    refuse_doubtful(used, library, library.attrs["picora"])
    plan = plan_deletion(library, list(IDS), reason="x", protect=used.entries, max_fraction=1)

    assert not {one for one, _ in named} & set(plan.images.index)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        pytest.param(
            ["x", "y"], r"^None of the 2 ids .* or the scan went wrong\.$", id="none fits"
        ),
        pytest.param(
            [*IDS, "elsewhere00"], r"1 matches nothing: 'elsewhere00'.*write ids\.$", id="one"
        ),
        pytest.param(
            [IDS[0], *(one.swapcase() for one in IDS[1:4])],
            r"3 only nearly, such as ",
            id="other case",
        ),
        pytest.param([*IDS, "ROOF.png"], r"1 only nearly, such as 'ROOF.png'", id="a name, nearly"),
    ],
)
def test_a_list_of_which_a_part_fits_nothing_or_only_nearly_is_refused(
    library, tmp_path, entries, said
):
    used = _list(tmp_path, entries)

    with pytest.raises(PlanError, match=said) as caught:
        refuse_doubtful(used, library, library.attrs["picora"])

    assert not any(word in str(caught.value) for word in ("drop", "leave", "intersection"))


@pytest.mark.parametrize(("n_gone", "refused"), [(5, False), (6, True)])
def test_a_few_links_to_images_long_gone_are_borne(make_images, tmp_path, n_gone, refused):
    images = make_images(id=[f"img{n:08d}" for n in range(100 - n_gone)])
    used = _list(tmp_path, [*images.index, *(f"old{n:08d}" for n in range(n_gone))])

    if refused:
        with pytest.raises(PlanError, match=f"{n_gone} match nothing"):
            refuse_doubtful(used, images, images.attrs["picora"])
    else:
        refuse_doubtful(used, images, images.attrs["picora"])


@pytest.mark.parametrize(
    ("account", "fits"),
    [
        ("0123456789abcdef", True),
        ("01234567", True),
        ("0123456", False),
        ("fedcba98", False),
        ("01234567x", False),
    ],
)
def test_a_list_of_another_account_is_refused(library, tmp_path, account, fits):
    used = _list(tmp_path, IDS, f"{FOUND}# account {account}\n")

    if fits:
        refuse_doubtful(used, library, library.attrs["picora"])
        return
    with pytest.raises(
        PlanError, match=rf"is of account {account}, and this library of 01234567; "
    ):
        refuse_doubtful(used, library, library.attrs["picora"])


@pytest.mark.parametrize(
    ("ago", "proves"),
    [("PT0S", True), ("P2D", True), ("P2DT1S", False), ("-PT4M", True), ("-PT6M", False)],
)
def test_only_a_list_of_now_proves_what_is_in_use(tmp_path, ago, proves):
    import pandas as pd

    sign, text = (-1, ago[1:]) if ago.startswith("-") else (1, ago)
    found_at = NOW - sign * pd.Timedelta(text).to_pytimedelta()
    used = _list(tmp_path, ["a"], f"# found {found_at.isoformat()}\n")

    if proves:
        refuse_outdated(used, dt.timedelta(days=2), NOW)
        return
    with pytest.raises(PlanError, match=r"look for references again\.$"):
        refuse_outdated(used, dt.timedelta(days=2), NOW)
