"""A preview adds up, repeats itself, and shows strangers' text as dead text."""

import ast
import re

import pandas as pd
import pytest
from hypothesis import example, given, strategies as st

from picora_analytics import plan_deletion, read_plan


def plan(images, choice, **options):
    return plan_deletion(images, choice, **{"reason": "test", "max_fraction": 1, **options})


@pytest.mark.parametrize("n", [0, 1, 9, 10, 500])
def test_the_numbers_of_a_preview_add_up(make_images, n):
    total = n + 7
    images = make_images(
        size_bytes=[None if i % 5 == 4 else 2**20 for i in range(total)],
        is_public=[(True, False, None)[i % 3] for i in range(total)],
        mime_type=[("image/png", "image/svg+xml", None)[i % 3] for i in range(total)],
        created_at=[None if i % 7 == 6 else f"20{20 + i % 5}-05-01" for i in range(total)],
        updated_at=[None] * total,
    )
    made = plan(images, images.index[:n])

    text, page = repr(made), made._repr_html_()

    unsized = int(made.images["size_bytes"].isna().sum())
    public, private = (int((made.images["is_public"] == value).sum()) for value in (True, False))
    for shown in (text, page):
        assert f"{n - unsized}.0 MiB" in shown or n == unsized
        assert f"{n} of {total} images" in shown
        assert (f"{public} public, {private} private" in shown) is (n > 0)
    assert ("of unknown size" in text) is ("of unknown size" in page) is (unsized > 0)
    for head in ("uploaded", "type"):
        rows = re.search(rf">{head}</th>(.*?)</table>", page, re.DOTALL)
        counts = re.findall(r">([\d,]+)</td><td[^>]*>([\d.]+) (?:MiB|B)<", rows[1] if rows else "")
        assert sum(int(count) for count, _ in counts) == n
        assert sum(float(size) for _, size in counts) == n - unsized
    listed = re.findall(
        r"^     *(\w+)  +\S+\.png +[\d.]+ MiB|^     *(\w+)  +\S+ +unknown", text, re.MULTILINE
    )
    assert len(listed) == (n if n < 10 else 6)
    assert {one or other for one, other in listed} <= set(made.images.index)


def test_a_preview_repeats_itself(make_images):
    images = make_images(size_bytes=list(range(200)))
    made = plan(images, images.index[:50])

    assert repr(made) == repr(made)
    assert made._repr_html_() == made._repr_html_()


HOSTILE = [
    "<img src=x onerror=alert(1)>.png",
    "</pre><script>alert(1)</script>",
    "\x1b[2J\x1b]0;owned\x07",
    "photo\u202egnp.exe",
    '" onmouseover="alert(1)',
    "{{ 7 * 7 }}",
    "a\r\nForged line",
    "header<b>2014-05-05.png",
]


def test_hostile_text_is_dead_wherever_a_preview_shows_it(make_images):
    n = len(HOSTILE)
    images = make_images(
        id=[f"{i}{name}" for i, name in enumerate(HOSTILE)],
        filename=HOSTILE,
        mime_type=HOSTILE,
        tags=[(name,) for name in HOSTILE],
        size_bytes=[1] * n,
    )
    by_reason = {name: [one] for name, one in zip(HOSTILE, images.index, strict=True)}
    made = plan(images, by_reason, reason=HOSTILE[0], protect=HOSTILE[3])

    text, page = repr(made), made._repr_html_()

    for shown in (text, page):
        assert not set(shown) & set("\x1b\x07\r\u202e")
        assert not re.search(r"^Forged", shown, re.MULTILINE)
    assert not re.search(r"<(img|script|b)\b", page)
    assert "&lt;img src=x" in page
    assert "{{ 7 * 7 }}" in page
    assert '" onmouseover' not in page


@given(image_id=st.text(min_size=1, max_size=120))
@example('x");__import__("os").system("echo pwned");("')
@example("x')\nimport os #")
@example("\u2028\x1b]0;x\x07")
@pytest.mark.slow
def test_the_code_to_paste_is_one_call_with_the_id_as_a_literal(make_images, image_id):
    made = plan(make_images(id=[image_id, f"{image_id}2"], size_bytes=[1, 1]), [image_id])

    (line,) = re.findall(r"^  Fewer +(.*)$", repr(made), re.MULTILINE)
    (statement,) = ast.parse(line).body

    assert isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call)
    (argument,) = statement.value.args
    literal = isinstance(argument, ast.Constant) and argument.value == image_id
    assert literal or ast.unparse(argument) == "plan.images.index[0]"
    assert ast.unparse(statement.value.func) == "plan.without"


FLOODS = {
    "names of fifty thousand letters": {"filename": ["n" * 50_000 + ".png"] * 400},
    "accents by the thousand": {"filename": ["a" + "\u0301" * 20_000] * 400},
    "a type each": {"mime_type": [f"image/x-{i}" for i in range(400)]},
    "types of fifty kilobytes": {"mime_type": ["image/" + "y" * 50_000] * 400},
    "a year each": {"created_at": [f"{1800 + i}-01-01" for i in range(400)]},
    "ids of a kilobyte": {"id": [f"{i:01000d}" for i in range(400)]},
    "names that ask for a second look": {"filename": [f"banner-{i}.png" for i in range(400)]},
}


@pytest.mark.parametrize("columns", FLOODS.values(), ids=FLOODS)
@pytest.mark.slow
def test_no_library_floods_a_preview(make_images, columns):
    images = make_images(**({"size_bytes": [1] * 400} | columns))
    by_reason = {f"reason {i} " + "w" * 2_000: [one] for i, one in enumerate(images.index)}

    for made in (plan(images, images.index), plan(images, by_reason)):
        assert repr(made).count("\n") < 120
        assert len(repr(made)) < 30_000
        assert len(made._repr_html_()) < 60_000


def test_a_strangers_account_reaches_no_terminal(make_images):
    images = make_images()
    images.attrs["picora"] |= {"account": "\x1b]0;a\x07", "base_url": "https://x\x1b[31m"}

    made = plan(images, ["a"])

    assert "\x1b" not in repr(made) + made._repr_html_()


@pytest.mark.parametrize(
    ("stays", "goes", "said"),
    [
        (False, True, "stays (private) for b (public); its public address goes"),
        (None, True, "stays (unknown) for b (public); its public address goes"),
        (True, True, "stays (public) for b (public)"),
        (True, False, "stays (public) for b (private)"),
        (False, False, "stays (private) for b (private)"),
    ],
)
def test_the_duplicate_that_stays_is_named_with_its_visibility(
    make_images, tmp_path, stays, goes, said
):
    images = make_images(
        content_hash=["x", "x", "y"],
        is_public=[stays, goes, True],
        created_at=["2020-01-01", "2021-01-01", "2022-01-01"],
    )
    made = plan(images, images["content_hash"] == "x", inherit=False)

    for shown in (made, read_plan(made.save(tmp_path / "plan.json"))):
        (line,) = re.findall(r"^    (a .*)$", repr(shown), re.MULTILINE)
        assert line.endswith(said)
        assert said in shown._repr_html_()


def test_duplicates_whose_public_address_goes_are_named_first(make_images):
    n = 30
    images = make_images(
        id=[f"i{i:02d}" for i in range(2 * n)],
        content_hash=[f"{i % n}" for i in range(2 * n)],
        is_public=[i != 17 for i in range(2 * n)],
        created_at=["2020-01-01"] * n + ["2021-01-01"] * n,
        size_bytes=[1] * 2 * n,
    )
    made = plan(images, pd.Series(images.index >= f"i{n}", images.index), inherit=False)

    section = repr(made).split("DUPLICATES THAT STAY (30)")[1].splitlines()

    assert section[1].startswith("    i17 ")
    assert section[1].endswith("stays (private) for i47 (public); its public address goes")
    assert section[9] == "    and 22 more"


def test_one_image_is_counted_as_one(make_images):
    images = make_images(is_public=[True], size_bytes=[None])
    made = plan(images, images.index)

    for shown in (repr(made), made._repr_html_()):
        assert "1 of 1 image (" in shown
        assert "1 public address will show a broken picture wherever it stands." in shown
    assert "and 1 image of unknown size" in repr(made)


def test_an_empty_plan_has_nothing_to_delete_and_is_not_refused(make_images):
    images = make_images(tags=[("keep",), ("keep",), ()])

    for ids, protect, says in (
        ([], None, "No image was chosen."),
        (["a"], ["keep"], "The one image of your choice is spared."),
        (["a", "b"], ["keep"], "All 2 images of your choice are spared."),
    ):
        made = plan(images, ids, protect=protect)

        for shown in (repr(made), made._repr_html_()):
            assert "NOTHING TO DELETE" in shown
            assert says in shown
            assert "refused" not in shown.lower()
