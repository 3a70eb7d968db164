"""
Histories by the thousand: the real plan, guard, journal, run and client over a service of a few dictionaries.

Less happens in one than in a history of :mod:`histories`: others edit, a plan is applied under faults and
deaths, and resumed until it has ended. The judge sits in the service: it sees each request before it is answered.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import email.utils
import json
import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from inside import client_over, hurry

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.demo.server import DEMO_KEY

PROTECTED = "pinned"
N_IMAGES, N_PLANNED = 260, 150
SPEED = 1e5
START = dt.datetime(2026, 11, 23, 14, tzinfo=dt.UTC)
_HEADERS = {"server": "picora-demo/model"}
_STATE = (
    "filename",
    "url",
    "mimeType",
    "width",
    "height",
    "size",
    "sizeBytes",
    "is_public",
    "isPublic",
    "tags",
    "created_at",
    "createdAt",
    "updatedAt",
)


class Death(BaseException):
    """The program ends here."""


class WrongError(AssertionError):
    """The judge found something."""


@dataclasses.dataclass(frozen=True)
class Case:
    """A library, and a plan made from it."""

    kind: str
    records: dict[str, dict[str, Any]]
    plan: pic.DeletionPlan


class Service(httpx.BaseTransport):
    """Picora in a few dictionaries; what it shall do wrong is drawn anew at each request."""

    def __init__(self) -> None:
        self.rng = random.Random(0)
        self.steps: Counter[str] = Counter()

    def begin(
        self,
        kind: str,
        records: dict[str, dict[str, Any]],
        *,
        ids: set[str],
        seed: int = 0,
        journal: Path = Path("none"),
        trouble: float = 0.0,
    ) -> None:
        """Start a history; only `ids` may be deleted, and only as they are now."""
        self.rng = random.Random(seed)
        self.kind, self.planned, self.ids = kind, records, ids
        self.journal, self.trouble = journal, trouble
        self.records = dict(records)
        self.deleted: list[str] = []
        self.removed: set[str] = set()  # By others.
        self.now = START
        self.batches = kind != "seed-only" and self.rng.random() < 0.85
        self.unseen: set[str] = set()  # Sent, and not looked at since.
        self.late: dict[
            str, int
        ] = {}  # Cut off, and carried out so many requests later all the same.

    def others_edit(self) -> None:
        """Let somebody else change some images, and delete some."""
        for one in self.rng.sample(sorted(self.records), self.rng.randrange(12)):
            how = self.rng.randrange(8)
            record = dict(self.records[one])
            if how == 0:
                del self.records[one]
                self.removed.add(one)
                continue
            if how == 1:
                record["tags"] = [*record["tags"], PROTECTED]
            elif how == 2:
                name = "is_public" if "is_public" in record else "isPublic"
                record[name] = not record[name]
            elif how == 3:
                name = "size" if "size" in record else "sizeBytes"
                record[name] += 1
            elif how == 4:
                record["filename"] = f"another {one}"
            elif how == 5:
                record["url"] = f"{record['url']}.svg"
            elif how == 6:
                record["width"] = (record.get("width") or 0) + 1
            else:
                record["tags"] = [*record["tags"], "new"]
            if "updatedAt" in record:
                record["updatedAt"] = "2026-11-23T14:00:01.000Z"
            self.records[one] = record
            self.steps["edited"] += 1

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer with the time; now and then the program has slept, and others have edited meanwhile."""
        self.late = {one: n - 1 for one, n in self.late.items()}
        self.carry_out([one for one, n in self.late.items() if n < 0])
        answer = self._answer(request)
        if self.trouble and self.rng.random() < 0.05:
            self.now += dt.timedelta(hours=8)
            self.others_edit()
            self.steps["slept"] += 1
        answer.headers["date"] = email.utils.format_datetime(self.now, usegmt=True)
        return answer

    def carry_out(self, late: list[str]) -> None:
        """Do what was asked for by a request that was cut off: images were edited since, or are gone."""
        for one in late:
            del self.late[one]
            if self.records.pop(one, None) is not None:
                self.deleted.append(one)
                self.steps["carried out late"] += 1

    def _answer(self, request: httpx.Request) -> httpx.Response:
        # What stands in the request's first line; the URL holds the host alone.
        target = httpx.URL(request.extensions["target"].decode())
        path = target.path
        if request.method == "GET":
            return self._read(path, target.params)
        if request.method != "DELETE":
            raise WrongError(f"I1: {request.method} {path}")
        batch = path == "/v1/media"
        body = json.loads(request.read()) if batch else {}
        ids = [item["id"] for item in body["items"]] if batch else [path.rpartition("/")[2]]
        if batch and not self.batches:
            return _answer(404, {"success": False, "error": "Not found", "code": "NOT_FOUND"})
        self._judge(ids)
        return self._delete(ids, batch)

    def _judge(self, ids: list[str]) -> None:
        """Judge a request to delete before anything is done (I1, I2, I3)."""
        if len(ids) > 100 or len(set(ids)) != len(ids) or not self.ids.issuperset(ids):
            raise WrongError(f"I1: beyond the plan: {set(ids) - self.ids}")
        announced = self.journal.read_bytes() if self.journal.exists() else b""
        intents = [line for line in announced.split(b"\n")[1:] if b'"intent"' in line]
        for one in ids:
            now, planned = self.records.get(one), self.planned[one]
            if now is not None and any(now.get(name) != planned.get(name) for name in _STATE):
                raise WrongError(f"I2: {one} changed since the plan")
            if now is not None and PROTECTED in now["tags"]:
                raise WrongError(f"I2: {one} is protected")
            if one in self.unseen:
                raise WrongError(f"{one} is sent again, unseen")
        if not all(any(f'"{one}"'.encode() in line for line in intents) for one in ids):
            raise WrongError("I3: a request without its line in the journal")

    def _delete(self, ids: list[str], batch: bool) -> httpx.Response:
        drawn = self.rng.random()
        what = "" if drawn > self.trouble else self.rng.choice(TROUBLES)
        self.steps[what or "answered"] += 1
        if what == "429":
            return _answer(429, {"success": False}, {"retry-after": "0"})
        self.unseen |= set(ids)
        if what == "death before":
            raise Death
        if what == "lost before":
            raise httpx.ReadError("connection reset")
        if what == "late":
            self.late |= dict.fromkeys(ids, self.rng.randrange(12))
            raise httpx.ReadError("connection reset")
        if what == "504 before":
            return _answer(504, {"success": False, "error": "Timeout"})
        if what == "refused":
            return _answer(403, {"success": False, "error": "No"})
        spared = set(ids[::7]) if what == "some fail" and batch else set()
        done = [one for one in ids if one in self.records and one not in spared]
        for one in done:
            del self.records[one]
        self.deleted += done
        if what == "death after":
            raise Death
        if what == "lost after":
            raise httpx.RemoteProtocolError("Server disconnected")
        if what == "500 after":
            return _answer(500, {"success": False, "error": "Internal"})
        if not batch:
            self.unseen -= set(ids)
            return _answer(200 if done else 404, {"success": bool(done), "data": None})
        said = done[1:] if what == "one unsaid" else done
        failed = [{"id": one, "type": "image", "reason": "no"} for one in ids if one not in done]
        return _answer(200, {"success": True, "data": {"deleted": said, "failed": failed}})

    def _read(self, path: str, params: httpx.QueryParams) -> httpx.Response:
        if path == "/v1/images":
            if self.rng.random() < self.trouble / 20:
                self.steps["listing refused"] += 1
                return _answer(400, {"success": False, "error": "No"})
            ids = list(self.records)
            start, limit = int(params.get("cursor") or 0), int(params["limit"])
            page = [self.records[one] for one in ids[start : start + limit]]
            more = str(start + limit) if start + limit < len(ids) else None
            if more is None:
                self.unseen.clear()
            if self.kind == "current":
                return _answer(200, {"success": True, "data": {"images": page, "nextCursor": more}})
            data = {"items": page, "nextCursor": more, "total": len(ids)}
            return _answer(200, {"success": True, "data": data})
        if path == "/v1/auth/verify" and self.kind != "seed-only":
            return _answer(200, {"success": True, "data": {"userId": "demo-user-0123456789_"}})
        return _answer(404, {"success": False, "error": "Not found"})


TROUBLES = [
    *("429", "death before", "death after", "lost before", "lost after", "504 before"),
    *("500 after", "some fail", "one unsaid", "refused", "late"),
]


def _answer(status: int, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
    # As a stream, as it comes off a socket.
    content = httpx.ByteStream(json.dumps(body).encode())
    return httpx.Response(status, stream=content, headers=_HEADERS | (headers or {}))


class Model:
    """What all histories share: one client, and some libraries with a plan each."""

    def __init__(self, n_cases: int = 12) -> None:
        self.service = Service()
        self.client = client_over(self.service, DEMO_KEY)
        hurry(self.client, SPEED)
        self._home = tempfile.TemporaryDirectory(prefix="model-")
        self.cases = [self._case(number) for number in range(n_cases)]

    def close(self) -> None:
        self.client.close()
        self._home.cleanup()

    def _case(self, number: int) -> Case:
        kind = ("current", "current", "seed", "seed-only")[number % 4]
        demo = DemoServer(
            N_IMAGES,
            seed=number,
            seed_only=kind == "seed-only",
            shape="seed" if kind == "seed" else "current",
        )
        records = {
            one: {**demo._service.record(image), "tags": list(image.tags)}
            for one, image in demo.images.items()
        }
        self.client._account = None  # As of another account: the client is the same for all.
        records[next(reversed(records))]["tags"].append(PROTECTED)
        self.service.begin(kind, records, ids=set())
        images = pic.load_images(self.client, store=None, progress=False)
        plan = pic.plan_deletion(
            images,
            list(images.index[number : number + N_PLANNED]),
            reason="a proof",
            protect=PROTECTED if number % 2 else None,
            max_fraction=1,
        )
        return Case(kind, records, plan)

    def history(self, seed: int) -> int:
        """
        Live through one history; give how many images were deleted.

        Raises
        ------
        AssertionError
            If the judge finds something.
        """
        case = self.cases[seed % len(self.cases)]
        service = self.service
        journal = Path(self._home.name, f"{seed}.journal.ndjson")
        self.client._account = None
        random.seed(seed)
        service.begin(
            case.kind,
            case.records,
            ids=set(case.plan.images.index),
            seed=seed,
            journal=journal,
            trouble=random.choice([0.0, 0.0, 0.3, 0.6]),
        )
        service.others_edit()
        phrase = case.plan.confirmation
        receipt = self._try(
            lambda: case.plan.apply(
                self.client, phrase, backup=None, journal=journal, progress=False
            )
        )
        for _ in range(4):
            if receipt is not None and "unknown" not in receipt.counts:
                break
            if not journal.exists():
                break
            service.trouble /= 2
            if random.random() < 0.3:
                service.others_edit()
            receipt = self._try(lambda: pic.resume_deletion(self.client, journal, progress=False))
        else:
            service.trouble = 0.0
            receipt = self._try(lambda: pic.resume_deletion(self.client, journal, progress=False))
        self._judge(case, receipt)
        journal.unlink(missing_ok=True)
        return len(service.deleted)

    def _try(self, call: Any) -> pic.DeletionReceipt | None:
        try:
            return call()  # type: ignore[no-any-return]
        except Death:
            return None
        except pic.PicoraError as error:
            self.service.steps[type(error).__name__] += 1
            return error.receipt  # type: ignore[return-value]

    def _judge(self, case: Case, receipt: pic.DeletionReceipt | None) -> None:
        service = self.service
        service.carry_out(list(service.late))
        if len(set(service.deleted)) != len(service.deleted):
            raise WrongError("deleted twice")
        if receipt is None:
            if service.deleted and service.trouble == 0.0:
                raise WrongError("I4: no receipt in the end")
            return
        outcomes = dict(zip(receipt.outcomes["id"], receipt.outcomes["outcome"], strict=True))
        if len(receipt.outcomes) != len(service.ids) or set(outcomes) != service.ids:
            raise WrongError("I4: not one outcome each")
        for one, outcome in outcomes.items():
            there = one in service.records
            if one in service.removed and outcome in ("kept", "failed"):
                continue  # Decided before it went.
            if there is (outcome in ("deleted", "already gone")) and outcome != "unknown":
                raise WrongError(f"I4: {one} is {outcome}, and there: {there}")
