"""Colors that are seen on any background: a caller's style may be dark."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb, to_rgba

__all__ = ["BLUE", "GRAY", "GREEN", "ORANGE", "READABLE", "SEEN", "background", "contrast", "seen"]

# Okabe and Ito's colors, which stay distinct with every kind of color blindness.
BLUE, ORANGE, GREEN, GRAY = "#0072B2", "#D55E00", "#009E73", "#595959"
# What WCAG 2.2 asks of shapes, and of words.
SEEN, READABLE = 3.0, 4.5


def seen(ax: Axes, color: str, least: float = SEEN) -> str:
    """
    Give a color lighter or darker, as far as it needs to be seen on these axes.

    Parameters
    ----------
    ax : Axes
    color : str
    least : float
        The contrast it needs.
    """
    behind = background(ax)
    white, black = contrast("white", behind), contrast("black", behind)
    goal = to_rgb("white" if white > black else "black")
    own = to_rgb(color)
    for step in range(21):
        red, green, blue = (a + (b - a) * step / 20 for a, b in zip(own, goal, strict=True))
        found = to_hex((red, green, blue))
        if contrast(found, behind) >= least:
            break
    return found


def background(ax: Axes) -> str:
    """Give the color behind a chart, where the axes or the figure is not transparent."""
    under = (1.0, 1.0, 1.0)
    figure = ax.get_figure(root=True)
    for face in (figure.get_facecolor() if figure is not None else "white", ax.get_facecolor()):
        *own, alpha = to_rgba(face)
        under = tuple(a * alpha + b * (1 - alpha) for a, b in zip(own, under, strict=True))  # type: ignore[assignment]
    return to_hex(under)


def contrast(one: str, other: str) -> float:
    """
    Give the contrast of two colors, from 1 to 21 (WCAG 2.2).

    Examples
    --------
    >>> contrast("black", "white"), round(contrast(GRAY, "white"), 1)
    (21.0, 7.0)
    """
    first, second = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (first + 0.05) / (second + 0.05)


def _luminance(color: str) -> float:
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))
