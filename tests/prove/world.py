"""
A world to prove deletions in: a demo service, one who cleans it up, others who edit it, faults, deaths, and a judge.

Whatever is done here is judged by what the service itself saw and holds (I1 to I7 below), never by what the
package says of itself alone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
import http.client
import json
import re
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

import pandas as pd
from ageing import age
from inside import Inside, client_of, hurry
from mortal import NEVER, Mortals
from steps import at_step

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.cleanup.apply.start import journal_path
from picora_analytics.demo import pictures
from picora_analytics.demo.image import DemoImage

if sys.platform != "win32":
    import resource

T = TypeVar("T")

OUTCOMES = {"deleted", "already gone", "kept", "failed", "unknown"}
PROTECTED = "pinned"
# Spellings that a person takes for the same tag.
ALIKE = (PROTECTED, "Pinned", " pinned ", "pin\u200bned", "ｐｉｎｎｅｄ")
FAULTS = (
    """
404; 405; 422; 501; 429; 403; 409; 504, then 404;
done, then 500; done, no answer; done, unreadable; not done, 504; not done, no answer;
some fail; some unsaid; a stranger; a gateway's 404;
reading fails once; reading refused; reading cut; no listing; changed while reading
""".replace("\n", " ")
    .strip()
    .split("; ")
)
COPY_FAULTS = ["no picture", "picture cut", "another picture", "no signature"]
EDITS = ["tag", "protect", "visibility", "title", "rename", "upload again"]
# What may happen while an apply is under way.
MEANWHILE = ["protected while copying", "the machine sleeps", "the disk fills", "another machine"]
# Limits a user of these tests does not notice, but is held to all the same.
RATE_SCALE = 200.0


class Death(BaseException):
    """The program ends here."""


@dataclasses.dataclass
class Reviewed:
    """A plan, and what the service held of its images when its frame was read."""

    plan: pic.DeletionPlan
    truth: dict[str, tuple[Any, ...]]
    protected: frozenset[str]
    journal: Path
    begun: bool = False
    copies: Path | None = None

    @property
    def ids(self) -> set[str]:
        return {str(one) for one in self.plan.images.index}

    @cached_property
    def phrase(self) -> str:
        """Read the phrase off the preview, as a person does."""
        found = re.search(r'confirm="([^"]+)"', repr(self.plan))
        return found[1] if found else f"0-{self.plan.fingerprint[:12]}"

    @property
    def sent(self) -> bool:
        """Whether the journal says that a request was about to be sent: only then is there anything to resume."""
        return self.journal.exists() and b'"line":"intent"' in self.journal.read_bytes()


class Meanwhile:
    """A progress that lets something happen while an apply is under way, once."""

    def __init__(self, act: Callable[[], None], *, copying: bool) -> None:
        self._act, self._copying = act, copying
        self.done = False

    def _happen(self) -> None:
        if not self.done:
            self.done = True
            self._act()

    def update(self, done: int, total: int | None) -> None:
        """Act while files are fetched: that is reported before anything is deleted."""
        if self._copying:
            self._happen()

    def wait(self, reason: str) -> None:
        """Act right before the first request."""
        if not self._copying and "deleting request" in reason:
            self._happen()

    def finish(self, text: str) -> None:
        """Hear nothing."""


class World:
    """
    One history: each method is a step in it, and ends by being judged.

    Parameters
    ----------
    folder : Path
        For plans and journals.
    n_images, seed, seed_only, shape
        Of the demo service.
    single_reads : bool
        Whether the service knows the call that reads one image; a 404 says nothing where not.
    inside : bool
        Without a socket: the same client and the same service, some times faster.
    """

    def __init__(
        self,
        folder: Path,
        *,
        n_images: int = 30,
        seed: int = 7,
        seed_only: bool = False,
        shape: str = "current",
        inside: bool = False,
        single_reads: bool = True,
    ) -> None:
        self.folder = folder
        self.service = DemoServer(
            n_images,
            seed=seed,
            seed_only=seed_only,
            shape=shape,  # type: ignore[arg-type]
            rate_scale=RATE_SCALE,
        )
        self._tells_updates = not seed_only and shape == "current"
        self.inside = inside
        self._single_reads = single_reads
        self._no_faults()
        if inside:
            self.client = client_of(self.service)
        else:
            self.service.start()
            self.client = pic.Client(self.service.api_key, self.service.url, max_wait=20)
        hurry(self.client, RATE_SCALE)
        self.frames: list[tuple[pd.DataFrame, dict[str, tuple[Any, ...]]]] = []
        self.reviewed: list[Reviewed] = []
        self.steps: Counter[str] = Counter()
        self.come_back: set[str] = set()  # Deleted, and there again: the service's own fault.
        self.faults = 0
        self.intents: set[str] = set()
        self.broken = False
        self._seen = 0
        self._uploads = 0

    def close(self) -> None:
        self.client.close()
        self.service.stop()

    # What others do

    def edit(self, which: int, how: str) -> None:
        """Let somebody else change an image, of the last plan rather than any."""
        one = self._somebody(which)
        if one is None:
            return
        image = self.service.images[one]
        if how == "tag":
            self.service.edit(one, tags=(*image.tags, f"new {which % 3}"))
        elif how == "protect":
            self.service.edit(one, tags=(*image.tags, ALIKE[which % len(ALIKE)]))
        elif how == "visibility":
            self.service.edit(one, is_public=not image.is_public)
        elif how == "title":
            self.service.edit(one, title="A better title")
        elif how == "rename":
            self.service.edit(one, filename=f"another {which}.png")
        elif how == "upload again":
            self.service.remove(one)
            self._add(id=one)
        else:
            raise AssertionError(how)
        self.steps[f"edit: {how}"] += 1

    def remove(self, which: int) -> None:
        """Let somebody else delete an image."""
        one = self._somebody(which)
        if one is not None:
            self.service.remove(one)
            self.steps["remove"] += 1

    def upload(self, n: int) -> None:
        """Let somebody else upload images."""
        for _ in range(n):
            self._add(tags=(ALIKE[self._uploads % len(ALIKE)],) if n % 2 else ())
        self.steps["upload"] += 1

    def _add(self, **fields: Any) -> None:
        self._uploads += 1
        self.service.add(1, **{"id": f"upload{self._uploads:05}", **fields})

    def _somebody(self, which: int) -> str | None:
        there = self.service.images
        planned = sorted(self.reviewed[-1].ids & set(there)) if self.reviewed else []
        pool = planned if planned and which % 4 else sorted(there)
        return pool[which // 4 % len(pool)] if pool else None

    # What goes wrong

    def fault(self, kind: str, skip: int = 0) -> None:
        """Script one fault; it waits for the first call it fits."""
        fail = self.service.fail
        deleting, reading = ("DELETE", "/v1/*"), ("GET", "/v1/images*")
        if kind in ("404", "405", "422", "501"):
            fail("DELETE", "/v1/media", times=None, status=int(kind))
        elif kind == "done, then 500":
            fail(*deleting, skip=skip, status=500, after=True)
        elif kind == "done, no answer":
            fail(*deleting, skip=skip, drop=True, after=True)
        elif kind == "done, unreadable":
            fail(*deleting, skip=skip, status=200, body="{broken", after=True)
        elif kind == "not done, 504":
            fail(*deleting, skip=skip, status=504)
        elif kind == "not done, no answer":
            fail(*deleting, skip=skip, drop=True)
        elif kind == "429":
            fail(*deleting, skip=skip, status=429, headers={"Retry-After": "0"})
        elif kind == "403":
            fail(*deleting, skip=skip, status=403)
        elif kind == "504, then 404":
            fail(*deleting, skip=skip, status=504)
            fail("DELETE", "/v1/media", times=None, status=404)
        elif kind == "409":
            fail("DELETE", "/v1/images/*", skip=skip, status=409)
        elif kind == "some fail":
            fail("DELETE", "/v1/media", body=_of_batch(self._some_fail))
        elif kind == "some unsaid":
            fail("DELETE", "/v1/media", body=_of_batch(self._some_unsaid))
        elif kind == "a stranger":
            fail("DELETE", "/v1/media", body=_of_batch(_a_stranger))
        elif kind == "a gateway's 404":
            page = "<html><title>404 Not Found</title></html>"
            headers = {"content-type": "text/html"}
            fail("DELETE", "/v1/media", times=None, status=404, body=page, headers=headers)
            fail("DELETE", "/v1/images/*", skip=skip, status=404, body=page, headers=headers)
        elif kind == "reading fails once":
            fail(*reading, skip=skip, status=500)
        elif kind == "reading refused":
            fail(*reading, skip=skip, status=400)
        elif kind == "reading cut":
            fail(*reading, skip=skip, cut=40)
        elif kind == "no listing":
            fail(*reading, skip=skip, status=200, body='{"success": true, "data": {}}')
        elif kind == "no picture":
            fail("GET", "/*.*", skip=skip, status=404)
        elif kind == "picture cut":
            fail("GET", "/*.*", skip=skip, cut=40)
        elif kind == "another picture":
            fail("GET", "/*.*", skip=skip, status=200, body=b"<html>not found</html>")
        elif kind == "no signature":
            fail("POST", "/v1/images/*/sign", skip=skip, status=403)
        elif kind == "changed while reading":
            fail("GET", "/v1/images", skip=skip, body=self._change_while_reading)
        else:
            raise AssertionError(kind)
        self.faults += 1
        self.steps[f"fault: {kind}"] += 1

    def _no_faults(self) -> None:
        self.service.clear_faults()
        self.faults = 0
        if not self._single_reads:
            self.service.fail("GET", "/v1/images/*", times=None, status=404)

    def _some_fail(self, answer: Any) -> Any:
        """Let every third image of a batch be there still, as the answer says."""
        deleted = answer["data"]["deleted"]
        kept = deleted[::3]
        for one in kept:
            self._bring_back(one)
        answer["data"]["deleted"] = [one for one in deleted if one not in kept]
        answer["data"]["failed"] += [
            {"id": one, "type": "image", "reason": "storage \x1b[31mfault"} for one in kept
        ]
        return answer

    def _some_unsaid(self, answer: Any) -> Any:
        """Say nothing of every second image, and let every fourth be there still."""
        deleted = answer["data"]["deleted"]
        for one in deleted[::4]:
            self._bring_back(one)
        answer["data"]["deleted"] = deleted[1::2]
        return answer

    def _bring_back(self, one: str) -> None:
        image = next(gone.image for gone in reversed(self.service.deleted) if gone.id == one)
        fields = {field.name: getattr(image, field.name) for field in dataclasses.fields(image)}
        self._add(**fields)
        self.come_back.add(one)

    def _change_while_reading(self, answer: Any) -> Any:
        there = sorted(self.service.images)
        if there:
            self.service.remove(there[0])
            self.service.edit(there[-1], tags=("seen late",)) if len(there) > 1 else None
        self._add()
        return answer

    # What the one who cleans up does

    def load(self) -> None:
        """Load the library; a complete frame must be what the service holds (I5)."""
        before = self.service.images
        images, _ = self._do(
            "load", lambda: pic.load_images(self.client, store=None, progress=False)
        )
        if images is None:
            return
        after = self.service.images
        facts = images.attrs["picora"]
        assert facts["status"] == "complete", facts
        throughout, ever = set(before) & set(after), set(before) | set(after)
        assert throughout <= set(images.index) <= ever, "I5: the frame is not the library"
        truth = {}
        for one, row in self._rows(images).items():
            versions = [self._state(part[one]) for part in (before, after) if one in part]
            assert row in versions, f"I5: {one} is {row}, and was {versions}"
            truth[one] = row
        self.frames = [*self.frames, (images, truth)][-3:]

    def plan(
        self,
        start: int,
        count: int,
        *,
        stale: bool = False,
        by: str = "ids",
        protect: str | None = None,
        max_fraction: float = 0.6,
    ) -> None:
        """Plan from the newest frame, or the oldest one still held."""
        if not self.frames:
            return
        images, truth = self.frames[0 if stale else -1]
        if not len(images):
            return
        start %= len(images)
        rows = images.iloc[start : start + count]
        # A mask is a rule's word and spares what was edited lately; ids are a person's.
        choice: Any = list(rows.index)
        if by == "mask":
            choice = pd.Series(images.index.isin(rows.index), images.index)
        elif by == "reasons":
            half = len(rows) // 2
            choice = {"first": rows.index[: half + 1], "second": rows.index[half:]}
        shield: Any = {
            None: None,
            "tag": PROTECTED,
            "ids": images.index[start : start + 2],
        }[protect]
        plan, _ = self._do(
            "plan",
            lambda: pic.plan_deletion(
                images, choice, reason="a proof", protect=shield, max_fraction=max_fraction
            ),
        )
        if plan is not None:
            self._review(plan, truth, frozenset(ALIKE if protect == "tag" else []))

    def review(self, which: int, *, through_a_file: bool) -> None:
        """Take an image out of a plan, or send it through a file; either gives another plan to confirm."""
        if not self.reviewed:
            return
        old = self.reviewed[which % len(self.reviewed)]
        plan: pic.DeletionPlan | None = old.plan
        if len(old.plan.images) > 1:
            out = old.plan.images.index[which % len(old.plan.images)]
            plan, _ = self._do("without", lambda: old.plan.without(out))
            assert plan is not None
            assert set(plan.images.index) == set(old.plan.images.index) - {out}
        if through_a_file and plan is not None:
            path = self.folder / f"{plan.fingerprint}.json"
            plan.save(path)
            again, _ = self._do("read", lambda: pic.read_plan(path))
            assert again is not None and again.fingerprint == plan.fingerprint
            plan = again
        assert plan is not None
        self._review(plan, old.truth, old.protected)

    def _review(
        self, plan: pic.DeletionPlan, truth: dict[str, tuple[Any, ...]], protected: frozenset[str]
    ) -> None:
        journal = self.folder / f"{plan.fingerprint}.journal.ndjson"
        same = [one for one in self.reviewed if one.journal == journal]
        new = Reviewed(plan, truth, protected, journal)
        if same:
            new.begun, new.copies = same[-1].begun, same[-1].copies
        self.reviewed = [*self.reviewed, new][-8:]

    def dry_run(self, which: int) -> None:
        """Rehearse a plan."""
        if self.reviewed:
            plan = self.reviewed[which % len(self.reviewed)].plan
            receipt, _ = self._do("dry run", lambda: plan.apply(self.client))
            if receipt is not None:
                assert receipt.dry_run and sum(receipt.counts.values()) == len(plan.images)

    def apply_unapproved(self, which: int, phrase: str) -> None:
        """Apply a plan with what is not its phrase."""
        if not self.reviewed:
            return
        target = self.reviewed[which % len(self.reviewed)]
        given = phrase
        if phrase == "another plan's":
            given = self.reviewed[0].phrase
        if given == target.phrase:
            return
        receipt, error = self._do(
            "apply with a wrong phrase",
            lambda: target.plan.apply(
                self.client, given, backup=None, journal=target.journal, progress=False
            ),
        )
        assert isinstance(error, pic.ConfirmationError), (receipt, error)

    def apply(self, which: int, *, dies_at: int | None = None, copies: bool = False) -> None:
        """Apply a plan with its phrase, with copies or without, perhaps to die at a step on the way."""
        if not self.reviewed:
            return
        # Mostly the newest: older ones are often out of date.
        target = self.reviewed[-1 if which % 3 else which % len(self.reviewed)]
        # A plan that was carried out answers with what came of it then.
        quiet = not self.faults and not target.journal.exists() and dies_at is None
        expected = self._expected(target) if quiet and not copies else None
        folder = self.folder / "copies" if copies else None
        # A journal by which nothing was sent goes on with whatever is said now.
        if not target.sent:
            target.copies = folder
        receipt, error = self._do(
            "apply with copies" if copies else "apply",
            lambda: target.plan.apply(
                self.client, target.phrase, backup=folder, journal=target.journal, progress=False
            ),
            target,
            dies_at,
        )
        if expected is not None:
            self._fair(receipt, error, expected)

    def apply_meanwhile(self, what: str, which: int, mortals: Mortals | None = None) -> None:
        """Apply the newest plan while something happens; an image that is edited before the last look stays."""
        if not self.reviewed or self.reviewed[-1].begun:
            return
        target = self.reviewed[-1]
        copying = what == "protected while copying"
        target.copies = self.folder / "copies" if copying else None
        edited: list[str] = []

        def protect() -> None:
            there = sorted(target.ids & set(self.service.images))
            if there:
                edited.append(there[which % len(there)])
                tags = self.service.images[edited[0]].tags
                self.service.edit(edited[0], tags=(*tags, PROTECTED))

        def sleep(answer: Any) -> Any:
            self.service.advance(8 * 3600)
            protect()
            return answer

        def fill_the_disk() -> None:
            _limit_files(target.journal.stat().st_size + which % 400)

        def elsewhere() -> None:
            assert mortals is not None
            saved = target.plan.save(self.folder / f"{target.plan.fingerprint}.json")
            job = {"plan": str(saved), "phrase": target.phrase, "journal": str(target.journal)}
            mortals.run(url=self.service.url, step=NEVER, power=False, **job)

        acts: dict[str, Callable[[], None]] = {
            "protected while copying": protect,
            "the disk fills": fill_the_disk,
            "another machine": elsewhere,
        }
        if what == "the machine sleeps":
            # The usage is asked for right before the first request, and each answer tells the time.
            self.service.fail("GET", "/v1/user/me/usage", body=sleep)
        show = Meanwhile(acts.get(what, list), copying=copying)
        try:
            self._do(
                f"apply, {what}",
                lambda: target.plan.apply(
                    self.client,
                    target.phrase,
                    backup=target.copies,
                    journal=target.journal,
                    progress=show,
                ),
                target,
            )
        finally:
            if what == "the disk fills":
                _limit_files(None)
        ours = {gone.id for gone in self.service.deleted if gone.by == "api"}
        assert not ours.intersection(edited), f"I2: {edited} was edited before the last look"

    def replan(self, start: int, count: int) -> None:
        """Plan into the file of last week; its journal stays beside it."""
        last = self.reviewed[-1:]
        self.plan(start, count)
        if self.reviewed[-1:] == last:
            return
        new = self.reviewed[-1]
        saved = new.plan.save(self.folder / "plan.json")
        plan, _ = self._do("read", lambda: pic.read_plan(saved))
        assert plan is not None
        journal = journal_path(plan, self.client, "default")
        others = [one for one in self.reviewed[:-1] if one.begun and one.journal == journal]
        same = [one for one in others if one.plan.fingerprint == plan.fingerprint]
        assert others == same, "two plans share a journal"
        copies = same[-1].copies if same else None
        self.reviewed[-1] = Reviewed(
            plan, new.truth, new.protected, journal, journal.exists(), copies
        )

    def resume(
        self, which: int, *, dies_at: int | None = None
    ) -> tuple[pic.DeletionReceipt | None, BaseException | None]:
        """Go on with an apply that was interrupted."""
        begun = [one for one in self.reviewed if one.begun]
        if not begun:
            return None, None
        target = begun[which % len(begun)]
        return self._do("resume", lambda: self._resume(target), target, dies_at)

    def _resume(self, target: Reviewed) -> pic.DeletionReceipt:
        return pic.resume_deletion(self.client, target.journal, progress=False)

    def apply_mortally(
        self, mortals: Mortals, step: int, *, power: bool = False
    ) -> tuple[bool, int]:
        """Apply the newest plan, or go on with it, in a program that is killed right before a step."""
        target = self.reviewed[-1]
        saved = self.folder / f"{target.plan.fingerprint}.json"
        ended, _ = self._do(
            "apply in a program",
            lambda: mortals.run(
                url=self.service.url,
                plan=None if target.sent else str(target.plan.save(saved)),
                phrase=target.phrase,
                journal=str(target.journal),
                step=step,
                power=power,
            ),
            target,
            killed=True,
        )
        assert ended is not None
        return ended

    def settle(self) -> None:
        """End a history: with no more faults, every journal comes to an end and nothing stays unknown."""
        if self.broken:
            return
        self._no_faults()
        for target in {one.journal: one for one in self.reviewed if one.begun}.values():
            # Until then an earlier request may still be carried out.
            age(target.journal, dt.timedelta(minutes=10))
            receipt, error = self._do("resume", lambda t=target: self._resume(t), target)
            if receipt is None:
                assert isinstance(error, pic.PlanError), error
            else:
                assert "unknown" not in receipt.counts, "I4: unknown stays unknown"

    # The judge

    def _do(
        self,
        name: str,
        call: Callable[[], T],
        approved: Reviewed | None = None,
        dies_at: int | None = None,
        *,
        killed: bool = False,
    ) -> tuple[T | None, BaseException | None]:
        """Do one thing, and judge what the service saw of it."""
        before = self.service.images
        result, error = None, None
        try:
            result = self._mortal(call, dies_at) if dies_at is not None else call()
        except (pic.PicoraError, ValueError, Death) as raised:
            error = raised
            self._search_for_key("".join(traceback.format_exception(raised)))
        except BaseException:
            self.broken = True  # The history has failed; its end is not a second finding.
            raise
        self.steps[f"{name}: {type(error).__name__ if error else 'done'}"] += 1
        if killed:
            self.quiesce()
        n_seen = self._seen
        self._judge_requests(approved, before)
        if approved is not None:
            approved.begun = approved.begun or approved.journal.exists()
            self._judge_journal()
            receipt = getattr(error, "receipt", None) if error is not None else result
            if isinstance(receipt, pic.DeletionReceipt):
                self._judge_receipt(approved, receipt, of_now=self._seen > n_seen)
        self._search_for_key(repr(result))
        self._search_files()
        if approved is not None or name == "load":
            # What was scripted and not met is not left for a later step to be surprised by.
            self._no_faults()
        return result, error

    def _mortal(self, call: Callable[[], T], dies_at: int) -> T:
        """Let the program die at a step: what it would do on its way out is undone."""
        left: dict[Path, bytes] = {}

        def die() -> None:
            left.update({path: path.read_bytes() for path in self._files()})
            raise Death

        try:
            with at_step(dies_at, die, requests=Inside.handle_request.__code__):
                return call()
        except Death:
            self.quiesce()
            for path in self._files():
                if path not in left:
                    path.unlink()
                elif path.read_bytes() != left[path]:
                    path.write_bytes(left[path])
            raise

    def _files(self) -> list[Path]:
        """Plans and journals; what is in the folder of copies is proved anew each time."""
        return [path for path in self.folder.iterdir() if path.is_file()]

    def quiesce(self) -> None:
        """Wait until the service has done what reached it before: it answers in turn."""
        if not self.inside:
            for _ in range(3):
                line = http.client.HTTPConnection(self.service.url.removeprefix("http://"))
                line.request("GET", "/health")
                line.getresponse().read()
                line.close()

    def _judge_requests(self, approved: Reviewed | None, before: dict[str, DemoImage]) -> None:
        new = self.service.requests[self._seen :]
        self._seen += len(new)
        looked: set[str] | None = set()  # Ids sent and not looked at since; None would be none.
        for request in new:
            if request.path == "/health":
                continue
            if request.port == "pictures" or request.path.endswith("/sign"):
                assert approved is not None and approved.copies, "a picture is fetched for no copy"
                continue
            # I7: the client keeps below the limits by itself; the service never has to say no.
            scripted = self.faults and request.status == 429 and not request.tier
            assert request.status != 429 or scripted, "I7: the service had to refuse"
            if request.method == "GET":
                looked = _forget(looked, request.path)
                continue
            assert request.method == "DELETE", f"nothing but deleting is asked for: {request}"
            sent = _asked(request)
            assert approved is not None, f"I1: {request.path} was sent without a confirmed plan"
            assert len(sent) <= 100
            assert set(sent) <= approved.ids, "I1: an id outside the confirmed plan was sent"
            assert len(set(sent)) == len(sent)
            for one in sent:
                image = before.get(one)
                if image is None:
                    continue
                assert self._state(image) == approved.truth[one], f"I2: {one} changed"
                assert not approved.protected.intersection(image.tags), f"I2: {one} is protected"
            if approved.copies is not None:
                proved = {_digest(path.read_bytes()) for path in approved.copies.glob("*")}
                for one in request.ids:
                    copy = _digest(pictures.file_bytes(before[one]))
                    assert copy in proved, f"I2: {one} is deleted without a copy"
            if request.status not in (429, 404, 405, 422, 501) or request.ids:
                assert looked is not None and not looked.intersection(sent), "sent again, unseen"
                looked = looked | set(sent)

    def _judge_journal(self) -> None:
        intents: set[str] = set()
        for path in self.folder.glob("*.journal.ndjson"):
            lines = _lines(path)
            own, open_ids = set(), set()
            for line in lines:
                if line["line"] == "intent":
                    own |= set(line["ids"])
                    open_ids |= set(line["ids"])
                for one, (outcome, _) in line.get("outcomes", {}).items():
                    assert outcome in OUTCOMES
                    if outcome != "unknown":
                        open_ids.discard(one)
            assert len(open_ids) <= 100, "more than one batch is in doubt"
            if lines:
                planned = {image["id"] for image in lines[0]["plan"]["images"]}
                assert own <= planned, "I1: the journal names an id its plan does not hold"
            intents |= own
        self.intents = intents
        ours = {gone.id for gone in self.service.deleted if gone.by == "api"}
        assert ours <= intents, f"I3: deleted without a line in a journal: {ours - intents}"
        times = Counter(gone.id for gone in self.service.deleted if gone.by == "api")
        twice = {one for one, n in times.items() if n > 1} - self.come_back
        assert not twice or self._uploaded_again(twice), f"deleted twice: {twice}"

    def _uploaded_again(self, ids: set[str]) -> bool:
        return all(
            any(gone.id == one and gone.by != "api" for gone in self.service.deleted) for one in ids
        )

    def _judge_receipt(
        self, approved: Reviewed, receipt: pic.DeletionReceipt, *, of_now: bool
    ) -> None:
        """Judge one outcome for each image, none that the service belies (I4); an old receipt tells of then."""
        rows = list(zip(receipt.outcomes["id"], receipt.outcomes["outcome"], strict=True))
        assert Counter(one for one, _ in rows) == Counter(approved.ids), "I4: not one outcome each"
        assert sum(receipt.counts.values()) == len(approved.plan.images)
        assert {outcome for _, outcome in rows} <= OUTCOMES
        there = set(self.service.images)
        ours = {gone.id for gone in self.service.deleted if gone.by == "api"}
        again = {gone.id for gone in self.service.deleted if gone.by != "api"} | self.come_back
        for one, outcome in rows:
            if outcome == "deleted":
                # An image that somebody else deleted after our request was lost is explained by that request.
                explained = one in ours or (one in again and one in self.intents)
                assert explained, f"I4: {one} is said to be deleted, and never was by us"
                assert one not in there or one in again, f"I4: {one} is still there"
            elif not of_now:
                continue
            elif outcome == "already gone":
                assert one not in there or one in again, f"I4: {one} is there"
            elif outcome == "failed":
                assert one in there or one in again, f"I4: {one} failed, and is gone"

    def _expected(self, target: Reviewed) -> dict[str, str]:
        """Say what must come of a plan that nothing disturbs."""
        there = self.service.images
        return {
            one: "already gone"
            if one not in there
            else "kept"
            if self._state(there[one]) != target.truth[one]
            or target.protected.intersection(there[one].tags)
            else "deleted"
            for one in target.ids
        }

    def _fair(
        self,
        receipt: pic.DeletionReceipt | None,
        error: BaseException | None,
        expected: dict[str, str],
    ) -> None:
        """An undisturbed plan is carried out: keeping all would be safe, and of no use."""
        if receipt is None:
            assert isinstance(error, pic.PlanError), error
            return
        ended = dict(zip(receipt.outcomes["id"], receipt.outcomes["outcome"], strict=True))
        assert ended == expected

    def _search_for_key(self, text: str) -> None:
        assert self.service.api_key not in text, "I6: the key is shown"

    def _search_files(self) -> None:
        for path in self._files():
            assert self.service.api_key.encode() not in path.read_bytes(), f"I6: {path.name}"

    def _state(self, image: DemoImage) -> tuple[Any, ...]:
        """What the service tells of an image that a plan rests on."""
        return (
            image.filename,
            image.size_bytes,
            image.is_public,
            tuple(sorted(set(image.tags))),
            image.created_at,
            image.updated_at if self._tells_updates else None,
        )

    def _rows(self, images: pd.DataFrame) -> dict[str, tuple[Any, ...]]:
        names = ("filename", "size_bytes", "is_public", "tags", "created_at", "updated_at")
        return {
            str(one): (
                name,
                size,
                public,
                tuple(sorted(set(tags))),
                _milliseconds(created),
                None if pd.isna(updated) else _milliseconds(updated),
            )
            for one, name, size, public, tags, created, updated in zip(
                images.index, *(images[name] for name in names), strict=True
            )
        }


def _limit_files(size: int | None) -> None:
    """Let no file of this program grow beyond a size, as on a disk that is full just then."""
    if sys.platform != "win32":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard if size is None else size, hard))


def _of_batch(bend: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Bend the answers of a service that knows batches."""
    return lambda answer: bend(answer) if answer.get("success") else answer


def _a_stranger(answer: Any) -> Any:
    answer["data"]["deleted"].append("notOursAtAl")
    return answer


def _milliseconds(moment: pd.Timestamp) -> int:
    return round(moment.timestamp() * 1000)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _asked(request: Any) -> Sequence[str]:
    """The ids a deleting request asked for, whatever came of it."""
    if request.body:
        body = json.loads(request.body)
        return [item["id"] for item in body["items"]] if "items" in body else body["ids"]
    return [unquote(request.path.rpartition("/")[2])]


def _forget(sent: Iterable[str] | None, path: str) -> set[str]:
    """A listing looks at everything, a single read at one."""
    last = path.rpartition("/")[2]
    return set() if last == "images" else set(sent or ()) - {last}


def _lines(path: Path) -> list[dict[str, Any]]:
    """Read a journal without the package's help; what a death cut off does not count."""
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    found = []
    for line in whole.splitlines():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return found
