"""What the service counts, beside what its list adds up to."""

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer


@pytest.fixture
def demo():
    with DemoServer(n_images=30) as server, pic.Client(server.api_key, server.url) as client:
        yield server, client, pic.load_images(client, store=None, progress=False)


def test_numbers_that_are_the_same_say_so(demo):
    _, client, images = demo

    table = pic.reconcile_usage(images, client)

    assert table["service"].tolist() == [30, images["size_bytes"].sum()] == table["listed"].tolist()
    assert table["difference"].tolist() == [0, 0]
    assert table["note"].tolist() == ["the same", "the same"]


def test_a_difference_is_shown_with_what_is_known_of_it(demo):
    server, client, images = demo

    def more(answer):
        answer["data"]["images"]["storageUsed"] += 5000
        return answer

    server.fail("GET", "/v1/user/me/usage", times=None, body=more)
    images.iloc[0, images.columns.get_loc("size_bytes")] = None
    missing = int(images["size_bytes"].sum())

    table = pic.reconcile_usage(images, client).set_index("quantity")

    assert table.loc["bytes", "difference"] == table.loc["bytes", "service"] - missing
    assert table.loc["bytes", "share"] == pytest.approx(table.loc["bytes", "difference"] / missing)
    assert table.loc["bytes", "note"] == (
        "1 image of unknown size not added up; or uploads and deletions since the load "
        "(23 Nov 2026, 14:00 UTC, the service's clock)"
    )
    assert table.loc["images", "note"] == "the same"


def test_a_service_that_does_not_say_leaves_it_missing(demo):
    server, client, images = demo
    server.fail("GET", "/v1/user/me/usage", times=None, status=403)

    table = pic.reconcile_usage(images, client)

    assert table["service"].isna().all() and table["share"].isna().all()
    assert table["listed"].tolist() == [30, images["size_bytes"].sum()]
    assert table["note"].eq("the service does not tell this key").all()


def test_a_part_of_a_library_is_not_compared(demo):
    _, client, images = demo
    tagged = pic.load_images(client, tag="blog", store=None, progress=False)

    for some, what in ((images.head(12), "12 of 30"), (tagged, "of tag=blog only")):
        with pytest.raises(
            pic.SchemaError, match=rf"^reconcile_usage needs all .* are {what}\. Type "
        ):
            pic.reconcile_usage(some, client)
    images.attrs.clear()
    with pytest.raises(pic.SchemaError, match=r"of an unknown load\. "):
        pic.reconcile_usage(images, client)
