"""Every way an id stands in a file: found; what only looks like one: not; what cannot be read: said so."""

import base64
import gzip
import io
import json
import os
import random
import string
import tarfile
import zipfile

import pandas as pd
import pytest
from hypothesis import example, given, strategies as st

import picora_analytics as pic
from picora_analytics.references.scanning import PIECE
from picora_analytics.references.tokens import IdFinder

# With what some writer escapes, and at both ends.
IDS = ["aB3dE5fG7hJ", "_x-dE5fG7h-", "-_-_-_-_-_-", "00000000000", "Zz9Yy8Xx7Ww"]
HOST = "https://img.picora.com/"


def scan(folder, ids=IDS, **options):
    return pic.find_references(pd.Index(ids), folder, progress=False, **options)


def found_in(folder, ids=IDS, **options):
    return set(scan(folder, ids, **options).found["id"])


def json_escaped(text):
    return "".join(f"\\u{ord(char):04x}" if char in "_-/:" else char for char in text)


WRITTEN = {
    "Markdown": "![a]({}.png)",
    "Markdown that escapes": lambda url: (
        "![a](" + url.replace("_", r"\_").replace("-", r"\-") + ".png)"
    ),
    "a title": '![a]({}.png "a title")',
    "in angle brackets": "![a](<{}.png>)",
    "a reference link": "[pic]: {}.png\n![a][pic]",
    "a link title": "[{0}.png]({0}.png)",
    "HTML": '<img src="{}.png">',
    "HTML without quotes": "<img src={}.png>",
    "entities": lambda url: url.replace("/", "&#x2F;").replace("_", "&#95;").replace("-", "&#x2d;"),
    "srcset": '<img srcset="{0}.png?w=320 320w, {0}.png?w=640&amp;fmt=webp 2x">',
    "CSS": "a {{ background: url({}.png) }}",
    "CSS with quotes": "a {{ background: url( '{}.png' ) }}",
    "JSON": lambda url: json.dumps({"url": url}),
    "escaped JSON": lambda url: json.dumps({"url": url}).replace("/", r"\/"),
    "JSON that escapes all": lambda url: json_escaped(url),
    "JSON in JSON": lambda url: json.dumps(json.dumps({"u": json_escaped(url)})),
    "JavaScript": lambda url: url.replace("_", r"\x5f").replace("-", r"\x2D"),
    "percent": lambda url: url.replace(":", "%3A").replace("/", "%2F"),
    "percent that escapes all": lambda url: url.replace("_", "%5F").replace("-", "%2d"),
    "percent twice": lambda url: (
        url.replace("/", "%252F").replace("_", "%255F").replace("-", "%252D")
    ),
    "a proxy": "https://images.example/resize?url={}.png&w=300",
    "a custom domain": lambda url: url.replace("img.picora.com", "bilder.müller.example"),
    "no scheme": lambda url: url.removeprefix("https:"),
    "no extension": "{}",
    "the id alone": lambda url: url.removeprefix(HOST),
    "glued": lambda url: f"x{url.removeprefix(HOST)}x",
    "a file name": lambda url: f"thumb_{url.removeprefix(HOST)}_small.webp",
    "YAML": "cover: {}.png",
    "TOML": 'cover = "{}.png"',
    "MDX": "<Figure src={{`{}.png`}} />",
    "a canvas file": lambda url: json.dumps({"nodes": [{"type": "link", "url": url}]}),
    "SQL": r"INSERT INTO posts VALUES ('<img src=\"{}.png\">');",
    "WXR": '<content:encoded><![CDATA[<img src="{}.png">]]></content:encoded>',
    "LaTeX": lambda url: url.replace("_", r"\_"),
    "padded entities": lambda url: url.replace("_", "&#0095;").replace("-", "&#x002D;"),
    "named entities": lambda url: url.replace("_", "&UnderBar;").replace("-", "&hyphen;"),
    "entities twice": lambda url: url.replace("_", "&amp;amp;#95;").replace("-", "&amp;hyphen;"),
    "entities by percent": lambda url: url.replace("_", "%26%2395%3B").replace("-", "%26%2345%3b"),
    "entities in JSON": lambda url: url.replace("_", r"\u0026#95;").replace("-", r"\u0026#45;"),
    "soft hyphens": lambda url: f"{url[:-4]}&shy;{url[-4:]}",
    "JavaScript's braces": lambda url: url.replace("_", r"\u{5f}").replace("-", r"\u{2D}"),
    "Python": lambda url: url.replace("_", r"\U0000005f").replace("-", r"\U0000002d"),
    "octal": lambda url: url.replace("_", r"\137").replace("-", r"\055"),
    "CSS that escapes": lambda url: url.replace("_", r"\00005f").replace("-", "\\00002D "),
    "RTF": lambda url: url.replace("_", r"\'5f").replace("-", r"\'2D"),
    "JSON, percent": lambda url: url.replace("_", r"\u00255F").replace("-", "%u002D"),
    "a query like quoted-printable": lambda url: f"/img?id=2D%5F {url}",
    "quoted-printable in lower case": lambda url: url.replace("_", "=5f").replace("-", "=2d"),
    "quoted-printable, broken": lambda url: f"{url[:-4]}=\n{url[-4:]}".replace("\n", "\r\n"),
    "quoted-printable": lambda url: url.replace("_", "=5F").replace("-", "=2D"),
    "an address over two lines": lambda url: f'<img src="{url[:-4]}\n{url[-4:]}.png">',
    "an address over two lines, CRLF": lambda url: f"<img src='{url[:-7]}\r\n{url[-7:]}'>",
    "gettext": lambda url: f'msgstr "{url[:-4]}"\n"{url[-4:]}.png"',
    "gettext, CRLF": lambda url: f'msgstr "{url[:-1]}"\r\n"{url[-1:]}.png"',
    "C": lambda url: f'char *url = "{url[:-4]}" \\\n    "{url[-4:]}.png";',
    "Python's strings side by side": lambda url: f"url = ('{url[:-4]}'\n\t'{url[-4:]}.png')",
    "JavaScript's sum": lambda url: f'url = "{url[:-4]}" +\n  "{url[-4:]}.png";',
    "PHP's sum": lambda url: f"$url = '{url[:-4]}'\n    . '{url[-4:]}.png';",
    "strings on three lines": lambda url: f'"{url[:-8]}"\n"{url[-8:-4]}"\n"{url[-4:]}.png"',
    "strings put together": lambda url: f'msgid "{url[:-4]}"\n"{url[-4:]} a"',
    "indented strings": lambda url: f"see = '{url[:-7]}'\r\n\t  '{url[-7:]}'",
    "a calendar": lambda url: f"BEGIN:VEVENT\r\n  {url[:-4]}\r\n {url[-4:]}".replace("\r\n  ", " "),
}


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize(
    ("first", "fold"),
    [
        pytest.param(b"", b"=%s", id="quoted-printable"),
        pytest.param(b"BEGIN:VCALENDAR%s", b"%s ", id="a calendar"),
        pytest.param(b"", b'"%s"', id="gettext"),
    ],
)
def test_it_is_found_wherever_a_broken_line_meets_the_end_of_a_piece(
    newline, first, fold, tmp_path
):
    fold = fold % newline
    first = first % newline if first else first
    url = HOST + IDS[0]
    for before in range(-len(url) - 8, 8, 5):
        # Whole lines of filling, then one whose break may be the last of a piece.
        filling = (b"x " * 30 + fold) * ((PIECE + before) // (60 + len(fold)))
        rest = PIECE + before - len(first) - len(filling)
        text = first + filling + b"y" * rest
        (tmp_path / "page").write_bytes(text + url[:-4].encode() + fold + url[-4:].encode() + b" z")

        assert set(scan(tmp_path).found["id"]) == {IDS[0]}, before


@pytest.mark.parametrize("image_id", IDS)
@pytest.mark.parametrize("way", WRITTEN.values(), ids=WRITTEN)
def test_it_is_found_however_it_is_written(way, image_id, tmp_path):
    url = HOST + image_id
    text = way(url) if callable(way) else way.format(url)
    (tmp_path / "page").write_text(f"before\n{text}\nafter\n", encoding="utf-8")

    references = scan(tmp_path)

    assert set(references.found["id"]) == {image_id}
    assert references.found["line"][0] == 2
    assert references.dangling.empty
    assert references.complete


@pytest.mark.parametrize(
    "encode",
    [
        pytest.param(lambda text: text.encode("utf-8-sig"), id="UTF-8 with a BOM"),
        pytest.param(lambda text: text.encode("utf-16"), id="UTF-16"),
        pytest.param(lambda text: text.encode("utf-16-le"), id="UTF-16 LE without a BOM"),
        pytest.param(lambda text: text.encode("utf-16-be"), id="UTF-16 BE without a BOM"),
        pytest.param(lambda text: text.encode("utf-32"), id="UTF-32"),
        pytest.param(lambda text: text.replace("图", "é").encode("latin-1"), id="Latin-1"),
        pytest.param(lambda text: text.encode("gb18030"), id="GB18030"),
        pytest.param(lambda text: text.replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param(lambda text: text.replace("\n", "\r").encode(), id="CR"),
    ],
)
def test_it_is_found_in_every_encoding(encode, tmp_path):
    (tmp_path / "页面.md").write_bytes(
        encode("图 one\n" + "\n".join(HOST + one for one in IDS) + "\n图\n")
    )

    references = scan(tmp_path)

    assert set(references.found["id"]) == set(IDS)
    assert references.complete


def zipped(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def tarred(name, data):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


PAGE = f"one {HOST}{IDS[0]}.png".encode()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(zipped({"a.md": PAGE}), id="zip"),
        pytest.param(zipped({"b.zip": zipped({"a.md": PAGE})}), id="zip in zip"),
        pytest.param(gzip.compress(PAGE), id="gzip"),
        pytest.param(gzip.compress(b"nothing ") + gzip.compress(PAGE), id="gzip in two members"),
        pytest.param(gzip.compress(tarred("a.md", PAGE)), id="tar in gzip"),
        pytest.param(tarred("a.zip", zipped({"a.md": PAGE})), id="zip in tar"),
        pytest.param(
            zipped(
                {"word/_rels/document.xml.rels": PAGE, "word/media/a.png": b"\x89PNG\r\n\x1a\n\0"}
            ),
            id="Office",
        ),
    ],
)
def test_it_is_found_in_archives(data, tmp_path):
    (tmp_path / "no-suffix").write_bytes(data)

    references = scan(tmp_path)

    assert set(references.found["id"]) == {IDS[0]}
    assert references.complete, references


@pytest.mark.parametrize("shift", range(-13, 3))
def test_it_is_found_across_the_edge_of_a_piece(shift, tmp_path):
    (tmp_path / "endless").write_bytes(
        b"x" * (PIECE + 4096 + shift) + IDS[1].encode() + b"y" * 3000
    )

    assert found_in(tmp_path) == {IDS[1]}


@pytest.mark.slow
def test_a_line_of_fifty_megabytes_and_its_number(tmp_path):
    (tmp_path / "a.sql").write_bytes(b"first\n" + b"lorem ipsum " * 4_400_000 + PAGE + b"\n" + PAGE)

    assert scan(tmp_path).found["line"].tolist() == [2, 3]


def test_what_only_looks_like_an_id_is_none(tmp_path):
    rng = random.Random(1)
    letters = string.ascii_letters + string.digits + "_-"
    videos = " ".join(f"https://youtu.be/{''.join(rng.choices(letters, k=11))}" for _ in range(500))
    blob = base64.b64encode(rng.randbytes(3_000_000)).decode()
    split = f"{IDS[0][:5]} {IDS[0][5:]} {IDS[0][:10]}"
    (tmp_path / "a.html").write_text(f"{videos}\n<img src='data:image/png;base64,{blob}'>\n{split}")

    references = scan(tmp_path)

    assert references.found.empty
    assert references.dangling.empty
    assert references.complete


def test_another_case_protects_and_dangles_with_the_id_that_is_meant(tmp_path):
    (tmp_path / "a.md").write_text(f"![a]({HOST}{IDS[0].lower()}.png)")

    references = scan(tmp_path)

    assert references.status(pd.Index([IDS[0]])).tolist() == ["found"]
    assert references.dangling[["address", "nearest"]].values.tolist() == [
        [f"{HOST}{IDS[0].lower()}.png", IDS[0]]
    ]


@pytest.mark.parametrize(
    "text",
    ["{}", "{} {}", '{{"u": "{}"}}'],
)
@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda url: url, id="plain"),
        pytest.param(lambda url: url.replace("/", r"\/"), id="JSON"),
        pytest.param(lambda url: url.replace(":", "%3A").replace("/", "%2F"), id="percent"),
        pytest.param(lambda url: url.replace("/", "&#x2F;"), id="entities"),
        pytest.param(lambda url: url.replace("img.picora.com", "IMG.Picora.com"), id="capitals"),
        pytest.param(lambda url: url + "?w=300&fmt=webp", id="parameters"),
    ],
)
def test_an_address_of_a_deleted_image_dangles(write, text, tmp_path):
    gone = "gone_00-000"
    url = write(f"{HOST}{gone}.png")
    (tmp_path / "a.md").write_text(f"first\n{text.format(url, url)} {HOST}{IDS[0]}.png")

    dangling = scan(tmp_path).dangling

    assert len(dangling) == 1
    assert gone in dangling["address"][0]
    assert dangling["line"][0] == 2


def test_the_hosts_of_a_library_are_its_own(make_images, tmp_path):
    images = make_images(id=IDS, url=[f"https://pics.example.com/a/{one}.png" for one in IDS])
    (tmp_path / "a.md").write_text(
        "https://pics.example.com/a/goneGONEgon.png https://other.example.com/a/goneGONEgon.png "
        "https://notpics.example.com/a/goneGONEgon.png https://pics.example.com/blog/hello-world"
    )

    dangling = pic.find_references(images, tmp_path, progress=False).dangling

    assert dangling["address"].tolist() == ["https://pics.example.com/a/goneGONEgon.png"]


@pytest.mark.parametrize(
    "first",
    [
        "OTTO",
        "ID3 tags",
        "GIF87a and",
        "RIFF",
        "icns",
        "8BPS",
        "ttcf",
        "OggS",
        "wOFF",
        "The ftyp",
        "BM",
        "true",
    ],
)
def test_a_text_that_begins_like_a_picture_is_a_text(first, tmp_path):
    (tmp_path / "a.md").write_text(f"{first} of {HOST}{IDS[0]}.png")

    assert found_in(tmp_path) == {IDS[0]}


def test_endless_escapes_take_no_endless_time(tmp_path):
    (tmp_path / "a").write_bytes(
        b"\\" * 80_000 + b"_" + b"%" + b"25" * 40_000 + b"5F" + b"&amp;" * 20_000
    )

    assert scan(tmp_path).complete


TAR = tarred("a.md", b"hello") + tarred("b.md", PAGE)
TWO = tarred("a.md", b"hello")[:1024] + tarred("b.md", PAGE)
UNREADABLE = {
    "two tars in one": TAR,
    "a cut tar": TWO[:1300],
    "a damaged tar": TWO[:1034] + b"\xff" + TWO[1035:],
    "two zips in one": zipped({"a": PAGE}) + zipped({"b": b"x"}),
    "UTF-16 and then UTF-8": ("hello\r\n" * 900).encode("utf-16-le") + PAGE,
    "a text and then gzip": b"#!/bin/sh\n" * 600 + gzip.compress(PAGE),
    "a text and then gzip, far behind": b"#!/bin/sh\n" * 300_000 + gzip.compress(PAGE),
    "a text and then no text, without NUL bytes": b"hello\n" * 900 + bytes(range(1, 256)) * 20,
    "UTF-16 and then gzip": ("hello\r\n" * 900).encode("utf-16")
    + gzip.compress(random.Random(3).randbytes(5000)),
    "a PDF": b"%PDF-1.7\nx",
    "a PDF after a blank line": b"\r\n%PDF-1.7\nx",
    "7z": b"7z\xbc\xaf\x27\x1cxxxx",
    "xz": b"\xfd7zXZ\0xxxxxxxxx",
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "a cut zip": zipped({"a.md": PAGE * 100})[:-30],
    "a cut gzip": gzip.compress(random.Random(1).randbytes(5000))[:-9],
    "a damaged zip": zipped({"a.md": random.Random(1).randbytes(999)}).replace(
        b"PK\1\2", b"PK\1\3"
    ),
    "zips too deep": zipped(
        {"a.zip": zipped({"a.zip": zipped({"a.zip": zipped({"a.md": PAGE})})})}
    ),
    "brotli or the like": random.Random(2).randbytes(3000),
    "an Access database": b"\0\1\0\0Standard ACE DB\0" + bytes(range(256)) * 8 + PAGE,
    "an old Access database": b"\0\1\0\0Standard Jet DB\0" + bytes(range(256)) * 8 + PAGE,
    "what begins like a font": b"\0\1\0\0\0\x0b" + bytes(range(256)) * 8 + PAGE,
    "a database": b"SQLite format 3\0" + bytes(100),
    "encrypted": b"Salted__" + bytes(range(200)),
}


@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_turns_the_answer(data, tmp_path):
    (tmp_path / "a.md").write_bytes(PAGE)
    (tmp_path / "b.bin").write_bytes(data)

    references = scan(tmp_path)

    assert not references.complete
    assert references.status(pd.Index(IDS)).tolist() == ["found"] + ["could not look"] * 4
    assert any("b.bin" in text for text in references.problems())
    assert scan(tmp_path, exclude=["*.bin"]).complete


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"lines\n" * 900 + PAGE + b"\0", id="a zero byte"),
        pytest.param(b"lines\n" * 300_000 + b"\1\2\3" * 9000 + PAGE, id="control characters"),
        pytest.param(
            ("lines\n" * 900).encode("utf-16") + b"\0\xd8" * 9 + PAGE.decode().encode("utf-16-le"),
            id="UTF-16",
        ),
    ],
)
def test_a_text_with_a_binary_part_is_read_to_its_end(data, tmp_path):
    (tmp_path / "a").write_bytes(data)

    references = scan(tmp_path)

    assert references.status(pd.Index(IDS)).tolist() == ["found"] + ["could not look"] * 4
    assert "binary part" in references.problems()[0]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(("müde Züge\n" * 300_000).encode("latin-1"), id="Latin-1"),
        pytest.param(("图片和文字\n" * 300_000).encode("gb18030"), id="GB18030"),
        pytest.param(("图片和文字\n" * 300_000).encode("iso2022_jp", "ignore"), id="ISO-2022-JP"),
        pytest.param(("图片和文字\n" * 300_000).encode("utf-16"), id="UTF-16"),
        pytest.param(("图片 and\n" * 300_000).encode("utf-32"), id="UTF-32"),
        pytest.param(b"\x1b[31mred\x1b[0m\n" * 300_000, id="colors of a terminal"),
        pytest.param(b"x" * 4096 + b"\x1a", id="the end of a file in DOS"),
    ],
)
def test_a_long_text_is_one_to_its_end(data, tmp_path):
    (tmp_path / "a").write_bytes(data)

    assert scan(tmp_path).complete


def test_a_password_turns_the_answer(tmp_path):
    data = bytearray(zipped({"a.md": PAGE}))
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.find(mark) + place] |= 1
    (tmp_path / "a.zip").write_bytes(data)

    assert not scan(tmp_path).complete


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_turns_the_answer(tmp_path):
    (tmp_path / "a.md").write_bytes(PAGE)
    (tmp_path / "a.md").chmod(0)

    assert not scan(tmp_path).complete


def test_a_link_to_nowhere_turns_the_answer_and_loops_end(tmp_path):
    (tmp_path / "a.md").write_bytes(PAGE)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert scan(tmp_path).complete

    (tmp_path / "gone.md").symlink_to(tmp_path / "nothing")
    assert not scan(tmp_path).complete


def test_a_folder_without_a_text_proves_nothing(tmp_path):
    assert not scan(tmp_path).complete

    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert not scan(tmp_path).complete


PICTURES = {
    "a.png": b"\x89PNG\r\n\x1a\n\0",
    "a.jpg": b"\xff\xd8\xff\xe0\0",
    "a.gif": b"GIF89a\0",
    "a.webp": b"RIFF\0\0\0\0WEBPVP8 ",
    "a.avif": b"\0\0\0\x1cftypavif",
    "favicon.ico": b"\0\0\1\0\1\0",
    "a.woff2": b"wOF2\0\1",
    "a.ttf": b"\0\1\0\0\0\2\0\x20\0\1\0\0OS/2" + bytes(12) + b"head" + bytes(12),
    "a.eot": b"\x10\0\0\0\0\0\0\0\2\0\2\0" + bytes(22) + b"LP" + bytes(50),
    "a.mp4": b"\0\0\0\x18ftypmp42",
    "a.mp3": b"ID3\4\0",
    ".DS_Store": b"\0\0\0\1Bud1\0",
}
SITES = {
    "Hugo": ["content/posts/a/index.md", "themes/x/layouts/index.html", "hugo.toml", "static/"],
    "Docusaurus": [
        "docs/intro.mdx",
        "src/pages/index.tsx",
        "node_modules/x/index.js",
        "static/img/",
    ],
    "Obsidian": [
        "Notes/Ünïcödé note.md",
        "Board.canvas",
        "Draw.excalidraw.md",
        ".obsidian/app.json",
        "att/",
    ],
}


@pytest.mark.parametrize("paths", SITES.values(), ids=SITES)
def test_a_site_with_pictures_and_fonts_is_complete(paths, tmp_path):
    for number, path in enumerate(paths):
        if path.endswith("/"):
            (tmp_path / path).mkdir(parents=True)
            for name, data in PICTURES.items():
                (tmp_path / path / name).write_bytes(data)
        else:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(f"see {HOST}{IDS[number]}.png", encoding="utf-8")

    references = scan(tmp_path)

    assert references.complete, references
    assert set(references.found["id"]) == set(IDS[: len(paths) - 1])
    skipped = references.coverage.dropna(subset="skipped")
    assert skipped["n_files"].sum() == len(PICTURES)


def test_nothing_is_left_out_unasked_but_gits_own_data(tmp_path):
    for number, name in enumerate(("node_modules", ".venv", ".hidden", ".git")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.md").write_text(IDS[number])
    (tmp_path / ".gitignore").write_text("node_modules\n")

    assert found_in(tmp_path) == set(IDS[:3])
    references = scan(tmp_path, exclude=["node_modules/", ".venv/**"])
    assert set(references.found["id"]) == {IDS[2]}
    assert "excluded" in set(references.coverage["skipped"].dropna())
    assert references.complete


def test_strings_on_several_lines_keep_the_lines_of_what_follows(tmp_path):
    (tmp_path / "a.po").write_text(f'"a"\n"b "\n"{IDS[0][:5]}"\n"{IDS[0][5:]}"\n{IDS[1]}')

    found = scan(tmp_path).found

    assert sorted(zip(found["id"], found["line"], strict=True)) == [(IDS[1], 5), (IDS[0], 3)]


@pytest.mark.parametrize("between", ['",\n"', "\"\n'", '"\n\n"', '": "\n"', '"\nx"', '" "'])
def test_strings_that_are_no_neighbours_are_two(between, tmp_path):
    (tmp_path / "a").write_text(f'"{IDS[0][:5]}{between}{IDS[0][5:]}"')

    assert found_in(tmp_path) == set()


@given(
    st.lists(st.sampled_from(range(8)), max_size=12),
    st.sampled_from([None, b"%PDF", b"\xfd7zXZ\0"]),
)
@pytest.mark.slow
def test_no_image_in_use_or_not_looked_at_gets_into_a_plan(
    make_images, tmp_path_factory, used, odd
):
    ids = [f"{n}bcdefghij{n}" for n in range(9)]
    images = make_images(id=ids, updated_at=["2020-01-01"] * 9, created_at=["2020-01-01"] * 9)
    folder = tmp_path_factory.mktemp("site")
    (folder / "a.md").write_text(
        "pages " + " ".join(ids[n].swapcase() if n % 2 else ids[n] for n in used)
    )
    if odd:
        (folder / "b").write_bytes(odd)
    references = pic.find_references(images.iloc[:8], folder, progress=False)

    plan = pic.plan_deletion(
        images, images["size_bytes"] > 0, reason="all", protect=references, max_fraction=1
    )

    expected = set() if odd else {ids[n] for n in range(8) if n not in used}
    assert set(plan.images.index) == expected
    assert (
        "could not look" in repr(plan) if odd else "could not look:" not in repr(plan)
    ) or not expected


@pytest.mark.parametrize(
    "written",
    [
        "%61B3d_5fG-hJ",
        "%2561B3d%255F5fG-hJ",
        "&#97;B3d_5fG-hJ",
        "&#x61;B3d&#x5f;5fG-hJ",
        "".join(f"&#{ord(char)};" for char in "aB3d_5fG-hJ"),
        "".join(f"&#X{ord(char):x};" for char in "aB3d_5fG-hJ"),
        "".join(f"\\u{ord(char):04x}" for char in "aB3d_5fG-hJ"),
        "".join(f"\\x{ord(char):02X}" for char in "aB3d_5fG-hJ"),
        "\\u{61}B3d_5fG-hJ",
        "\\61 B3d_5fG-hJ",
        "aB3d\\00005f5fG-hJ",
        "\\000061B3d_5fG-hJ",
    ],
)
def test_an_id_of_which_any_letter_is_escaped_is_found(tmp_path, written):
    (tmp_path / "page.html").write_text(f"<img src='https://img.picora.com/{written}.png'>\n")

    found = pic.find_references(pd.Index(["aB3d_5fG-hJ"]), tmp_path, progress=False)

    assert list(found.found["id"]) == ["aB3d_5fG-hJ"]
    assert found.found["line"].tolist() == [1]


@pytest.mark.parametrize("text", ["&#961;B3d_5fG-hJ", "%g1B3d_5fG-hJ", "\\u0161B3d_5fG-hJ"])
def test_what_is_no_escape_of_a_letter_is_none(tmp_path, text):
    (tmp_path / "page.html").write_text(text)

    assert not len(pic.find_references(pd.Index(["aB3d_5fG-hJ"]), tmp_path, progress=False).found)


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n", b'"\n', b"=", b"'"])
def test_the_shortest_texts_hold_nothing(data, tmp_path):
    (tmp_path / "page.md").write_bytes(data)

    assert scan(tmp_path).found.empty


HOSTS = [b"pics.example.com", b"pics.example.cn", b"a.io", b"my-images-c", b"x,y.example.org"]


@given(
    st.lists(
        st.one_of(
            st.sampled_from([one.encode() for one in IDS]),
            st.sampled_from([one.swapcase().encode() for one in IDS]),
            st.sampled_from([*HOSTS, HOSTS[0].upper()]),
            st.binary(max_size=20),
            st.builds(
                bytes.__mul__, st.sampled_from([b" ", b"x", b"\xff", b"-"]), st.integers(0, 400)
            ),
        ),
        max_size=12,
    ).map(b"".join)
)
@example(b" " * 50 + IDS[0].encode())
def test_each_id_and_host_is_found_between_any_bytes(data):
    hits, hosts = IdFinder(IDS, HOSTS).find(data)

    lowered = data.lower()
    ids = {one.lower().encode(): one for one in IDS}
    places = range(len(data))
    assert [(hit.offset, hit.ids) for hit in hits] == [
        (place, (ids[lowered[place : place + 11]],))
        for place in places
        if lowered[place : place + 11] in ids
    ]
    assert hosts == [
        (place, host)
        for place in places
        for host in sorted(HOSTS)
        if lowered.startswith(host, place)
    ]
