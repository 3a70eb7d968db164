from __future__ import annotations

from collections import Counter

import pytest

from picora_analytics.demo import DemoServer
from picora_analytics.demo.image import ID_ALPHABET, NOW, milliseconds
from picora_analytics.demo.library import make_library
from picora_analytics.demo.pictures import file_bytes

DAY = 86_400_000
TODAY = milliseconds(NOW)


@pytest.fixture(scope="module")
def library():
    return make_library(1200, seed=7)


def test_the_same_seed_gives_the_same_library_and_another_seed_another():
    assert make_library(200, seed=3) == make_library(200, seed=3)
    assert {i.id for i in make_library(200, seed=3)}.isdisjoint(
        i.id for i in make_library(200, seed=4)
    )


def test_the_library_of_every_release_is_the_same(library):
    first, last = library[0], library[-1]

    assert (first.created_at, last.created_at) == (1_552_380_067_250, 1_795_191_771_804)
    assert (first.id, last.id) == ("hjLnggIMcrW", "R8l4Cdl_Aiu")
    assert sum(image.size_bytes for image in library) == 1_406_067_167


def test_the_default_library_fills_87_percent_of_its_quota():
    server = DemoServer()

    stored = sum(image.size_bytes for image in server.images.values())
    assert len(server.images) == 1200
    assert stored / server.quota_bytes == pytest.approx(0.873, abs=0.005)


def test_52_images_are_over_two_years_old_and_untagged_and_5_of_them_edited_lately(library):
    old = [i for i in library if TODAY - i.created_at > 730 * DAY and not i.tags]
    edited = [i for i in old if TODAY - i.updated_at < 90 * DAY]

    assert (len(old), len(edited)) == (52, 5)
    assert {"header-spring.png", "og-image-about.png"} <= {i.filename for i in old}
    assert sum(i.filename.startswith("Screenshot 20") for i in old) > 40


def test_one_week_holds_the_move_from_another_host(library):
    week = [i for i in library if 1_614_556_800_000 <= i.created_at < 1_614_556_800_000 + 7 * DAY]

    assert 0.08 < len(week) / len(library) < 0.15
    assert sum(i.filename.startswith("IMG_201") for i in week) > len(week) / 2


def test_sizes_have_a_heavy_tail_and_some_pictures_are_wide(library):
    sizes = sorted((i.size_bytes for i in library), reverse=True)

    assert sum(sizes[:150]) > sum(sizes) / 2
    assert 0.06 < sum((i.width or 0) > 2560 for i in library) / len(library) < 0.1


def test_twenty_images_are_exact_copies_of_another(library):
    same = Counter((i.artwork, i.pixels, i.extension, i.size_bytes) for i in library)

    assert sum(n - 1 for n in same.values()) == 20


def test_some_images_have_no_dimensions_and_not_only_svgs(library):
    without = Counter(i.extension for i in library if i.width is None)

    assert without["svg"] > 20
    assert sum(without.values()) > without["svg"]


def test_names_and_tags_include_what_breaks_naive_code(library):
    names, tags = {i.filename for i in library}, {t for i in library for t in i.tags}

    assert {"../../etc/passwd", "\x1b[31mred.png", "photo\u202egnp.exe"} <= names
    assert max(map(len, names)) > 240
    assert {"<b>bold</b>", "$x^2$", "=1+1", "产品", "blog"} <= tags


def test_ids_are_eleven_characters_and_some_begin_with_a_dash(library):
    assert all(len(i.id) == 11 and set(i.id) <= set(ID_ALPHABET) for i in library)
    assert {"-", "_"} <= {i.id[0] for i in library}
    assert len({i.id for i in library}) == len(library)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 17])
def test_a_library_of_any_size_can_be_made(n):
    assert len(make_library(n, seed=7)) == n


def test_the_same_image_has_the_same_bytes_in_another_process_of_the_same_seed(library):
    again = make_library(1200, seed=7)

    assert file_bytes(library[100]) == file_bytes(again[100])
