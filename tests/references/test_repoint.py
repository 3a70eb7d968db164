"""Repointing: the new ids stand where the old ones stood, and nothing else changes."""

import os
import shutil
import subprocess
import zipfile

import pandas as pd
import pytest
from hypothesis import given, strategies as st

import picora_analytics as pic
from picora_analytics import DemoServer

OLD, NEW = "aB3_E5fG-hJ", "kL-mN1p_3rS"


def _site(tmp_path, **files):
    site = tmp_path / "site"
    site.mkdir(exist_ok=True)
    for name, data in files.items():
        (site / name).write_bytes(data)
    return site


def _repointed(tmp_path, data, mapping=None):
    site = _site(tmp_path, page=data)
    pic.repoint({OLD: NEW} if mapping is None else mapping, site, check=False).write()
    return (site / "page").read_bytes()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"aB3_E5fG-hJ", b"kL-mN1p_3rS", id="plain"),
        pytest.param(rb"aB3\u005fE5fG-hJ", rb"kL-mN1p\u005f3rS", id="JSON"),
        pytest.param(rb"aB3\\u005FE5fG\\u002DhJ", rb"kL\\u002DmN1p\\u005F3rS", id="JSON in JSON"),
        pytest.param(b"aB3%5FE5fG%252DhJ", b"kL%252DmN1p%5F3rS", id="percent"),
        pytest.param(b"aB3&#95;E5fG&#x2d;hJ", b"kL&#x2d;mN1p&#95;3rS", id="HTML"),
        pytest.param(b"aB3&amp;#95;E5fG-hJ", b"kL-mN1p&amp;#95;3rS", id="HTML in HTML"),
        pytest.param(rb"aB3\_E5fG\-hJ", rb"kL\-mN1p\_3rS", id="Markdown"),
        pytest.param(rb"aB3\x5fE5fG\x2DhJ", rb"kL\x2DmN1p\x5f3rS", id="JavaScript"),
    ],
)
def test_the_new_id_is_escaped_as_the_old_one_was(tmp_path, old, new):
    around = b'x = "https:\\/\\/img.picora.com\\/%s.png?w=80&amp;fmt=webp"\r\n'

    assert _repointed(tmp_path, around % old) == around % new


@pytest.mark.parametrize(
    "around",
    [
        pytest.param('<img srcset="/i/{0}.png 1x, /i/{0}.png?w=2 2x">', id="srcset"),
        pytest.param("[a][pic]\n\n[pic]: https://x.example/{0}.png 'title'\n", id="reference link"),
        pytest.param("u=https%3A%2F%2Fimg.picora.com%2F{0}.png%3Fw=3", id="percent-encoded"),
        pytest.param("u=https%253A%252F%252Fimg.picora.com%252F{0}", id="percent twice"),
        pytest.param('"\\u002F{0}.png"', id="escaped slash"),
        pytest.param('"line\\n{0}.png"', id="after an escaped line end"),
        pytest.param("C:\\pictures\\{0}.png", id="Windows path"),
        pytest.param("图{0}图", id="between Chinese characters"),
        pytest.param("\ufeffurl({0}.png)", id="byte order mark"),
    ],
)
def test_every_form_is_found_and_kept(tmp_path, around):
    old, new = (around.format(image).encode() for image in (OLD, NEW))

    assert _repointed(tmp_path, old) == new


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1", "gb18030", "cp1252"])
def test_encodings_stay(tmp_path, encoding):
    word = "图片中国" if encoding == "gb18030" else "café ü"
    around = f"{word}\r\nhttps://img.picora.com/%s.png {word}\rend"

    assert _repointed(tmp_path, (around % OLD).encode(encoding)) == (around % NEW).encode(encoding)


def test_the_extension_changes_where_the_addresses_differ_in_it(tmp_path):
    mapping = {f"https://img.picora.com/{OLD}.png": f"https://media.picora.me/{NEW}.webp"}
    text = b"https://a.example/%b.png?w=1 /%b.PNG /%b%%2Epng /%b /%b. %b.gif"

    changed = _repointed(tmp_path, text % ((OLD.encode(),) * 6), mapping)

    new = (NEW.encode(),) * 6
    assert changed == b"https://a.example/%b.webp?w=1 /%b.WEBP /%b%%2Ewebp /%b /%b. %b.gif" % new


def test_an_id_alone_keeps_the_extension(tmp_path):
    assert _repointed(tmp_path, b"/%b.jpeg" % OLD.encode()) == b"/%b.jpeg" % NEW.encode()


def test_a_longer_name_and_files_that_are_no_text_are_left_and_named(tmp_path):
    old = OLD.encode()
    files = {
        "a.md": b"\n\nxx%byy" % old,
        "b.png": b"\x89PNG\r\n\x1a\n\0\0 %b" % old,
        "c.bin": b"\0\1\2 %b" % old,
        "d.zip": b"PK\3\4 %b" % old,
    }
    site = _site(tmp_path, **files)

    made = pic.repoint({OLD: NEW}, site, check=False)

    assert (made.n_places, made.n_files, made.diff, made.write()) == (0, 0, "", None)
    assert [(path.name, line, image) for path, line, image, _ in made.left] == [
        ("a.md", 3, OLD),
        *[(name, 0, OLD) for name in ("b.png", "c.bin", "d.zip")],
    ]
    assert "No place to repoint." in repr(made) and "part of a longer name" in repr(made)
    assert {path.name: path.read_bytes() for path in site.iterdir()} == files


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(b"aB3dE\\1375fG7h", id="octal"),
        pytest.param(b"aB3dE\\'5f5fG7h", id="RTF"),
        pytest.param(b"aB3dE%u005F5fG7h", id="an old percent escape"),
        pytest.param(b"aB3dE&UnderBar;5fG7h", id="an entity by name"),
        pytest.param(b"aB3dE_5f%477h", id="a letter by percent"),
        pytest.param(b"a&#66;3dE_5fG7h", id="a letter by entity"),
        pytest.param(b"aB3dE=5F5fG7h", id="quoted-printable"),
    ],
)
def test_what_a_search_finds_and_repoint_does_not_write_is_left_and_named(tmp_path, written):
    old, new = "aB3dE_5fG7h", NEW
    page = b"# Page\n\nhttps://img.picora.com/%b.png and /%b.png\n" % (written, old.encode())
    site = _site(tmp_path, **{"page.md": page})

    made = pic.repoint({old: new}, site, check=False)

    assert made.n_places == 1
    why = "it is escaped in a way that is not written anew"
    assert made.left == [(site / "page.md", 3, old, why)]
    made.write()
    assert (site / "page.md").read_bytes() == page.replace(old.encode(), new.encode())


def test_what_stands_in_an_archive_is_left_and_named(tmp_path):
    site = _site(tmp_path)
    with zipfile.ZipFile(site / "post.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", f"<a>{OLD}</a>" * 3)

    made = pic.repoint({OLD: NEW}, site, check=False)

    why = "it stands in 'word/document.xml' of an archive"
    assert made.left == [(site / "post.docx", 0, OLD, why)]
    assert made.diff == ""


def test_links_and_git_are_never_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "page.md").write_text(OLD)
    site = _site(tmp_path)
    (site / ".git").mkdir()
    (site / ".git" / "config").write_text(OLD)
    (site / "folder").symlink_to(outside)
    (site / "file.md").symlink_to(outside / "page.md")

    made = pic.repoint({OLD: NEW}, site, check=False)

    assert (made.n_places, made.left) == (0, [])
    with pytest.raises(ValueError, match=r"is git's own data, which is never changed\.$"):
        pic.repoint({OLD: NEW}, site / ".git", check=False)


A, B, C = "a" * 11, "b" * 11, "c" * 11


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        pytest.param(
            [(A, B), (B, C)], rf"which is itself to become {C}\. .*two runs\.$", id="chain"
        ),
        pytest.param([(A, B), (B, A)], rf"which is itself to become {A}\. .*runs\.$", id="cycle"),
        pytest.param([(A, A)], r"which is itself to become .*runs\.$", id="itself"),
        pytest.param(
            [(A, B), (A, C)], r"and also c{11}; keep one of the two rows\.$", id="two news"
        ),
        pytest.param([(A, "x.png")], r"nor an address that ends with one\.$", id="no id"),
    ],
)
def test_a_map_that_is_no_single_step_is_refused(tmp_path, rows, said):
    frame = pd.DataFrame(rows, columns=["old", "new"])

    with pytest.raises(ValueError, match=said):
        pic.repoint(frame, _site(tmp_path), check=False)


def test_two_old_ones_may_become_one(tmp_path):
    assert _repointed(tmp_path, f"{A} {B}".encode(), {A: C, B: C}) == f"{C} {C}".encode()


def _shapes(tmp_path):
    old, new = f"https://img.picora.com/{OLD}.png", f"https://img.picora.com/{NEW}.webp"
    (tmp_path / "restored.csv").write_text(f"old_url,new_url\n{old},{new}\n")
    (tmp_path / "map.csv").write_text(f"old;new\n{old};{new}\n")
    restored = {
        "old_id": [OLD, A],
        "new_id": [NEW, None],
        "old_url": [old, A],
        "new_url": [new, None],
    }
    return [
        {old: new},
        pd.Series({old: new}),
        pd.DataFrame({"old": [old], "new": [new]}),
        pd.DataFrame(restored | {"outcome": ["restored", "failed"]}),
        tmp_path / "restored.csv",
        str(tmp_path / "map.csv"),
    ]


@pytest.mark.parametrize("n", range(6))
def test_each_shape_of_a_map_is_taken(tmp_path, n):
    mapping = _shapes(tmp_path)[n]

    assert _repointed(tmp_path, f"/{OLD}.png".encode(), mapping) == f"/{NEW}.webp".encode()


def test_a_file_that_changed_since_is_refused_before_any_is_written(tmp_path):
    site = _site(tmp_path, a=OLD.encode(), b=OLD.encode())
    made = pic.repoint({OLD: NEW}, site, check=False)
    (site / "b").write_text("other")

    with pytest.raises(
        pic.PicoraError, match=r"b' has changed since it was read; call repoint again\.$"
    ):
        made.write()

    assert (site / "a").read_text() == OLD
    assert sorted(path.name for path in tmp_path.iterdir()) == ["site"]


def test_the_patch_is_kept_next_to_the_folder_and_the_mode_stays(tmp_path):
    site = _site(tmp_path, run=OLD.encode())
    (site / "run").chmod(0o755)
    (tmp_path / "site.repoint.patch").write_text("earlier")

    made = pic.repoint({OLD: NEW}, site, check=False)
    patch = made.write()

    assert patch == made.patch == tmp_path / "site.repoint-2.patch"
    assert patch.read_text() == made.diff
    assert (site / "run").stat().st_mode & 0o777 == 0o755
    assert str(patch) in repr(made)


def _git(folder, *arguments, data=b""):
    env = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
    }
    done = subprocess.run(["git", *arguments], cwd=folder, input=data, env=env, capture_output=True)
    assert done.returncode == 0, done.stderr


def _contents(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_git_applies_the_diff(tmp_path):
    image = OLD.encode()
    names = ["plain.md", "a b.md", "ü 图.md", 'quo"te\\.md', "tab\there.md", b"\xff.md"]
    site = _site(tmp_path)
    (site / "un ter").mkdir()
    for i, name in enumerate([*names, "un ter/x.md"]):
        path = os.fsencode(site) + b"/" + (name if isinstance(name, bytes) else os.fsencode(name))
        lines = [b"%d" % n for n in range(30)]
        lines[i] = lines[i + 1] = lines[20] = lines[-1] = image + b"\r caf\xe9"
        with open(path, "wb") as file:  # noqa: PTH123 (a name that is no UTF-8)
            file.write((b"\r\n" if i % 2 else b"\n").join(lines) + (b"\n" if i % 3 else b""))
    (site / "wide.txt").write_bytes(f"a\r\n{OLD}\r\nb".encode("utf-16"))
    copy, before = tmp_path / "copy", _contents(site)
    shutil.copytree(site, copy)

    made = pic.repoint({OLD: NEW}, site, check=False)
    patch = made.write()

    _git(copy, "apply", data=made.diff.encode("utf-8", "surrogateescape"))
    assert _contents(copy) == _contents(site) != before
    _git(site, "apply", "-R", str(patch))
    assert _contents(site) == before


IDS = st.text("abcXYZ019", min_size=9, max_size=9).map(
    lambda text: f"{text[:4]}_{text[4:7]}-{text[7:]}"
)
ESCAPED = {
    "plain": lambda text: text,
    "json": lambda text: text.replace("_", r"\u005f").replace("-", r"\u002D"),
    "percent": lambda text: text.replace("_", "%5F").replace("-", "%252d"),
    "html": lambda text: text.replace("_", "&#95;").replace("-", "&#x2D;"),
    "markdown": lambda text: text.replace("_", r"\_"),
}
BETWEEN = st.lists(
    st.sampled_from(["\r\n", "/", "%2F", " é ", "图", '"\\n', "=", "?w=1", ".", "\\/", "x"])
)


@given(
    ids=st.lists(IDS, min_size=2, max_size=8, unique=True),
    pieces=st.lists(
        st.tuples(BETWEEN, st.integers(0, 7), st.sampled_from(sorted(ESCAPED)), st.booleans()),
        max_size=12,
    ),
    encoding=st.sampled_from(["utf-8", "utf-16", "gb18030"]),
    addresses=st.booleans(),
)
@pytest.mark.slow
def test_a_map_and_its_inverse_give_the_files_back(
    tmp_path_factory, ids, pieces, encoding, addresses
):
    half = len(ids) // 2
    olds, news = ids[:half], ids[half : 2 * half]

    def one(old, new):
        return (
            (f"https://h.example/{old}.png", f"https://h.example/{new}.webp")
            if addresses
            else (old, new)
        )

    mapping = dict(map(one, olds, news))

    def text(images, extension):
        return "".join(
            "".join(between)
            + " /"
            + ESCAPED[way](images[n % half])
            + (extension if dotted else "")
            + " "
            for between, n, way, dotted in pieces
        )

    before = text(olds, ".png").encode(encoding)
    site = tmp_path_factory.mktemp("property")
    page = site / "in" / "page"
    page.parent.mkdir()
    page.write_bytes(before)

    made = pic.repoint(mapping, page.parent, check=False)
    made.write()

    assert made.n_places == len(pieces)
    assert page.read_bytes() == text(news, ".webp" if addresses else ".png").encode(encoding)
    pic.repoint({new: old for old, new in mapping.items()}, page.parent, check=False).write()
    assert page.read_bytes() == before


@given(data=st.binary(max_size=300), ids=st.lists(IDS, min_size=2, max_size=2, unique=True))
def test_bytes_without_an_old_id_stay(tmp_path_factory, data, ids):
    site = tmp_path_factory.mktemp("bytes")
    (site / "page").write_bytes(data)

    assert pic.repoint({ids[0]: ids[1]}, site, check=False).diff == ""


def test_strangers_text_is_dead_in_html(tmp_path):
    made = pic.repoint({OLD: NEW}, _site(tmp_path, a=f"<script>{OLD}\x1b[1m".encode()), check=False)

    assert "&lt;script&gt;" in made._repr_html_() and "<script>" not in made._repr_html_()
    assert "\x1b" not in made._repr_html_()


@pytest.fixture(scope="module")
def library():
    with DemoServer(n_images=20) as server, pic.Client(server.api_key, server.url) as client:
        images = pic.load_images(client, store=None, progress=False)
        yield images[images["is_public"]]


def test_an_address_that_answers_is_accepted(tmp_path, library):
    first = library.iloc[0]
    site = _site(tmp_path, a=OLD.encode())

    assert pic.repoint({OLD: first["url"]}, site).n_places == 1


def test_an_id_alone_is_asked_at_the_address_in_the_file(tmp_path, library):
    url = library.iloc[0]["url"]
    image = library.index[0]
    mapping = {url.replace(image, OLD): image}

    assert pic.repoint(mapping, _site(tmp_path, a=url.replace(image, OLD).encode())).n_places == 1


def test_an_address_that_does_not_answer_is_refused_by_name(tmp_path, library):
    url = library.iloc[0]["url"].replace(library.index[0], NEW)

    with pytest.raises(
        pic.PicoraError, match=rf"{NEW}.*: 127\.0\.0\.1 answered 404\. .*check=False\.$"
    ):
        pic.repoint({OLD: url}, _site(tmp_path, a=OLD.encode()))


def test_what_is_written_is_asked_and_not_what_was_given(tmp_path, library):
    first = library.iloc[0]
    elsewhere = f"http://127.0.0.1:9/{OLD}.png"

    with pytest.raises(pic.PicoraError, match=rf"http://127\.0\.0\.1:9/{library.index[0]}"):
        pic.repoint({elsewhere: first["url"]}, _site(tmp_path, a=elsewhere.encode()))


def test_a_file_cannot_make_us_ask_this_machine(tmp_path, library):
    url = library.iloc[0]["url"]
    page = url.replace(library.index[0], OLD).encode()

    with pytest.raises(
        pic.PicoraError, match=r"it is not asked: it is no public https address\. .*$"
    ):
        pic.repoint({OLD: library.index[0]}, _site(tmp_path, a=page))


def test_an_id_without_any_address_cannot_be_checked(tmp_path):
    with pytest.raises(pic.PicoraError, match=r"^No address is known for .* or check=False\.$"):
        pic.repoint({OLD: NEW}, _site(tmp_path, a=OLD.encode()))


@pytest.mark.parametrize("first", ["RIFF", "GIF87a and", "BZh", "OTTO"])
def test_a_text_that_begins_like_a_picture_is_rewritten(first, tmp_path):
    (tmp_path / "a.md").write_text(f"{first} https://img.picora.com/aB3dE5fG7hJ.png")

    pic.repoint({"aB3dE5fG7hJ": "zB3dE5fG7hJ"}, tmp_path, check=False).write()

    assert (tmp_path / "a.md").read_text() == f"{first} https://img.picora.com/zB3dE5fG7hJ.png"
