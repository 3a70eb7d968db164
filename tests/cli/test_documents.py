"""With --json each command prints one document and nothing else: exact, in its schema, dead and keyless."""

import importlib.resources
import json

import jsonschema
import pytest

import picora_analytics as pic
from picora_analytics import DemoServer

FOLDER = importlib.resources.files("picora_analytics") / "schemas"
KEY = "sk_live_0123456789abcdefghijklmnop"
HOSTILE = f"\x1b]0;PWN\x07\u202e\x7f\x9b2J {KEY} =1+1 <b>.png"
TAG = f"\x1b[31m{KEY}"


@pytest.fixture
def server():
    with DemoServer(60, rate_scale=None, api_key=KEY) as server:
        for one in list(server.images)[:20]:
            server.edit(one, filename=HOSTILE, title=HOSTILE, tags=(TAG,))
        yield server


@pytest.fixture
def printed(run, server):
    """Run a command with --json; give its document, held against its schema."""

    def command(*arguments, code=0):
        done = run(*arguments, "--json", server=server)
        assert done.returncode == code, done.stderr + done.stdout[-1500:]
        assert KEY not in done.stdout + done.stderr
        assert done.stdout.isascii() and done.stdout.replace("\n", "").isprintable()
        document = json.loads(done.stdout)
        jsonschema.validate(document, schema_of(document))
        assert "picora-analytics: Stopped" not in done.stderr
        return document

    return command


def schema_of(document):
    names = {
        "deletion plan": "plan",
        "deletion receipt": "receipt",
        "references": "references",
        "storage report": "report",
    }
    name = names.get(document["format"].removeprefix("picora-analytics "), "command")
    return json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))


def shown(name):
    return name.replace(KEY, "<key>")


def test_what_looks_prints_what_it_found(printed, server):
    check = printed("check")
    assert (check["n_images"], check["single_image"]) == (60, "yes")

    loaded = printed("load", "--store", "kept", "-o", "rows.csv")
    assert loaded["library"]["n_images"] == 60
    assert loaded["written"] == "rows.csv"
    assert {row["tag"]: row["n_images"] for row in loaded["by_tag"]}[shown(TAG)] == 20
    gone = next(iter(server.images))
    server.remove(gone)
    printed("load", "--store", "kept")

    listed = printed("snapshots", "--store", "kept")
    assert [row["n_images"] for row in listed["snapshots"]] == [60, 59]
    pruned = printed("snapshots", "--store", "kept", "--prune", "2")
    assert pruned["pruned"] == []
    changed = printed("diff", "--store", "kept")
    assert [(row["id"], row["filename"]) for row in changed["removed"]] == [(gone, shown(HOSTILE))]
    assert printed("report", "-o", "r.md")["totals"]["n_images"] == 59


def test_a_damaged_snapshot_has_no_numbers(printed, tmp_path):
    printed("load", "--store", "kept")
    (path,) = (tmp_path / "kept").glob("*.parquet")
    path.write_bytes(b"PAR1")

    (row,) = printed("snapshots", "--store", "kept")["snapshots"]

    assert row == {"version": path.stem, "n_images": None, "size_bytes": None, "read_at": None}


def test_what_cleans_up_prints_plans_and_receipts_that_work(printed, server, tmp_path):
    ids = [one for one, image in server.images.items() if image.is_public][30:34]
    noted = printed("decide", "d.csv", *(f"--delete={one}" for one in ids), "--note", HOSTILE)
    assert noted["counts"] == {"delete": 4}
    rule = ("--decided", "delete", "--decisions", "d.csv", "--reason", "x", "--max-fraction", "1")
    plan = printed("plan", *rule)
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    assert pic.read_plan(tmp_path / "plan.json").confirmation == plan["confirmation"]
    assert printed("plan", *rule, "--max-images", "1", code=3)["caps"]["max_images"] == 1

    made = printed("backup", "plan.json", "kept")
    assert (made["n_proved"], made["failed"]) == (len(plan["images"]), [])
    rehearsed = printed("hide", "plan.json")
    assert rehearsed["counts"] == {"would hide": len(ids)}
    hidden = printed("hide", "plan.json", "--confirm", rehearsed["confirmation"], "-o", "h.json")
    assert hidden["counts"] == {"hidden": len(ids)}
    again = printed("unhide", "h.json")
    assert printed("unhide", "h.json", "--confirm", again["confirmation"])["deed"] == "show"

    # What was shown again was edited lately, and is spared.
    ids = [one for one, image in server.images.items() if image.is_public][34:38]
    printed("decide", "d.csv", *(f"--delete={one}" for one in ids))
    plan = printed("plan", *rule, "-o", "plan.json", "--refresh", "full")
    assert printed("apply", "plan.json")["dry_run"] is True
    phrase = ("--confirm", plan["confirmation"], "--backup", "kept")
    gone = printed("apply", "plan.json", *phrase, "-o", "receipt.json")
    assert gone == json.loads((tmp_path / "receipt.json").read_text())
    assert gone["counts"] == {"deleted": len(ids)}
    back = printed("restore", "kept")
    assert back["counts"] == {"already there": 4, "restored": 4}
    assert {row["old_id"] for row in back["outcomes"] if row["outcome"] == "restored"} == set(ids)


def test_a_review_prints_its_portions_and_what_came_back(printed, server, tmp_path):
    rule = ("--older-than", "1", "--untagged", "--reason", "x", "--max-fraction", "1")
    plan = printed("plan", *rule, "-o", "plan.json")
    noted = ("--decisions", "d.csv")

    first = printed("review", "plan.json", *noted, "-o", "part.csv")

    assert sum(row["n_images"] for row in first["portions"]) == len(plan["images"])
    assert first["next"] == first["portions"][0]["portion"]
    assert first["written"] == ["part.csv", "part.csv.plan.json"]
    back = printed("review", "part.csv", *noted)
    assert back["counts"] == {"keep": 0, "delete": first["portions"][0]["n_images"]}
    page = printed("review", "plan.json", "-o", "page.html")
    assert page["n_pictures"] == sum(one["is_public"] is True for one in plan["images"])
    assert all((tmp_path / name).exists() for name in page["written"])


def test_repointing_prints_what_changes_and_what_stays(printed, tmp_path):
    (tmp_path / "map.csv").write_text("old,new\naB3dE5fG7hJ,kL9mN1pQ3rS\n")
    (tmp_path / "a.md").write_text("aB3dE5fG7hJ\nxaB3dE5fG7hJx\n")

    shown = printed("repoint", "map.csv", "a.md", "--no-check")
    made = printed("repoint", "map.csv", "a.md", "--no-check", "--write")

    assert (shown["n_places"], shown["n_files"], shown["patch"]) == (1, 1, None)
    assert [(row["line"], row["id"]) for row in shown["left"]] == [(2, "aB3dE5fG7hJ")]
    assert made == shown | {"patch": str(tmp_path / "a.md.repoint.patch")}
    assert (tmp_path / "a.md").read_text() == "kL9mN1pQ3rS\nxaB3dE5fG7hJx\n"


def test_a_search_prints_what_a_plan_reads(printed, run, server, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / f"a{HOSTILE[:8]}.md").write_text(next(iter(server.images)))

    found = printed("scan", "site")

    (tmp_path / "refs.json").write_text(json.dumps(found))
    assert found["counts"]["found"] == 1
    assert len(pic.read_references(tmp_path / "refs.json").found) == 1
    saved = run("scan", "--json", "same.json", "site", server=server)
    assert "Written    same.json" in saved.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan", "site", "--json", "-", "--annotations"),
        ("scan", "site", "--json", "-", "--markdown", "-"),
        ("report", "--json", "-o", "-"),
        ("report", "--json", "--metrics", "-"),
        ("report", "-o", "-", "--metrics", "-"),
    ],
    ids=" ".join,
)
def test_two_documents_are_never_printed_as_one(run, server, tmp_path, arguments):
    (tmp_path / "site").mkdir()
    before = len(server.requests)

    done = run(*arguments, server=server)

    assert (done.returncode, done.stdout) == (2, "")
    assert len(server.requests) == before


def test_what_fails_prints_no_document(run, server):
    done = run("load", "--refresh", "never", "--store", "none", "--json", server=server)

    assert (done.returncode, done.stdout) == (1, "")
    assert "makes the first" in done.stderr


@pytest.mark.parametrize("command", ["load", "plan", "backup", "apply", "hide", "scan", "restore"])
def test_quiet_prints_nothing_where_all_is_well(run, server, tmp_path, command):
    rule = ("--older-than", "1", "--untagged", "--reason", "x", "--max-fraction", "1")
    run("plan", *rule, "-o", "plan.json", server=server)
    run("backup", "plan.json", "kept", server=server)
    more = {
        "plan": rule,
        "backup": ("plan.json", "kept"),
        "apply": ("plan.json",),
        "hide": ("plan.json",),
        "scan": (str(tmp_path / "kept"),),
        "restore": ("kept",),
    }

    done = run(command, *more.get(command, ()), "--quiet", server=server)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_dry_run_says_beforehand_what_it_takes(run, server):
    rule = ("--older-than", "1", "--untagged", "--reason", "x", "--max-fraction", "1")
    planned = run("plan", *rule, "-o", "plan.json", server=server)
    before = len(server.requests)

    done = run("apply", "plan.json", server=server)

    said = "as they are now: 1 reading request, about 1 s at Picora's documented pace"
    assert said in planned.stderr
    assert said in done.stderr
    listed = [one.path for one in server.requests[before:] if one.path == "/v1/images"]
    assert 1 <= len(listed) <= 2  # The newest page is read again at the end.
