"""Rows on their way into the frame."""

import pytest

from picora_analytics import load_images
from picora_analytics.library.media_types import media_type


@pytest.mark.parametrize(
    ("text", "one"),
    [
        ("image/jpeg", "image/jpeg"),
        ("Image/JPEG", "image/jpeg"),
        ("image/jpeg; charset=binary", "image/jpeg"),
        ("image/jpg", "image/jpeg"),
        ("image/pjpeg;q=1", "image/jpeg"),
        (" image/x-png ", "image/png"),
        ("IMAGE/SVG", "image/svg+xml"),
        ("image/avif", "image/avif"),
        ("image/x-ms-bmp", "image/bmp"),
        ("image/x-icon", "image/x-icon"),
        ("video/MP4", "video/mp4"),
        ("", None),
        (";", None),
    ],
)
def test_one_type_has_one_spelling(text, one):
    assert media_type(text) == one


def test_types_that_differ_in_spelling_are_one_in_the_frame(serve):
    server, client = serve(6)
    spellings = ["image/png", "IMAGE/PNG", "image/png; x=1", "image/x-png", " image/png", None]

    def spelled(answer):
        for row, text in zip(answer["data"]["images"], spellings, strict=True):
            row |= {"mimeType": text, "url": "https://img.picora.com/a.png", "filename": "a.png"}
        return answer

    server.fail("GET", "/v1/images", times=None, body=spelled)

    images = load_images(client, store=None, progress=False)

    assert set(images["mime_type"]) == {"image/png"}
