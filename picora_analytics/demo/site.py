"""
The blog that belongs to the demo library: pages that embed some of its pictures, and their history.

Like the library, it is invented from a seed: the same seed gives the same pages and the same commits for ever.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from picora_analytics.demo.image import NOW, DemoImage, milliseconds, moment_of

__all__ = ["DemoSite", "write_site"]

OLD_BRANCH = "old-design"
# An address on Picora's own host, not on the demo's port: pages stay the same whichever port that is.
_HOST = "https://img.picora.com"
_GONE = f"{_HOST}/goneGONEgon.jpg"
_OLD = 730 * 86_400_000
_PLACES = (
    "the harbour", "a mountain lake", "the old town", "our workshop", "the market", "the coast",
    "a garden in autumn", "the night tram", "the first snow", "the kitchen", "a long bridge",
)  # fmt: skip
_SENTENCES = (
    "We had an hour, and the light was good.",
    "More of this next week.",
    "Thanks to everybody who wrote about the last post.",
    "It took three tries, and the second was the best.",
    "The coffee was cold by the time we were done.",
)
_AUTHOR = "Mia <mia@blog.invalid>"
# Nothing of the person's own settings, such as hooks, signing or line endings, changes a commit.
_GIT = ("git", "-c", "core.hooksPath=/dev/null", "-c", "core.autocrlf=false", "-c", "gc.auto=0")


class DemoSite(NamedTuple):
    """
    What was written.

    Attributes
    ----------
    folder : Path
    n_pages : int
        Files in the folder that embed pictures or link to those that do.
    n_images : int
        Different pictures they embed.
    branches : tuple of str
        Of its git repository.
    note : str
        Why it has no history; empty where it has one.
    """

    folder: Path
    n_pages: int
    n_images: int
    branches: tuple[str, ...]
    note: str


class _Commit(NamedTuple):
    """A step of the history: what it writes, and what it takes away."""

    branch: str
    day: str
    message: str
    files: Mapping[str, str]
    removed: Sequence[str] = ()
    parent: str = ""


def write_site(library: Sequence[DemoImage], seed: int, folder: str | os.PathLike[str]) -> DemoSite:
    """Write the blog of a library as it was invented; :meth:`DemoServer.write_site` documents it."""
    commits = _history(library, random.Random(f"site {seed}"))  # noqa: S311  an invented blog
    pages: dict[str, str] = {}
    for commit in commits:
        if commit.branch == "main":
            pages.update(commit.files)
            for path in commit.removed:
                del pages[path]
    n_images = sum(any(image.id in text for text in pages.values()) for image in library)
    target = Path(folder).expanduser()
    there = target.exists() and any(target.iterdir())
    whole = all(_holds(target / path, text) for path, text in pages.items())
    if there and not whole and not _is_begun(target, pages):
        raise FileExistsError(
            f"{os.fspath(folder)!r} holds other files; give the demo's site a folder of its own."
        )
    for path, text in pages.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(text.encode())
    note = "" if (target / ".git").exists() else _commit_all(target, commits)
    branches = () if note else tuple(dict.fromkeys(commit.branch for commit in commits))
    return DemoSite(target, len(pages), n_images, branches, note)


def _is_begun(target: Path, pages: Mapping[str, str]) -> bool:
    """Tell whether a folder holds nothing but a part of the pages, as after Ctrl-C."""
    files = [path for path in target.rglob("*") if path.is_file() and not path.is_symlink()]
    named = {path.relative_to(target).as_posix(): path for path in files}
    return all(
        name in pages and pages[name].encode().startswith(path.read_bytes())
        for name, path in named.items()
    )


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()


def _history(library: Sequence[DemoImage], chance: random.Random) -> list[_Commit]:
    """Invent the blog, from its first commit to its last."""
    public = [image for image in library if image.is_public]
    used = [image for image in public if "blog" in image.tags and chance.random() < 0.75]
    untagged = [
        image for image in public if not image.tags and milliseconds(NOW) - image.created_at > _OLD
    ]
    # Of what nobody tagged, some is in use, some on a branch nobody looks at, and some was taken off.
    about, guide, branch, removed = (untagged[start::12] for start in range(4))
    posts = _posts(used, chance)
    years = sorted({path[6:10] for path in posts} | {"2021", "2022", "2023"})
    commits: list[_Commit] = []
    known: dict[str, str] = {}
    for year in years:
        new = {path: text for path, text in posts.items() if path[6:10] == year}
        known |= new
        files = {**new, "index.md": _index(known)}
        gone: list[str] = []
        if year == "2021":
            files["about.html"] = _about(about)
        if year == "2022":
            files["posts/2022-tools.md"] = _post("Tools", removed)
        if year == "2023":
            files["posts/2023-guide.html"] = _page("How we take screenshots", guide)
            gone = ["posts/2022-tools.md"]
        if year == years[-1]:
            files["data/gallery.json"] = _gallery(used[-12:])
        message = f"Write the posts of {year}" + (", and let go of the tools" if gone else "")
        commits.append(_Commit("main", f"{year}-11-20", message, files, gone))
        if year == "2021":
            design = {"design/style.css": _style(branch), "index.md": "# A blog, redesigned\n"}
            commits.append(
                _Commit(OLD_BRANCH, "2021-12-01", "Try another design", design, parent="main")
            )
    return commits


def _posts(images: Iterable[DemoImage], chance: random.Random) -> dict[str, str]:
    """Give a post for each quarter of a year in which pictures were uploaded."""
    quarters: dict[tuple[int, int], list[DemoImage]] = defaultdict(list)
    for image in images:
        day = moment_of(image.created_at)
        quarters[day.year, (day.month - 1) // 3 + 1].append(image)
    found = {}
    for number, ((year, quarter), own) in enumerate(sorted(quarters.items())):
        title = f"Pictures of {chance.choice(_PLACES)}"
        if number % 4 == 3:
            found[f"posts/{year}-{quarter}.html"] = _page(title, own)
        else:
            found[f"posts/{year}-{quarter}.md"] = _post(title, own, chance.choice(_SENTENCES))
    return found


def _url(image: DemoImage) -> str:
    return f"{_HOST}/{image.id}.{image.extension}"


def _alt(image: DemoImage) -> str:
    return f"{image.scene}, {moment_of(image.created_at):%B %Y}"


def _post(title: str, images: Sequence[DemoImage], sentence: str = _SENTENCES[0]) -> str:
    cover = f"cover: {_url(images[0])}\n" if images else ""
    lines = [f"---\ntitle: {title}\n{cover}---\n", f"{sentence}\n"]
    lines += [f"![{_alt(image)}]({_url(image)})\n" for image in images]
    return "\n".join(lines)


def _page(title: str, images: Sequence[DemoImage]) -> str:
    shown = "".join(
        f'<figure><img src="{_url(image)}" srcset="{_url(image)}?w=640 640w" alt="{escape(_alt(image))}"></figure>\n'
        for image in images
    )
    return f"<!doctype html>\n<title>{escape(title)}</title>\n<h1>{escape(title)}</h1>\n{shown}"


def _about(images: Sequence[DemoImage]) -> str:
    """Write the page that embeds a picture which is gone."""
    return _page("About this blog", images) + f'<img src="{_GONE}" alt="us, years ago">\n'


def _index(posts: Iterable[str]) -> str:
    return "# A blog\n\n" + "".join(f"- [{path[6:].split('.')[0]}]({path})\n" for path in posts)


def _gallery(images: Sequence[DemoImage]) -> str:
    """Write the pictures of a gallery as programs do, with escaped slashes."""
    rows = [{"src": _url(image), "alt": _alt(image)} for image in images]
    return json.dumps(rows, indent=1).replace("/", "\\/") + "\n"


def _style(images: Sequence[DemoImage]) -> str:
    return "".join(
        f".banner-{n} {{ background: url({_url(image)}); }}\n" for n, image in enumerate(images, 1)
    )


def _commit_all(folder: Path, commits: Sequence[_Commit]) -> str:
    """Make the repository; give the reason where that is not possible."""
    if shutil.which("git") is None:
        return "there is no git on this machine, so these are pages without a history"
    own = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    environment = own | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_DEFAULT_HASH": "sha1",
        "LC_ALL": "C",
    }
    steps = (
        (("init", "--quiet", "--template="), b""),
        (("fast-import", "--quiet", "--date-format=raw"), b"".join(map(_as_stream, commits))),
        (("symbolic-ref", "HEAD", "refs/heads/main"), b""),
        (("reset", "--quiet"), b""),
    )
    for words, stream in steps:
        try:
            done = subprocess.run(  # noqa: S603
                [*_GIT, *words], input=stream, cwd=folder, env=environment, capture_output=True
            )
        except KeyboardInterrupt:
            shutil.rmtree(folder / ".git", ignore_errors=True)
            raise
        if done.returncode:
            shutil.rmtree(folder / ".git", ignore_errors=True)
            said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason"]
            return f"git made no history ({said[-1]}), so these are pages without one"
    return ""


def _as_stream(commit: _Commit) -> bytes:
    """Write a commit as ``git fast-import`` reads it."""
    noon = dt.datetime.fromisoformat(f"{commit.day}T12:00:00+00:00")
    moment = milliseconds(noon) // 1000
    parts = [
        f"commit refs/heads/{commit.branch}\n",
        f"author {_AUTHOR} {moment} +0000\n",
        f"committer {_AUTHOR} {moment} +0000\n",
        _data(commit.message),
        f"from refs/heads/{commit.parent}\n" if commit.parent else "",
        *(f"D {path}\n" for path in commit.removed),
        *(f"M 100644 inline {path}\n{_data(text)}" for path, text in commit.files.items()),
    ]
    return "".join(parts).encode()


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"
