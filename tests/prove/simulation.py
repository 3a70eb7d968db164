"""
Simulated loads: the real loader on a service in memory and a clock of events.

Everything between the network and the frame is the package's own: pacer, planner, state, checkpoint file
and the loop that carries a load out. The service answers in bytes, changes while it is read, and can be wrong.
"""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
import random
from bisect import bisect_left, insort
from dataclasses import dataclass, field
from pathlib import Path

from picora_analytics.client.pacing import Pacer
from picora_analytics.client.shapes import decode_listing
from picora_analytics.errors import StatusError, TransportError
from picora_analytics.library.load.checkpoint import Checkpoint, Origin
from picora_analytics.library.load.fetching import Fetched, carry_out, replay
from picora_analytics.library.load.planning import BrokenListing
from picora_analytics.library.load.splitting import Pace
from picora_analytics.library.load.state import RECHECK, LoadState

START = dt.datetime(2026, 11, 23, 14, tzinfo=dt.UTC)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Killed(BaseException):
    """The process is gone."""


@dataclass
class World:
    """A library, how its service behaves, and what happens to it while it is read."""

    times: list[int]  # milliseconds
    page_size: int = 100
    shift: float = 0.0  # hours east of UTC of the service's days
    totals: bool = False
    dates: str = "kept"  # or "refused", "ignored"
    expires: float = 1e9  # seconds a cursor lives
    changes: list[tuple[float, str]] = field(default_factory=list)  # when, "upload" or "delete"
    seed: int = 0

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._numbers = itertools.count()
        self.keys: list[tuple[int, str]] = sorted((at, self._name()) for at in self.times)
        self.ever = {one for _, one in self.keys}
        self.changes = sorted(self.changes)
        self.odd: dict[str, str] = {}

    def _name(self) -> str:
        return f"{self._rng.getrandbits(40):010x}{next(self._numbers):06x}"

    def spoil(self, n: int) -> None:
        """Tell of so many images no upload time, or one that does not fit their place."""
        for at, name in self._rng.sample(self.keys, min(n, len(self.keys))):
            self.odd[name] = self._rng.choice(["null", told(at - 3 * 86_400_000)])

    def turn(self, now: float) -> None:
        """Let happen what happens until now."""
        while self.changes and self.changes[0][0] <= now:
            at, what = self.changes.pop(0)
            if what == "upload":
                key = (milliseconds(START) + round(at * 1000), self._name())
                insort(self.keys, key)
                self.ever.add(key[1])
            elif self.keys:
                # Near the top as often as anywhere: there deletions meet uploads.
                low = max(0, len(self.keys) - 150) if self._rng.random() < 0.5 else 0
                self.keys.pop(self._rng.randrange(low, len(self.keys)))

    def answer(self, cursor: str | None, end_date: dt.date | None, now: float) -> bytes | int:
        """Give the body of a page, or the status of a refusal."""
        end = len(self.keys)
        if end_date is not None and self.dates == "refused":
            return 422
        if end_date is not None and self.dates == "kept":
            midnight = dt.datetime.combine(end_date, dt.time(), dt.UTC) + dt.timedelta(1)
            end = bisect_left(
                self.keys, (milliseconds(midnight) - round(self.shift * 3_600_000), "")
            )
        if cursor is not None:
            at, name, given = cursor.split(" ")
            if now - float(given) > self.expires:
                return 410
            end = min(end, bisect_left(self.keys, (int(at), name)))
        page = self.keys[max(0, end - self.page_size) : end][::-1]
        more = end > self.page_size
        after = f'"{page[-1][0]} {page[-1][1]} {now:.6f}"' if more else "null"
        total = f',"total":{len(self.keys)}' if self.totals else ""
        rows = ",".join(
            f'{{"id":"{name}","url":"u","created_at":{self.odd.get(name) or told(at)}}}'
            for at, name in page
        )
        return f'{{"data":{{"items":[{rows}],"nextCursor":{after}{total}}}}}'.encode()


def told(at: int) -> str:
    made = (EPOCH + dt.timedelta(milliseconds=at)).isoformat().replace("+00:00", "Z")
    return f'"{made}"'


def milliseconds(moment: dt.datetime) -> int:
    return round((moment - EPOCH) / dt.timedelta(milliseconds=1))


class Line:
    """The network, the pacer and the service, by the clock of events."""

    def __init__(
        self,
        world: World,
        rng: random.Random,
        *,
        trip: float,
        faults: float = 0.0,
        jitter: float = 0.3,
    ) -> None:
        self.world, self.rng, self.trip, self.faults, self.jitter = world, rng, trip, faults, jitter
        self.now = 0.0
        self.n_requests = self.n_refused = 0
        self.kill_after: int | None = None
        # The library when its newest page was looked at last, or whatever page came last without that.
        self.at_last: list[tuple[int, str]] = []
        self.waiting = 0.0
        self.trips: list[float] = []
        self.starts: list[float] = []
        self.most = 0
        # Requests are given their start as they are sent, which may lie ahead of the events.
        self._pacer = Pacer(lambda: max(self.now, self._free))
        self._free = 0.0
        self._events: list = []
        self._order = itertools.count()

    def pace(self) -> Pace:
        recent = sorted(self.trips[-9:])
        return Pace(recent[len(recent) // 2] if recent else None, self.waiting, 0.1)

    def answer(self, request):
        self.send(request)
        return self.wait()

    def send(self, request) -> None:
        if self.kill_after is not None and self.n_requests >= self.kill_after:
            raise Killed
        self._free = max(self._free, self.now)
        while (wait := self._pacer.delay("read")) > 0:
            self._free += wait
        start = max(self.now, self._free)
        self.waiting += 0.2 * (start - self.now - self.waiting)
        trip = self.trip * self.rng.uniform(1 - self.jitter, 1 + self.jitter)
        self.trips.append(trip)
        self.starts.append(start)
        self.n_requests += 1
        heapq.heappush(self._events, (start + trip / 2, next(self._order), "served", request, trip))
        self.most = max(self.most, len(self._events))

    def wait(self):
        while True:
            self.now, _, what, request, rest = heapq.heappop(self._events)
            self.world.turn(self.now)
            if what == "answered":
                self._pacer.correct("read", self._headers(), None)
                return request, rest
            result = self._serve(request)
            heapq.heappush(
                self._events, (self.now + rest / 2, next(self._order), "answered", request, result)
            )

    def _headers(self) -> dict[str, str]:
        """Tell what is left of the minute, as the service does."""
        minute = int(self.now // 60)
        used = sum(start // 60 == minute for start in self.starts[-700:])
        left, reset = max(0, 600 - used), 60 - self.now % 60
        return {
            "RateLimit-Limit": "600",
            "RateLimit-Remaining": str(left),
            "RateLimit-Reset": f"{reset:.3f}",
        }

    def _serve(self, request):
        if self.rng.random() < self.faults:
            if self.rng.random() < 0.7:  # Repeated below the planner: only time is lost.
                self.now += self.rng.uniform(0.1, 2)
                self.world.turn(self.now)
            else:
                return TransportError("lost")
        body = self.world.answer(request.cursor, request.end_date, self.now)
        if isinstance(body, int):
            self.n_refused += 1
            return StatusError("no", status_code=body, code="NO")
        if request.chain != RECHECK or request.cursor is None:
            self.at_last = list(self.world.keys)
        at = START + dt.timedelta(seconds=self.now)
        return Fetched(decode_listing(body, server_time=at, where="GET"), body)


@dataclass
class Outcome:
    """How a load ended."""

    complete: bool
    why: str
    wrong: str  # What is wrong with it although it was called complete; empty where nothing is.
    wall: float
    n_requests: int
    again: list[int]  # Pages asked again after each kill, beyond those under way.
    n_kills: int
    chains: int


def simulate(
    world: World,
    folder: Path | None,
    *,
    seed: int,
    trip: float,
    kills: int = 0,
    faults: float = 0.0,
    jitter: float = 0.3,
    make=LoadState,
) -> Outcome:
    """Load until it is complete or given up, killed and gone on with in between."""
    rng = random.Random(seed)
    line = Line(world, rng, trip=trip, faults=faults, jitter=jitter)
    again: list[int] = []
    interrupted = 0
    why = ""
    if folder is not None:
        (folder / "checkpoint.ndjson").unlink(missing_ok=True)
    while True:
        state = make()
        line._events.clear()
        if kills:
            line.kill_after = line.n_requests + rng.randrange(1, 2 + len(world.keys) // 100)
        checkpoint = None
        if folder is not None:
            origin = Origin(account="a", base_url="b", demo_session="", started_at=START)
            checkpoint = Checkpoint.open(folder, origin)
        try:
            if checkpoint is not None:
                replay(checkpoint.entries(), state)
            carry_out(state, line, line.pace, record=checkpoint)
        except (Killed, TransportError):
            if checkpoint is not None:
                checkpoint.close()
                tear(checkpoint.path, rng)
            interrupted += 1
            kills -= kills > 0
            if not kills:
                line.kill_after = None
            if interrupted > 20:
                line.faults = 0.0
            continue
        except BrokenListing as error:
            why = str(error)
        except StatusError as error:
            why = f"{error.status_code}"
        if checkpoint is not None:
            checkpoint.close()
        break
    if not why and state.missing() is not None:
        why = "short"
    ids = state.table()[0]["id"].to_pylist()
    wrong = "" if why else judge(ids, line, world)
    return Outcome(
        not why, why, wrong, line.now, line.n_requests, again, interrupted, state.planner.n_chains
    )


def judge(ids: list[str], line: Line, world: World) -> str:
    """Compare what was called complete with what complete means."""
    held = set(ids)
    if len(held) != len(ids):
        return f"{len(ids) - len(held)} repeated"
    if lost := {one for _, one in set(line.at_last) & set(world.keys)} - held:
        return f"{len(lost)} lost"
    if foreign := held - world.ever:
        return f"{len(foreign)} that never were"
    return ""


def tear(path: Path, rng: random.Random) -> None:
    """Leave the last line half written, as often as not."""
    size = path.stat().st_size
    if rng.random() < 0.5 and size:
        body = path.read_bytes()
        start = body.rfind(b"\n", 0, size - 1) + 1
        with path.open("r+b") as file:
            file.truncate(rng.randrange(start, size))


# Libraries


def times_of(shape: str, n: int, rng: random.Random, years: float = 3.0) -> list[int]:
    """Upload times of a library, in milliseconds."""
    day = 86_400_000
    end, span = milliseconds(START) - 1_000, round(years * 365 * day)
    if shape == "even":
        found = [end - rng.randrange(span) for _ in range(n)]
    elif shape == "skewed":  # 60 % in one week
        week = end - rng.randrange(span - 7 * day) - 7 * day
        found = [
            week + rng.randrange(7 * day) if rng.random() < 0.6 else end - rng.randrange(span)
            for _ in range(n)
        ]
    elif shape == "one day":
        start = end - rng.randrange(span)
        found = [start - start % day + rng.randrange(day) for _ in range(n)]
        found = [min(at, end) for at in found]
    elif shape == "gaps":
        clusters = [
            (end - rng.randrange(span * 3), rng.choice([1, 30, 200]) * day) for _ in range(4)
        ]
        found = [start - rng.randrange(width) for start, width in rng.choices(clusters, k=n)]
    elif shape == "growing":
        found = [end - round(span * (1 - rng.random() ** 0.5)) for _ in range(n)]
    elif shape == "tied":  # Imports: many at the same instant.
        instants = [end - rng.randrange(span) for _ in range(max(1, n // 150))]
        found = [rng.choice(instants) for _ in range(n)]
    else:
        raise ValueError(shape)
    # A fifth falls on whole minutes.
    return [at - at % 60_000 if rng.random() < 0.2 else at for at in found]


SHAPES = ("even", "skewed", "one day", "gaps", "growing", "tied")


def draw(seed: int, *, most: int = 20_000) -> tuple[World, dict]:
    """Draw a world and how it is loaded."""
    rng = random.Random(seed)
    n = rng.choice(
        [0, 1, 2, round(most ** rng.random()), round(most ** rng.random()), rng.randrange(most)]
    )
    page_size = 100 if n > 1000 else rng.choice([5, 20, 100])
    trip = rng.choice([0.02, 0.05, 0.15, 0.2, 0.5, 1.2])
    rough = max(1.0, n / page_size * max(trip / 4, 0.1))
    changes = [
        (rng.uniform(0, rough), rng.choice(["upload", "delete"]))
        for _ in range(rng.choice([0, 0, 1, 5, 40, 300]))
    ]
    world = World(
        times_of(rng.choice(SHAPES), n, rng),
        page_size=page_size,
        shift=rng.choice([0, 0, 0, -12, -5, 1, 5.5, 9, 14]),
        totals=rng.random() < 0.5,
        dates=rng.choice(["kept"] * 6 + ["refused", "ignored"]),
        expires=rng.choice([1e9] * 5 + [rough / 3 + 3]),
        changes=changes,
        seed=seed,
    )
    options = {
        "seed": seed,
        "trip": trip,
        "kills": rng.choice([0, 0, 1, 2, 3]),
        "faults": rng.choice([0.0, 0.0, 0.1]),
        "jitter": rng.choice([0.3, 0.3, 0.9]),
    }
    world.spoil(rng.choice([0, 0, 0, 1, 1, 4]))
    return world, options
