"""Pages and sitemaps, over real HTTP on this machine."""

import contextlib
import gzip
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pandas as pd
import pytest

import picora_analytics as pic
from picora_analytics.references.pages import Answer, Entry, PageError, page_of, read_answer

IDS = ["aB3dE5fG7hJ", "bB3dE5fG7hJ", "cB3dE5fG7hJ", "dB3dE5fG7hJ"]


@pytest.fixture
def site():
    """Give a server whose pages a test fills in: a body, or a status and headers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            answer = self.server.pages.get(self.path, (404, {}, b""))
            status, headers, body = answer if isinstance(answer, tuple) else (200, {}, answer)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{server.server_port}"
    server.pages, server.asked = {}, []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def scan(url, **options):
    return pic.find_references(pd.Index(IDS), url, progress=False, **options)


def sitemap(*urls, kind="urlset", entry="url"):
    rows = "".join(f"<{entry}><loc>{url}</loc></{entry}>" for url in urls)
    return (
        f'<?xml version="1.0"?><{kind} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</{kind}>'
    ).encode()


def page(number):
    return f"<img src='https://img.picora.com/{IDS[number]}.png'>".encode()


@pytest.mark.slow
def test_the_pages_of_nested_sitemaps_are_read_each_once(site):
    site.pages = {
        "/sitemap.xml": sitemap(
            f"{site.url}/a.xml", f"{site.url}/b.xml.gz", kind="sitemapindex", entry="sitemap"
        ),
        "/a.xml": sitemap(f"{site.url}/1", f"{site.url}/2"),
        "/b.xml.gz": gzip.compress(sitemap(f"{site.url}/2", f"{site.url}/3")),
        "/1": page(0),
        "/2": page(1),
        "/3": page(2),
    }

    references = scan(f"{site.url}/sitemap.xml")

    assert references.complete, references
    assert set(references.found["id"]) == set(IDS[:3])
    assert references.found["source"][0] == f"{site.url}/1"
    assert sorted(site.asked) == sorted({*site.pages, "/robots.txt"})


@pytest.mark.slow
def test_a_page_is_read_alone(site):
    site.pages = {"/post": page(0) + f"<a href='{site.url}/other'>".encode()}

    references = scan(f"{site.url}/post")

    assert references.complete
    assert site.asked == ["/robots.txt", "/post"]


@pytest.mark.slow
def test_what_robots_txt_forbids_is_not_asked_and_turns_the_answer(site):
    site.pages = {
        "/robots.txt": b"User-agent: *\nDisallow: /secret\n",
        "/sitemap.xml": sitemap(f"{site.url}/secret/1", f"{site.url}/1"),
        "/1": page(0),
        "/secret/1": page(1),
    }

    references = scan(f"{site.url}/sitemap.xml")

    assert "/secret/1" not in site.asked
    assert not references.complete
    assert "robots.txt" in references.problems()[0]
    assert scan(f"{site.url}/sitemap.xml", exclude=["/secret/**"]).complete


@pytest.mark.parametrize(
    "other",
    [
        "http://169.254.169.254/latest",
        "http://localhost:1/x",
        "https://img.example.com/x",
        "http://u:p@127.0.0.1/",
        "file:///etc/passwd",
        "not an address",
    ],
)
@pytest.mark.slow
def test_another_host_is_never_asked(site, other):
    site.pages = {
        "/sitemap.xml": sitemap(other.replace("&", "&amp;"), f"{site.url}/1"),
        "/1": page(0),
    }

    references = scan(f"{site.url}/sitemap.xml")

    assert set(site.asked) == {"/robots.txt", "/sitemap.xml", "/1"}
    assert not references.complete
    assert "another host" in references.problems()[0]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param((500, {}, b""), "the host answered 500", id="500"),
        pytest.param((403, {}, page(0)), "the host answered 403", id="403"),
        pytest.param(
            (302, {"Location": "http://example.com/"}, b""),
            "leads to another host",
            id="redirect away",
        ),
        pytest.param(
            (302, {"Location": "/1"}, b""), "more than 5 redirects", id="redirect in circles"
        ),
        pytest.param(
            (200, {"Content-Encoding": "gzip"}, b"no gzip"), "no whole answer", id="broken gzip"
        ),
        pytest.param(b"\x1f\x8b broken", "damaged gzip", id="broken gzip file"),
        pytest.param(b"<urlset><url><loc>", "a broken sitemap", id="cut sitemap"),
        pytest.param(
            b'<!DOCTYPE x [<!ENTITY a "b">]><urlset><url><loc>&a;</loc></url></urlset>',
            "document type",
            id="entities",
        ),
        pytest.param(b"<urlset/>", "lists nothing", id="an empty sitemap"),
        pytest.param(
            b"<urlset><url><loc>/2</loc></url><url/></urlset>", "without an address", id="no loc"
        ),
        pytest.param(
            (302, {"Location": "/login"}, b""), "leads to 127.0.0.1/login", id="a login by redirect"
        ),
        pytest.param(
            b"<META content='0; URL=/real' HTTP-EQUIV=refresh>", "127.0.0.1/real", id="meta refresh"
        ),
        pytest.param(
            (200, {"Refresh": "3;/real"}, page(0)), "127.0.0.1/real", id="a header Refresh"
        ),
        pytest.param(b'{"success": false}', "reports an error", id="JSON of a failure"),
        pytest.param(
            b"\xef\xbb\xbf<?xml version='1.0'?><?xml-stylesheet href='a'?><RSS version='2'/>",
            "neither a page nor a sitemap",
            id="a feed with a style sheet",
        ),
    ],
)
@pytest.mark.slow
def test_what_cannot_be_read_turns_the_answer(site, answer, said):
    site.pages = {"/1": answer, "/login": b"<form>", "/real": page(1)}

    references = scan(f"{site.url}/1")

    assert not references.complete
    assert said in references.problems()[0]


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda text: text.encode("utf-16"), id="UTF-16"),
        pytest.param(
            lambda text: text.replace("<urlset", f"<!--{'x' * 5000}--><urlset").encode(),
            id="a long head",
        ),
        pytest.param(
            lambda text: (
                re.sub(r"<(/?)(\w)", r"<\1s:\2", text).replace("xmlns=", "xmlns:s=").encode()
            ),
            id="a prefix",
        ),
        pytest.param(
            lambda text: re.sub("</?[a-z]+", lambda tag: tag[0].upper(), text).encode(),
            id="capitals",
        ),
    ],
)
@pytest.mark.slow
def test_a_sitemap_is_one_however_it_is_written(site, write):
    text = sitemap(f"{site.url}/1").decode().removeprefix('<?xml version="1.0"?>')
    site.pages = {"/sitemap.xml": write(text), "/1": page(0)}

    references = scan(f"{site.url}/sitemap.xml")

    assert references.complete, references
    assert references.found["id"].tolist() == [IDS[0]]


@pytest.mark.parametrize(
    "body", [b"", b" \n", b"<rss version='2'><channel/></rss>", b"http://127.0.0.1/a\n"]
)
@pytest.mark.slow
def test_what_is_neither_page_nor_sitemap_turns_the_answer(site, body):
    site.pages = {"/x": body}

    assert not scan(f"{site.url}/x").complete


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sitemap.xml", "posts.xml.gz", "sitemap/", "listed"])
def test_what_should_be_a_sitemap_and_is_a_page_turns_the_answer(site, name):
    listing = sitemap(f"{site.url}/listed", kind="sitemapindex", entry="sitemap")
    site.pages = {f"/{name}": b"<form>Please log in</form>", "/index": listing}

    references = scan(f"{site.url}/{'index' if name == 'listed' else name}")

    assert references.problems() == [f"{site.url}/{name}, no sitemap"]


@pytest.mark.slow
def test_one_answer_at_two_addresses_turns_the_answer(site):
    site.pages = {"/x": sitemap(f"{site.url}/1", f"{site.url}/2"), "/1": b"<form>", "/2": b"<form>"}

    references = scan(f"{site.url}/x")

    assert references.problems() == [f"{site.url}/2, the same answer as /1; exclude one of them"]
    assert scan(f"{site.url}/x", exclude=["2"]).complete


@pytest.mark.slow
def test_pages_under_their_usual_names_are_read_as_ever(site):
    site.pages = {
        "/sitemap.xml": (301, {"Location": "/all"}, b""),
        "/all": sitemap(*(f"{site.url}/{name}" for name in ("1", "1/", "2.html", "A", "3"))),
        "/1": (301, {"Location": "/1/"}, b""),
        "/1/": page(0),
        "/2.html": (308, {"Location": "/2"}, b""),
        "/2": page(1),
        "/A": (301, {"Location": "/a/index.html"}, b""),
        "/a/index.html": page(2),
        "/3": b"<meta http-equiv='refresh' content='300'><meta name=a content='0;/b'>" + page(3),
    }

    references = scan(f"{site.url}/sitemap.xml")

    assert references.complete, references
    assert sorted(set(references.found["id"])) == IDS


LONG = 1 << 16


@pytest.mark.parametrize(
    "body",
    [
        b"<meta http-equiv=" + b" " * LONG + b"x>",
        b"<meta http-equiv=" + b"'" + b" " * LONG + b"x>",
        b"<meta http-equiv=refresh content=" + b" " * LONG + b">",
        b"<meta http-equiv=refresh content='0;" + b" " * LONG + b"'>",
        b"<meta http-equiv=refresh content='0; url" + b" " * LONG + b"'>",
        b"<meta http-equiv=refresh content='" + b"0" * LONG + b"'>",
        b"<meta " * (LONG // 6),
        b"<" + b"a." * (LONG // 2),
        b"<!x>" + b" " * LONG + b"<!x> " * (LONG // 5),
        b"https://" + b"a" * LONG + b" " * LONG + b"x",
    ],
    ids=lambda body: body[:40].decode().strip(),
)
def test_a_page_of_endless_blanks_takes_no_endless_time(body):
    url = "http://127.0.0.1/a"
    begun = time.process_time()

    with contextlib.suppress(PageError):
        read_answer(Entry(url, False), Answer(httpx.URL(url), 200, body, ""))

    assert time.process_time() - begun < 1


def test_an_address_of_endless_slashes_takes_no_endless_time():
    begun = time.process_time()

    assert page_of("http://a/" + "/" * 60_000 + "x") == ("a", "/" * 60_001 + "x", b"")

    assert time.process_time() - begun < 1


def test_a_letter_of_endless_digits_in_a_page_is_none():
    url = "http://127.0.0.1/a"
    body = b"<meta content='&#" + b"9" * LONG + b";'>"

    assert read_answer(Entry(url, False), Answer(httpx.URL(url), 200, body, "")) is None


BROKEN = ["http://xn--a/b", "http://[::1", "http://127.0.0.1:port/", "http://127.0.0.1:99999/"]


@pytest.mark.parametrize("address", [*BROKEN, "http://xn--/", "http://" + "a" * 64 + ".example/"])
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda url: sitemap(url), id="a sitemap"),
        pytest.param(lambda url: (302, {"Location": url}, b""), id="a redirect"),
        pytest.param(lambda url: (200, {"Refresh": f"0; url={url}"}, b"x"), id="a header Refresh"),
        pytest.param(
            lambda url: f"<meta http-equiv=refresh content='0; url={url}'>".encode(), id="meta"
        ),
    ],
)
def test_an_address_that_is_none_turns_the_answer(site, answer, address):
    site.pages = {"/1": answer(address)}

    assert not scan(f"{site.url}/1").complete


@pytest.mark.parametrize(
    "line", ["Crawl-delay: " + "9" * 5000, "Disallow: //[", "Crawl-delay: \u00b2"]
)
def test_a_robots_txt_that_cannot_be_understood_turns_the_answer(site, line):
    site.pages = {"/robots.txt": f"User-agent: *\n{line}\n".encode(), "/1": page(0)}

    references = scan(f"{site.url}/1")

    assert references.complete or "robots.txt" in references.problems()[0]


@pytest.mark.parametrize(
    "address",
    [
        *BROKEN,
        "http://",
        "http:///a",
        "http://a\0b/",
        "http://a..b/",
        "https://" + "a" * 64 + ".example",
        "https://example.com/" + "a" * 70_000,
    ],
    ids=lambda address: ascii(address[:40]),
)
def test_a_mistyped_address_is_named_before_anything_is_read(site, address):
    with pytest.raises(ValueError, match="is not an address that can be read") as caught:
        pic.find_references(pd.Index(IDS), f"{site.url}/1", address, progress=False)

    assert not site.asked
    assert address[:12].replace("\0", "\ufffd") in str(caught.value)
    assert len(str(caught.value)) < 200


def test_a_host_without_robots_that_can_be_read_is_left_alone(site):
    site.pages = {"/robots.txt": (503, {}, b""), "/1": page(0)}

    references = scan(f"{site.url}/1")

    assert not references.complete
    assert site.asked == ["/robots.txt"]


@pytest.mark.parametrize("tag", ["<meta http-equiv=", "<meta http-equiv='", "<meta content="])
def test_a_page_of_blanks_is_read_to_its_end(site, tag):
    site.pages = {"/1": tag.encode() + b" " * 500_000 + b"x>" + page(0)}

    assert scan(f"{site.url}/1").found["id"].tolist() == [IDS[0]]
