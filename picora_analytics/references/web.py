"""A site as texts to scan: the pages of its sitemap, or one page, read politely and within bounds."""

from __future__ import annotations

import gzip
import io
import re
import time
import urllib.robotparser
import zlib
from collections.abc import Iterator
from typing import IO, cast
from xml.parsers import expat

import httpx

from picora_analytics.client.addresses import is_inside, leads_inside
from picora_analytics.client.proxies import open_transport, proxy_for
from picora_analytics.client.transport import ForbiddenAddressError
from picora_analytics.errors import TransportError
from picora_analytics.references.coverage import Coverage
from picora_analytics.references.sources import Text, texts_of

__all__ = ["site_texts"]

AGENT = "picora-analytics"
MAX_BYTES = (
    50 << 20
)  # Of one page or sitemap, unpacked; the protocol allows no larger sitemap (sitemaps.org).
MAX_PAGES = 50_000
MAX_SITEMAPS = 500
MAX_DELAY = 10.0  # Seconds between requests, whatever robots.txt asks for.
PATIENCE = 60.0  # Seconds for one answer.
REDIRECTS = 5


_SITEMAP = re.compile(rb"<(?:[\w.-]+:)?(?:urlset|sitemapindex)[\s>]")
_FEED = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?<(?:rss|feed)[\s>]|\s*https?://\S+\s*(?:\n|$)")


class _PageError(Exception):
    """A page that could not be read; the message says why."""


def site_texts(url: str, coverage: Coverage) -> Iterator[Text]:
    """
    Read a page, or all pages that a sitemap lists.

    Only addresses on the host of `url` are read, one after the other, and none that its robots.txt forbids. What is
    not read, for whatever reason, is noted as a problem.

    Parameters
    ----------
    url : str
    coverage : Coverage
    """
    with _Site(url) as site:
        waiting, seen, n_sitemaps, n_pages = [url], {url}, 0, 0
        while waiting:
            page = waiting.pop(0)
            if coverage.excludes(httpx.URL(page).path.lstrip("/")):
                coverage.skip("excluded", 0)
                continue
            if n_pages >= MAX_PAGES:
                coverage.fail(page, f"more than {MAX_PAGES:,} pages")
                return
            n_pages += 1
            try:
                body = site.read(page)
                found = _sitemap_entries(body)
            except _PageError as error:
                coverage.fail(page, str(error))
                continue
            yield from texts_of(cast(IO[bytes], io.BytesIO(body)), page, coverage)
            n_sitemaps += found is not None
            if n_sitemaps > MAX_SITEMAPS:
                coverage.fail(page, f"more than {MAX_SITEMAPS} sitemaps")
                continue
            for entry in found or ():
                if not site.owns(entry):
                    coverage.fail(
                        entry, "on another host than the sitemap's; give it as a source of its own"
                    )
                elif entry not in seen:
                    seen.add(entry)
                    waiting.append(entry)


class _Site:
    """Connections to one host."""

    def __init__(self, url: str) -> None:
        self._home = httpx.URL(url)
        # The typed host may be this machine; a name that is not must not lead here.
        self._inside_allowed = leads_inside(self._home.raw_host.decode("ascii"))
        proxy = proxy_for(self._home)
        self._client = httpx.Client(
            transport=open_transport(self._home, proxy, allowed=self._allowed),
            headers={"User-Agent": AGENT},
            timeout=PATIENCE,
        )
        self._robots: urllib.robotparser.RobotFileParser | None = None
        self._asked = 0.0
        self._delay = 0.0

    def __enter__(self) -> _Site:
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    def _allowed(self, host: str, address: str) -> bool:
        return self._inside_allowed or not is_inside(address)

    def owns(self, url: str) -> bool:
        """Whether an address is on the typed host; from http to https is no other host."""
        try:
            other = httpx.URL(url)
        except (httpx.InvalidURL, ValueError):
            return False
        same_port = other.port == self._home.port
        return (
            other.host == self._home.host
            and same_port
            and not other.userinfo
            and other.scheme in {self._home.scheme, "https"}
        )

    def read(self, url: str) -> bytes:
        """Read a page as far as robots.txt lets us."""
        if self._robots is None:
            self._robots = self._read_robots()
            asked = self._robots.crawl_delay(AGENT)
            self._delay = min(float(asked or 0), MAX_DELAY)
        if not self._robots.can_fetch(AGENT, url):
            raise _PageError("robots.txt asks not to read it")
        status, body = self._get(url)
        if status != 200:
            raise _PageError(f"the host answered {status}")
        return body

    def _read_robots(self) -> urllib.robotparser.RobotFileParser:
        robots = urllib.robotparser.RobotFileParser()
        status, body = self._get(str(self._home.copy_with(raw_path=b"/robots.txt")))
        if status == 200:
            robots.parse(body.decode("utf-8", "replace").splitlines())
        elif 400 <= status < 500:
            robots.allow_all = True  # type: ignore[attr-defined,unused-ignore]
        else:  # RFC 9309, 2.3.1.4: what cannot be asked is forbidden.
            raise _PageError(f"its robots.txt cannot be read: the host answered {status}")
        return robots

    def _get(self, url: str) -> tuple[int, bytes]:
        try:
            for _ in range(REDIRECTS + 1):
                time.sleep(max(0.0, self._asked + self._delay - time.monotonic()))
                self._asked = time.monotonic()
                until = self._asked + PATIENCE
                with self._client.stream("GET", url, extensions={"deadline": until}) as answer:
                    if not answer.has_redirect_location:
                        return answer.status_code, _bounded(answer)
                    target = str(answer.url.join(answer.headers["location"]))
                if not self.owns(target):
                    raise _PageError("it leads to another host")
                url = target
        except ForbiddenAddressError as error:
            raise _PageError(f"it is not asked: {error}") from None
        except (httpx.HTTPError, httpx.InvalidURL, TransportError) as error:
            raise _PageError(f"no whole answer ({type(error).__name__})") from None
        raise _PageError(f"more than {REDIRECTS} redirects")


def _bounded(answer: httpx.Response) -> bytes:
    body = bytearray()
    for piece in answer.iter_bytes():
        body += piece
        if len(body) > MAX_BYTES:
            raise _PageError(f"longer than {MAX_BYTES >> 20} MiB")
    return bytes(body)


def _sitemap_entries(body: bytes) -> list[str] | None:
    """Give the addresses that a sitemap lists, or its feed's links in plain text; None if it is a page."""
    if body.startswith(b"\x1f\x8b"):
        try:
            body = gzip.GzipFile(fileobj=io.BytesIO(body)).read(MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error):
            raise _PageError("a damaged gzip file") from None
        if len(body) > MAX_BYTES:
            raise _PageError(f"unpacks to more than {MAX_BYTES >> 20} MiB")
    if body.startswith(b"\x1f\x8b"):
        raise _PageError("a gzip file in a gzip file")
    head = body.replace(b"\0", b"")[: 1 << 20]
    if not _SITEMAP.search(head):
        if not body.strip() or _FEED.match(head):
            raise _PageError("neither a page nor a sitemap that can be read")
        return None
    found: list[str] = []
    path: list[str] = []
    text: list[str] = []

    def start(name: str, _: object) -> None:
        path.append(name.rpartition(":")[2])
        text.clear()

    def end(_: str) -> None:
        if path[-2:] in (["url", "loc"], ["sitemap", "loc"]):
            found.append("".join(text).strip())
        path.pop()

    def refuse(*_: object) -> None:
        raise _PageError("a sitemap with a document type of its own")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise _PageError(f"a broken sitemap ({error})") from None
    return found
