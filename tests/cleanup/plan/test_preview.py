"""A preview adds up, repeats itself, and shows strangers' text as dead text."""

import re

import pytest

from picora_analytics import plan_deletion


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
