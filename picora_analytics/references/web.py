"""A site as texts to scan: the pages of its sitemap, or one page, read politely and within bounds."""

from __future__ import annotations

import hashlib
import io
import time
import urllib.robotparser
from collections.abc import Iterator
from typing import IO, cast

import httpx

from picora_analytics.client.addresses import is_inside, leads_inside
from picora_analytics.client.proxies import open_transport, proxy_for
from picora_analytics.client.transport import ForbiddenAddressError
from picora_analytics.errors import TransportError
from picora_analytics.references.coverage import Coverage
from picora_analytics.references.pages import (
    MAX_BYTES,
    Answer,
    Entry,
    PageError,
    page_of,
    read_address,
    read_answer,
)
from picora_analytics.references.sources import Text, texts_of

__all__ = ["site_texts"]

AGENT = "picora-analytics"
MAX_PAGES = 50_000
MAX_SITEMAPS = 500
MAX_DELAY = 10.0  # Seconds between requests, whatever robots.txt asks for.
PATIENCE = 60.0  # Seconds for one answer.
REDIRECTS = 5


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
    typed = Entry.typed(url)
    with _Site(url) as site:
        waiting, seen, n_sitemaps, n_pages = [typed], {typed}, 0, 0
        while waiting:
            entry = waiting.pop(0)
            page = entry.url
            if coverage.excludes(httpx.URL(page).path.lstrip("/")):
                coverage.skip("excluded", 0)
                continue
            if n_pages >= MAX_PAGES:
                coverage.fail(page, f"more than {MAX_PAGES:,} pages")
                return
            n_pages += 1
            try:
                body, found = site.read(entry)
            except PageError as error:
                coverage.fail(page, str(error))
                continue
            yield from texts_of(cast(IO[bytes], io.BytesIO(body)), page, coverage)
            n_sitemaps += found is not None
            if n_sitemaps > MAX_SITEMAPS:
                coverage.fail(page, f"more than {MAX_SITEMAPS} sitemaps")
                continue
            for listed in found or ():
                if not site.owns(listed.url):
                    coverage.fail(
                        listed.url,
                        "on another host than the sitemap's; give it as a source of its own",
                    )
                elif listed not in seen:
                    seen.add(listed)
                    waiting.append(listed)


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
        self._answered: dict[bytes, str] = {}
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
            other = read_address(url)
        except ValueError:
            return False
        same_port = other.port == self._home.port
        return (
            other.host == self._home.host
            and same_port
            and not other.userinfo
            and other.scheme in {self._home.scheme, "https"}
        )

    def read(self, entry: Entry) -> tuple[bytes, list[Entry] | None]:
        """Read a page as far as robots.txt lets us, and what it lists if it is a sitemap."""
        if self._robots is None:
            self._robots = self._read_robots()
            asked = self._robots.crawl_delay(AGENT)
            self._delay = min(float(asked or 0), MAX_DELAY)
        if not self._robots.can_fetch(AGENT, entry.url):
            raise PageError("robots.txt asks not to read it")
        answer = self._get(entry.url)
        if answer.status != 200:
            raise PageError(f"the host answered {answer.status}")
        found = read_answer(entry, answer)
        # A login page, an error or the empty shell of an app is often the same wherever one asks.
        first = self._answered.setdefault(hashlib.sha256(answer.body).digest(), entry.url)
        if page_of(first) != page_of(entry.url):
            raise PageError(f"the same answer as {httpx.URL(first).path}; exclude one of them")
        return answer.body, found

    def _read_robots(self) -> urllib.robotparser.RobotFileParser:
        robots = urllib.robotparser.RobotFileParser()
        _, status, body, _ = self._get(str(self._home.copy_with(raw_path=b"/robots.txt")))
        if status == 200:
            try:
                robots.parse(body.decode("utf-8", "replace").splitlines())
            except ValueError:  # A number or an address that is none.
                raise PageError("its robots.txt cannot be understood") from None
        elif 400 <= status < 500:
            robots.allow_all = True  # type: ignore[attr-defined,unused-ignore]
        else:  # RFC 9309, 2.3.1.4: what cannot be asked is forbidden.
            raise PageError(f"its robots.txt cannot be read: the host answered {status}")
        return robots

    def _get(self, url: str) -> Answer:
        try:
            for _ in range(REDIRECTS + 1):
                time.sleep(max(0.0, self._asked + self._delay - time.monotonic()))
                self._asked = time.monotonic()
                until = self._asked + PATIENCE
                with self._client.stream("GET", url, extensions={"deadline": until}) as answer:
                    if not answer.has_redirect_location:
                        refresh = answer.headers.get("refresh", "")
                        return Answer(answer.url, answer.status_code, _bounded(answer), refresh)
                    target = str(answer.url.join(answer.headers["location"]))
                if not self.owns(target):
                    raise PageError("it leads to another host")
                url = target
        except ForbiddenAddressError as error:
            raise PageError(f"it is not asked: {error}") from None
        # httpx lets through what is wrong with a name: a ValueError.
        except (httpx.HTTPError, httpx.InvalidURL, TransportError, ValueError) as error:
            raise PageError(f"no whole answer ({type(error).__name__})") from None
        raise PageError(f"more than {REDIRECTS} redirects")


def _bounded(answer: httpx.Response) -> bytes:
    body = bytearray()
    for piece in answer.iter_bytes():
        body += piece
        if len(body) > MAX_BYTES:
            raise PageError(f"longer than {MAX_BYTES >> 20} MiB")
    return bytes(body)
