"""What a saved notebook keeps of a gallery: a few public pictures, no control, and how to make it live again."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from picora_analytics.pictures.thumbnails import Thumbnail
from picora_analytics.widgets.markup import markup

__all__ = ["PREVIEWED", "preview"]

PREVIEWED = 6
MOST_BYTES = (
    40_000  # Of all pictures together; with Base64 and words, a preview stays under 64 KiB.
)

_BOX = (
    "border:1px solid rgb(127 127 127/.4);border-radius:12px;padding:14px 16px;max-width:1100px;"
    "font:13px/1.45 system-ui,sans-serif"
)
_MAT = (
    "height:110px;border-radius:6px;background:rgb(127 127 127/.12);display:flex;align-items:center;"
    "justify-content:center;text-align:center;font-size:12px;overflow:hidden"
)


def preview(
    name: str,
    title: str,
    stamp: str,
    cells: Mapping[str, list[Any]],
    pictures: Mapping[int, Thumbnail],
) -> str:
    """
    Write the preview.

    Parameters
    ----------
    name : str
        A class by which the live widget hides it.
    title, stamp : str
    cells : dict of lists
        Columns of cells, as :meth:`Cells.block` gives them; the first few are shown.
    pictures : dict of int to Thumbnail
        By their place among the cells. Of public images only: a notebook is shared.
    """
    tiles, left = [], MOST_BYTES
    for place in range(min(PREVIEWED, len(cells["name"]))):
        picture = pictures.get(place) if cells["seen"][place] == "public" else None
        if picture is not None and len(picture.data) > left:
            picture = None
        left -= 0 if picture is None else len(picture.data)
        tiles.append(_tile(place, cells, picture))
    mark = '<b style="border:1.5px solid;border-radius:5px;padding:0 6px;font-size:11px">{}</b> '
    stamped = Markup(mark).format(stamp) if stamp else Markup("")  # noqa: S704 - Ours.
    return markup(
        '<div class="picora-static {name}" style="{box}"><p style="margin:0 0 10px">{stamp}<b>{title}</b></p>'
        '<div style="display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:12px">{tiles}</div>'
        '<p style="margin:12px 0 0"><b>A saved picture of the gallery.</b> Run the cell to choose; nothing was '
        "selected. If this stays after that, this front end could not load the widget: "
        "<code>pic.CleanupPanel(images, client)</code> lists the same images page by page.</p></div>",
        name=name,
        box=_BOX,
        stamp=stamped,
        title=title,
        tiles=Markup("").join(tiles),
    )


def _tile(place: int, cells: Mapping[str, list[Any]], picture: Thumbnail | None) -> Markup:
    public = cells["seen"][place] == "public"
    if picture is not None:
        data = base64.b64encode(picture.data).decode("ascii")
        inside = markup(
            '<img alt="" style="width:100%;height:100%;object-fit:contain;margin:0" '
            'src="data:image/{kind};base64,{data}">',
            kind=picture.format,
            data=Markup(data),  # noqa: S704 - Base64.
        )
    else:
        text = (
            f"{cells['kind'][place]}, {'not saved here' if public else 'private, not saved here'}"
        )
        inside = markup("{text}", text=text)
    return markup(
        '<div><div style="{mat}">{inside}</div><div style="overflow-wrap:anywhere;font-weight:500">{name}</div>'
        '<div style="font-size:12px;opacity:.75">{size} · {date}</div></div>',
        mat=_MAT,
        inside=inside,
        name=cells["name"][place],
        size=cells["size"][place],
        date=cells["date"][place],
    )
