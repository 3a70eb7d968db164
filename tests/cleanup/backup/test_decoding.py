"""A file is a picture only where it can be decoded to its end; strangers' bytes are decoded under limits."""

import io

import pytest
from PIL import Image

from picora_analytics.cleanup.backup import decoding
from picora_analytics.cleanup.backup.decoding import DecodeError, decode_picture

SVG = "<svg xmlns='http://www.w3.org/2000/svg'><rect width='1' height='1'/></svg>"


def drawn(kind, size=(40, 30), **options):
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, kind, **options)
    return buffer.getvalue()


def moving():
    buffer = io.BytesIO()
    frames = [Image.effect_noise((60, 60), 90).convert("P") for _ in range(3)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def written(tmp_path, data):
    path = tmp_path / "copy.part"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize(
    ("data", "mime_type", "extension"),
    [
        pytest.param(drawn("JPEG"), "image/jpeg", "jpg", id="jpeg"),
        pytest.param(drawn("JPEG"), "image/jpg", "jpg", id="jpeg by its other name"),
        pytest.param(drawn("PNG"), "image/png", "png", id="png"),
        pytest.param(drawn("PNG"), None, "png", id="type unknown"),
        pytest.param(drawn("PNG"), "application/octet-stream", "png", id="type says nothing"),
        pytest.param(moving(), "image/gif", "gif", id="moving gif"),
        pytest.param(drawn("WEBP"), "image/webp", "webp", id="webp"),
        pytest.param(drawn("AVIF"), "image/avif", "avif", id="avif"),
        pytest.param(SVG, "image/svg+xml", "svg", id="svg"),
        pytest.param(f"\ufeff<?xml version='1.0'?>{SVG}", None, "svg", id="svg, type unknown"),
        pytest.param(f"<!DOCTYPE svg>{SVG}", "image/svg+xml", "svg", id="svg with a doctype"),
    ],
)
def test_a_whole_picture_tells_its_format(tmp_path, data, mime_type, extension):
    assert decode_picture(written(tmp_path, data), mime_type).extension == extension


BILLION = "<!DOCTYPE svg [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><svg>&b;</svg>"
OUTSIDE = "<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><svg>&x;</svg>"


@pytest.mark.parametrize(
    ("data", "mime_type", "reason"),
    [
        pytest.param(drawn("PNG"), "image/jpeg", "the listing says image/jpeg", id="other type"),
        pytest.param(SVG, "image/png", "the listing says image/png", id="svg for a png"),
        pytest.param(drawn("PNG"), "image/svg+xml", "it is no whole SVG", id="png for an svg"),
        pytest.param("<html>sign in</html>", None, "it is a page or a text", id="page"),
        pytest.param("<p>sign in", "image/png", "it is a page or a text", id="broken page"),
        pytest.param("<a/>", "image/svg+xml", "it is a page or a text", id="other xml"),
        pytest.param(SVG[:40], "image/svg+xml", "it is no whole SVG", id="cut svg"),
        pytest.param(BILLION, "image/svg+xml", "it declares XML entities", id="many laughs"),
        pytest.param(OUTSIDE, "image/svg+xml", "it declares XML entities", id="files of ours"),
        pytest.param(drawn("PNG")[:-30], "image/png", "it cannot be decoded", id="cut png"),
        pytest.param(drawn("JPEG")[:-30], "image/jpeg", "it cannot be decoded", id="cut jpeg"),
        pytest.param(moving()[:-4000], "image/gif", "it cannot be decoded", id="cut gif"),
        pytest.param(b"", "image/png", "it cannot be decoded", id="nothing"),
        pytest.param(b"plain text", None, "it cannot be decoded", id="text"),
        pytest.param(drawn("BMP"), None, "it cannot be decoded", id="a kind Picora has not"),
    ],
)
def test_anything_else_proves_nothing(tmp_path, data, mime_type, reason):
    with pytest.raises(DecodeError, match=rf"^{reason}"):
        decode_picture(written(tmp_path, data), mime_type)


@pytest.mark.slow
def test_a_small_file_with_too_many_pixels_is_not_unpacked(tmp_path):
    # Between our ceiling and Pillow's, which warns.
    small = drawn("PNG", (9430, 9460))
    assert len(small) < 400_000

    with pytest.raises(DecodeError, match=r"^9430 x 9460 pixels are too many$"):
        decode_picture(written(tmp_path, small), "image/png")

    assert decoding.MAX_PIXELS < Image.MAX_IMAGE_PIXELS
