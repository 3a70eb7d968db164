"""From a request to its call: routes, the key and its scopes, and the limits."""

from __future__ import annotations

import datetime as dt
import hmac
import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from picora_analytics.demo.answers import Problem, not_found
from picora_analytics.demo.limits import RateLimits, Verdict
from picora_analytics.demo.state import LibraryState

Shape = Literal["current", "seed"]


@dataclass(slots=True)
class Account:
    """Who the demo's one key belongs to, and how its service behaves."""

    api_key: str = field(repr=False)
    scopes: frozenset[str]
    user_id: str
    shape: Shape
    seed_only: bool
    total: bool
    time_zone: dt.timedelta
    quota_bytes: int
    pictures_url: str = ""


@dataclass(slots=True)
class Call:
    """What one request turned out to be; the request log is made from it."""

    authorized: bool = False
    tier: str | None = None
    ids: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Request, Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    path: re.Pattern[str]
    tier: str | None
    scope: str | None
    handler: Handler


class Router:
    """Finds the call that a request asks for, and lets it through or not."""

    def __init__(self, state: LibraryState, account: Account, limits: RateLimits | None) -> None:
        self.state = state
        self.account = account
        self.limits = limits
        self._routes: list[_Route] = []

    def route(
        self, method: str, path: str, tier: str | None, scope: str | None, handler: Handler
    ) -> None:
        """Add a call; `path` is a pattern, its group the id of an image."""
        self._routes.append(_Route(method, re.compile(path), tier, scope, handler))

    async def answer(self, request: Request, call: Call) -> Response:
        """Answer one request; ``call`` is filled in on the way."""
        try:
            response = await self._answer(request, call)
        except Problem as problem:
            response = problem.response
        response.headers.update(call.headers)
        return response

    async def _answer(self, request: Request, call: Call) -> Response:
        path = request.url.path
        if path != "/health":
            self._authenticate(request)
            call.authorized = True
        found = [(route, hit) for route in self._routes if (hit := route.path.fullmatch(path))]
        for route, match in found:
            if route.method == request.method:
                self._take_turn(route.tier, call)
                if route.scope and route.scope not in self.account.scopes:
                    raise Problem(403, f"The API key lacks the scope {route.scope}")
                request.scope["path_params"] = {"id": match[1] if match.re.groups else ""}
                return await route.handler(request, call)
        if found and not self.account.seed_only:
            allowed = ", ".join(route.method for route, _ in found)
            raise Problem(405, "Method not allowed", headers={"allow": allowed})  # RFC 9110
        raise not_found()

    def _authenticate(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        known = hmac.compare_digest(token.strip().encode(), self.account.api_key.encode())
        if scheme.lower() != "bearer" or not known:
            raise Problem(401, "Unauthorized")

    def _take_turn(self, tier: str | None, call: Call) -> None:
        call.tier = tier
        if self.limits is None or tier is None:
            return
        verdict = self.limits.count(tier)
        call.headers.update(self._limit_headers(verdict))
        if verdict.wait:
            wait = math.ceil(verdict.wait)
            raise Problem(
                429,
                f"Rate limit exceeded ({verdict.tier})",
                meta={"retryAfterSec": wait},
                headers={"retry-after": str(wait)},
            )

    def _limit_headers(self, verdict: Verdict) -> dict[str, str]:
        # Docs: two families with the same numbers; the reset is seconds in one text and Unix
        # time in another, so the demo sends one of each. Unix time by the demo's own clock.
        reset = math.ceil(verdict.reset)
        numbers = {"limit": str(verdict.limit), "remaining": str(verdict.remaining)}
        return {
            **{f"ratelimit-{name}": value for name, value in numbers.items()},
            **{f"x-ratelimit-{name}": value for name, value in numbers.items()},
            "ratelimit-reset": str(reset),
            "x-ratelimit-reset": str(self.state.now // 1000 + reset),
        }
