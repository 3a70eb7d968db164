"""Ctrl-C at three moments of each command: what is kept is said, and the line that goes on does."""

import os
import re
import shlex
import signal
import sys
import threading

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")

PHRASE, HIDE, SHOW = "{delete}", "{hide}", "{show}"
RULE = ("--older-than", "1", "--untagged", "--reason", "x", "--max-fraction", "1")
APPLY = ("apply", "plan.json", "--confirm", PHRASE)
# The calls that are met in the middle: a method, a path, and how many come before.
LISTING, PICTURE = ("GET", "/v1/images", 1), ("GET", "/*.*", 3)
COMMANDS = {
    "check": (("check",), (*LISTING[:2], 0)),
    "load": (("load", "-o", "rows.csv"), LISTING),
    "load by tag": (("load", "--tag", "blog"), (*LISTING[:2], 0)),
    "report": (("report", "-o", "r.md", "--metrics", "r.prom", "--no-pictures"), LISTING),
    "plan": (("plan", *RULE, "-o", "new.json", "--csv", "new.csv"), LISTING),
    "scan": (("scan", "site", "--json", "refs.json", "--baseline", "base.jsonl"), LISTING),
    "backup": (("backup", "plan.json", "new"), PICTURE),
    "dry run": (("apply", "-o", "dry.json", "plan.json"), LISTING),
    "apply": ((*APPLY, "--no-backup", "-o", "receipt.json"), ("DELETE", "/v1/media", 0)),
    "apply with copies": ((*APPLY, "--backup", "new", "-o", "r.json"), PICTURE),
    "hide": (("hide", "plan.json", "--confirm", HIDE, "-o", "h.json"), ("PATCH", "*", 2)),
    "unhide": (("unhide", "hidden.json", "--confirm", SHOW), ("PATCH", "*", 1)),
    "restore": (("restore", "kept", "-o", "map.csv"), ("POST", "*", 1)),
    "repoint": (("repoint", "map.csv", "site", "--write", "--no-check"), None),
    "decide": (("decide", "d.csv", "--keep=-T40cZpLq8x"), None),
    "review": (("review", "plan.json", "--decisions", "d.csv", "-o", "part.csv"), None),
    "snapshots": (("snapshots", "--store", "old", "--prune", "1"), None),
    "diff": (("diff", "--store", "old"), None),
    "the demo's site": (("demo", "--site", "blog"), None),
    "the demo's tour": (("demo", "-o", "tour"), None),
}
WRITES_NOTHING = ("check", "load by tag", "snapshots", "diff")


class Place:
    """A library and a folder with all that the commands need."""

    def __init__(self, run, server, folder, words):
        self.server, self.folder, self.hidden, self.gone = server, folder, [], []
        self.plan, self.phrases = None, {}
        self.run = lambda *words: run(*words, server=server)
        (folder / "site").mkdir()
        (folder / "site/a.md").write_text(f"{next(iter(server.images))}\n")
        if not {"plan.json", "old", "hidden.json", "kept", "map.csv"}.intersection(words):
            return
        with pic.Client(server.api_key, server.url) as client:
            images = pic.load_images(client, store=None, progress=False)
            if "old" in words:
                for image in (None, images.index[0]):
                    if image:
                        server.remove(image)
                    pic.load_images(client, store=folder / "old", progress=False)
            chosen = list(images.index[images["is_public"]][20:26])
            self.plan = self._save(images, chosen[4:] + list(images.index[60:64]), "plan.json")
            self.phrases |= {PHRASE: self.plan.confirmation, HIDE: self.plan.hiding_confirmation}
            if "hidden.json" in words:
                self.hidden = chosen[:2]
                made = self._save(images, self.hidden, "hiding.json")
                receipt = made.hide(client, made.hiding_confirmation, progress=False)
                receipt.write(folder / "hidden.json")
                self.phrases[SHOW] = pic.unhide_images(client, receipt).confirmation
            if "kept" in words:
                self.gone = chosen[2:4]
                made = self._save(images, self.gone, "gone.json")
                made.back_up(client, folder / "kept", progress=False)
                for one in self.gone:
                    server.remove(one)
        (folder / "site/a.md").write_text(f"![]({images['url'].iloc[5]})\n")
        (folder / "map.csv").write_text(f"old,new\n{images.index[5]},{images.index[6]}\n")

    def _save(self, images, ids, name):
        made = pic.plan_deletion(images, ids, reason="x", max_fraction=1)
        made.save(self.folder / name)
        return made

    def typed(self, words):
        return [self.phrases.get(word, word) for word in words]


@pytest.fixture
def place(run, tmp_path, name):
    with DemoServer(120, rate_scale=None) as server:
        yield Place(run, server, tmp_path, COMMANDS[name][0])


@pytest.fixture(autouse=True)
def heard():
    """In the background of a shell, Ctrl-C is ignored from the start; whoever tests it takes it back."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def ctrl_c():
    """Press it while the main thread waits for an answer; the answer comes after."""
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


ARMED = threading.Event()


def listen(event, _, armed=ARMED):  # At exit, names are gone while events still come.
    # Files are written beside their place first; the blog's history by git.
    if armed.is_set() and event in ("tempfile.mkstemp", "subprocess.Popen"):
        press()


def press():
    ARMED.clear()
    os.kill(os.getpid(), signal.SIGINT)


sys.addaudithook(listen)  # For good, so it hears nothing unless it is armed.


class Pressed:
    """A standard output at which Ctrl-C is pressed as the first line comes."""

    def __init__(self, stream):
        self._stream, self._pressed = stream, False

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        if text and not self._pressed:
            self._pressed = True
            press()
        return self._stream.write(text)


def assert_goes_on(place, done):
    """It says what is kept, and the line it gives comes to its end."""
    assert done.returncode == 130, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    said = done.stderr.splitlines()[-1]
    found = re.fullmatch(r"picora-analytics: Stopped\. (\S.*\.) Go on: picora-analytics (.+)", said)
    assert found, done.stderr
    place.server.clear_faults()
    again = place.run(*shlex.split(found[2]))
    assert again.returncode == 0, (found[2], again.stdout + again.stderr)
    left = [one for one in place.folder.rglob(".*") if ".git" not in one.parts]
    assert [one for one in left if one.suffix != ".lock" and one.name != ".lock"] == []
    return found[1], again


def assert_done_once(place, name):
    """Whatever changes something has changed exactly that, and once."""
    if name.startswith("apply"):
        gone = [image.id for image in place.server.deleted]
        assert set(place.plan.images.index) <= set(gone)
        assert len(gone) == len(set(gone))
    elif place.plan is not None:
        assert not {*place.plan.images.index} & {image.id for image in place.server.deleted}
    if name == "restore":
        assert len(place.server.images) == place.server.n_images
    if name == "unhide":
        assert all(place.server.images[one].is_public for one in place.hidden)


@pytest.mark.parametrize("name", [name for name in COMMANDS if COMMANDS[name][1] is not None])
@pytest.mark.parametrize("moment", ["before the first answer", "in the middle"])
@pytest.mark.slow
def test_stopped_while_the_service_is_asked(place, name, moment):
    words, (method, path, skip) = COMMANDS[name]
    if moment == "in the middle":
        place.server.fail(method, path, skip=skip, meanwhile=ctrl_c)
    else:
        place.server.fail("*", "*", meanwhile=ctrl_c)

    done = place.run(*place.typed(words))

    assert_goes_on(place, done)
    assert_done_once(place, name)


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        (name, moment)
        for name in COMMANDS
        for moment in ("writing", "printing")
        if moment == "printing" or name not in WRITES_NOTHING
    ],
)
@pytest.mark.slow
def test_stopped_while_it_writes_or_prints(place, name, moment, monkeypatch):
    if moment == "writing":
        ARMED.set()
    else:
        monkeypatch.setattr(sys, "stdout", Pressed(sys.stdout))

    done = place.run(*place.typed(COMMANDS[name][0]))

    assert not ARMED.is_set()
    assert_goes_on(place, done)
    assert_done_once(place, name)
