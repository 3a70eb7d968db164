"""File names: where pictures seem to come from, and names that say another format than the file has."""
# Outside, FrameT is the caller's own frame; inside, `question` has made it a narwhals frame.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import re

import narwhals.stable.v2 as nw

from picora_analytics.analysis.counting import COUNTS, SHARES, UNKNOWN, count, labelled, with_shares
from picora_analytics.analysis.engines import in_arrow
from picora_analytics.analysis.question import By, FrameT, question
from picora_analytics.library.media_types import EXTENSIONS

__all__ = ["ENDINGS", "KINDS", "NAME_KINDS", "SCREENSHOT", "summarize_names"]

# What systems call a picture of the screen; in lower case.
SCREENSHOT = (
    r"screen[ _-]?shot|screen[ _-]?(?:capture|clip)|bildschirmfoto|capture d.[eé]cran|captura de (?:pantalla|ecr[aã])|"
    r"captura de tela|schermata|sk[aä]rm(?:avbild|bild)|schermafbeelding|sk[jæ]+rm(?:bilde|billede)|zrzut ekranu|"
    r"sn[ií]mek obrazovky|ekran (?:g[oö]r[uü]nt[uü]s[uü]|resmi)|снимок экрана|скриншот|截屏|截图|截圖|屏幕截图|"
    r"螢幕快照|スクリーンショット|스크린샷"
)


def _both_cases(pattern: str) -> str:
    """Write letters beyond ASCII in both cases: Java's (?i), and so Spark's, knows no others."""

    def cased(found: re.Match[str]) -> str:
        text = found[0]
        upper = "".join(char.upper() for char in text if not char.isascii())
        if text.startswith("["):
            return f"{text[:-1]}{upper}]"
        return text if upper == text else f"[{text}{upper}]"

    return re.sub(r"\[[^]]*\]|[^\x00-\x7f]", cased, pattern)


# The end of a name. Engines differ in which blanks `$` allows before itself, and in what is a blank at all.
_END = "[\t-\r \x85\u2028\u2029]*$"
_NOT_BLANK = "[^\t-\r \x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
# The first that holds counts; each without case, in the syntax that all engines share.
KINDS = {
    "screenshot": f"(?i){_both_cases(SCREENSHOT)}",
    # What programs give: "Pasted image 2026...", clipboard.png, untitled-1, image (3).png.
    "pasted": _both_cases(
        r"(?i)^(?:pasted|clipboard|untitled|unnamed|no[ _-]?name|snipaste|unbenannt|sans[ _-]?titre|"
        r"sin[ _-]?t[ií]tulo|无标题|未命名|粘贴)|"
        r"^(?:image|img|picture|photo|download|bild|imagen|图片|圖片)[ _-]*\(?[0-9]{0,3}\)?(?:\.[a-z0-9]{1,5})?"
    )
    + _END,
    "camera": r"(?i)^(?:img|dsc|dscn|dscf|pxl|mvimg|pano|gopr|dji|pict|p|_mg|_dsc|cimg|sam|wp)[ _-]?[0-9]{4,}|"
    r"^[0-9]{8}_[0-9]{6}",
    # A UUID, hexadecimal digits, or digits and signs alone.
    "code": r"(?i)^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,}|[0-9_. -]+)(?:\.[a-z0-9]{1,5})?"
    + _END,
}
NAME_KINDS = (*KINDS, "descriptive", UNKNOWN)
# What a name may end in, by the format the file then should have; other endings say nothing.
ENDINGS = {kind: rf"(?i)\.(?:{'|'.join(ends)}){_END}" for kind, ends in EXTENSIONS.items()}


@question(
    "filename",
    "mime_type",
    "size_bytes",
    answers={"name_kind": "str", **COUNTS, **SHARES, "n_other_format": "int64"},
)
def summarize_names(images: FrameT, *, by: By | None = None) -> FrameT:
    """
    Count images and bytes by what their file names look like.

    A name that a camera, a program or a screenshot gave says nothing about the picture: those are found again by
    eye only. Names are guessed from, nothing more.

    Parameters
    ----------
    images : DataFrame or relation of shape (n_images, ...)
        One row per image, as made by ``load_images``. Reads ``filename``, ``mime_type`` and ``size_bytes``.
    by : "account", optional
        Ask for each account in turn, and put ``account`` in front: for frames of several.

    Returns
    -------
    same type as ``images``, of up to six rows
        ``name_kind``: ``screenshot`` (in some twenty languages), ``pasted`` (``image.png``, ``untitled-1``),
        ``camera`` (``IMG_1234``), ``code`` (a UUID, a hash or digits), ``descriptive``, and ``unknown`` without a
        name, in this order; ``n_images``, ``size_bytes``, and ``image_share`` and ``size_share`` (0 to 1) of the
        library the images were loaded from; ``n_other_format``, whose name ends in that of another format than
        they have. Kinds without images are left out.

    Raises
    ------
    SchemaError
        If one of these columns is missing.

    Examples
    --------
    >>> images = make_images(filename=["IMG_2041.jpg", "Bildschirmfoto 3.png", "price-list.png"])
    >>> summarize_names(images)[["name_kind", "n_images", "n_other_format"]]
         name_kind  n_images  n_other_format
    0   screenshot         1               0
    1       camera         1               1
    2  descriptive         1               0
    """
    name, mime = nw.col("filename"), nw.col("mime_type")
    place: nw.Expr = nw.lit(len(KINDS))
    for number, kind in reversed(list(enumerate(KINDS))):
        place = nw.when(nw.col(kind)).then(nw.lit(number)).otherwise(place)
    place = (
        nw.when(name.is_null() | ~name.str.contains(_NOT_BLANK))
        .then(nw.lit(len(KINDS) + 1))
        .otherwise(place)
    )
    other: nw.Expr = nw.lit(0)
    for kind in ENDINGS:
        differs = nw.col(kind) & ~mime.is_null() & (mime != kind)
        other = nw.when(differs.fill_null(False)).then(nw.lit(1)).otherwise(other)
    patterns = KINDS | ENDINGS
    held = {kind: name.str.contains(pattern) for kind, pattern in patterns.items()}
    matched = in_arrow(images).with_columns(**held)
    rows = matched.with_columns(place=place, other=other)
    table = count(rows, "place", n_other_format=nw.col("other").sum()).sort("place")
    return with_shares(table.with_columns(name_kind=labelled("place", NAME_KINDS)), images)
