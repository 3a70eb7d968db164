"""Whoever wrote it: nothing that the command prints acts on a terminal, is endless, or holds the key."""

import dataclasses
import json
import re

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer

KEY = "sk_live_0123456789abcdefghijklmnop"
TITLE = "\x1b]0;PWN\x07"
EVIL = {
    "a window title": TITLE,
    "a colour": "\x1b[31mred",
    "8-bit control": "\x9b2J",
    "carriage return": "100 kept\rdeleted",
    "right to left": "photo\u202egnp.exe",
    "a bell": "\x07" * 30,
    "a link": "\x1b]8;;https://evil.example\x1b\\\\click\x1b]8;;\x1b\\\\",
}
evil = pytest.mark.parametrize("text", EVIL.values(), ids=EVIL)


def dead(done):
    whole = done.stdout + done.stderr
    assert KEY not in whole
    acting = re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", whole)
    assert acting == [], whole
    assert len(whole) < 60_000
    return done


@pytest.fixture
def plan(run, tmp_path):
    """Save a plan of two images; a stranger's hand may then have been at it."""
    with DemoServer(n_images=40) as server, pic.Client(server.api_key, server.url) as client:
        images = pic.load_images(client, store=None, progress=False)
        made = pic.plan_deletion(images, list(images.index[:2]), reason="x", max_fraction=1)
        yield made, server


COMMANDS = [
    pytest.param(("check",), id="check"),
    pytest.param(("load",), id="load"),
    pytest.param(("report", "-o", "-"), id="report"),
    pytest.param(("plan", "--older-than", "1", "--reason", "x", "--max-fraction", "1"), id="plan"),
    pytest.param(("apply", "plan.json"), id="dry run"),
    pytest.param(("apply", "plan.json", "--confirm", "PHRASE", "--no-backup"), id="apply"),
    pytest.param(("backup", "plan.json", "kept"), id="backup"),
    pytest.param(("diff",), id="diff"),
    pytest.param(("snapshots",), id="snapshots"),
]


@pytest.mark.parametrize("arguments", COMMANDS)
@pytest.mark.slow
def test_a_service_that_answers_with_escapes_megabytes_and_the_key(run, plan, tmp_path, arguments):
    made, server = plan
    made.save(tmp_path / "plan.json")
    message = f"{KEY} {TITLE} {'x' * 3_000_000} {KEY}"
    body = json.dumps({"success": False, "error": {"code": message, "message": message}})
    server.api_key, kept = KEY, server.api_key
    server.fail("*", "/v1/*", times=None, status=400, body=body)
    try:
        done = run(*(made.confirmation if a == "PHRASE" else a for a in arguments), server=server)
    finally:
        server.api_key = kept

    assert dead(done).returncode != 0


@evil
@pytest.mark.slow
def test_names_titles_and_tags(run, text):
    with DemoServer(n_images=6) as server:
        for one in list(server.images):
            server.edit(one, filename=f"{text}.png", title=text, tags=(text,))
        shown = [
            run("load", server=server),
            run("report", "-o", "-", server=server),
            run(
                "plan", "--older-than", "0", "--reason", text, "--max-fraction", "1", server=server
            ),
        ]

    assert [dead(done).returncode for done in shown[:2]] == [0, 0]
    assert dead(shown[2]).returncode in (0, 3)


@evil
@pytest.mark.parametrize("field", ["account", "base_url"])
@pytest.mark.slow
def test_a_plan_of_a_stranger(run, plan, tmp_path, text, field):
    made, server = plan
    forged = dataclasses.replace(
        made, reason=text, library={**made.library, "demo": False, field: text}
    )
    forged.save(tmp_path / "plan.json")

    for said in ((), ("--confirm", forged.confirmation, "--no-backup"), ("--resume",)):
        assert dead(run("apply", "plan.json", *said, server=server)).returncode in (1, 3)
    assert dead(run("backup", "plan.json", "kept", server=server)).returncode == 1


@evil
@pytest.mark.slow
def test_other_files_of_strangers(run, plan, tmp_path, text):
    made, server = plan
    made.save(tmp_path / "plan.json")
    head = {"format": "picora-analytics copies", "version": 1, "account": text, "base_url": text}
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "copies.ndjson").write_text(json.dumps(head | {"demo": False}) + "\n")
    quoted = json.dumps(text)
    for name, content in {
        "plan.journal.ndjson": json.dumps({"format": text, "plan": {"confirmation": text}}) + "\n",
        "decisions.csv": f"id,decision\nx,{text}\n",
        "policy.toml": f"reason = {quoted}\n{quoted} = 1\n".replace("\\u001b", "\\u001B"),
        "phrase.txt": f"{text}\n{text}\n",
        "broken.json": text,
        "broken.parquet": text,
        "other.json": json.dumps({"format": text}),
    }.items():
        (tmp_path / name).write_text(content, encoding="utf-8", newline="")

    for arguments in (
        ("backup", "plan.json", "kept"),
        ("restore", "kept"),
        ("apply", "plan.json", "--resume"),
        ("plan", "--untagged", "--reason", "x", "--decisions", "decisions.csv"),
        ("apply", "--standing-order", "policy.toml"),
        ("apply", "plan.json", "--confirm-file", "phrase.txt", "--no-backup"),
        ("apply", "broken.json"),
        ("apply", "other.json"),
        ("diff", "broken.parquet", "broken.parquet"),
    ):
        assert dead(run(*arguments, server=server)).returncode == 1, arguments


def test_a_fault_of_our_own_shows_no_key(run, monkeypatch):
    import picora_analytics.cli.main as command

    @command.cli.command("broken")
    def broken():
        raise LookupError(f"{KEY} {TITLE}") from RuntimeError(KEY)

    try:
        done = run("broken", PICORA_API_KEY=KEY)
    finally:
        command.cli.commands.pop("broken")

    assert dead(done).returncode == 1
    assert "LookupError" in done.stderr
    assert "<key>" in done.stderr


@pytest.mark.slow
def test_an_id_that_looks_like_an_option_or_a_command_is_an_id(run, plan, tmp_path):
    made, server = plan
    made.save(tmp_path / "plan.json")
    run("backup", "plan.json", "kept", server=server)
    for strange in ("-x", "--help", "$(rm -rf ~)", "a b", "'"):
        done = run("restore", "kept", "--id", strange, server=server)
        assert done.returncode == 2
        assert repr(strange) in done.stderr


def test_what_is_offered_to_type_can_be_pasted(monkeypatch, tmp_path):
    import shlex
    import sys

    from picora_analytics.cli.demo import _as_typed

    folder = tmp_path / "my $(touch run) environment"
    folder.mkdir()
    (folder / "picora-analytics").touch()
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", "")

    assert shlex.split(_as_typed()) == [str(folder / "picora-analytics")]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("report", "--demo", "--quota", KEY), id="a size"),
        pytest.param(("diff", KEY, "x.parquet"), id="a file"),
        pytest.param(("apply", f"{KEY[8:]}.json"), id="a part of it"),
        pytest.param(("plan", "--demo", "--tagged", KEY, "--reason", "x"), id="a tag"),
        pytest.param((KEY,), id="a command"),
        pytest.param(("plan", f"--{KEY}"), id="an option"),
        pytest.param(("load", "--demo", "-o", f"{KEY}.csv", "extra"), id="beside another mistake"),
    ],
)
def test_a_key_that_is_typed_in_a_wrong_place_is_not_shown(run, arguments):
    done = run(*arguments, PICORA_API_KEY=KEY)

    assert done.returncode == 2, done.stderr
    said = done.stdout + done.stderr
    assert not [KEY[at : at + 12] for at in range(len(KEY) - 11) if KEY[at : at + 12] in said]
