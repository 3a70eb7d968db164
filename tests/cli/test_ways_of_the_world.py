"""Files and paths as editors, shells and other systems leave them."""

import codecs

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer

ENCODINGS = {
    "UTF-8": ("", "utf-8"),
    "UTF-8 with a mark": ("", "utf-8-sig"),
    "UTF-16, little-endian": (codecs.BOM_UTF16_LE.decode("utf-16-le"), "utf-16-le"),
    "UTF-16, big-endian": (codecs.BOM_UTF16_BE.decode("utf-16-be"), "utf-16-be"),
    "UTF-16 without a mark": ("", "utf-16-le"),
}


@pytest.fixture
def written(tmp_path):
    """Write a file anew in another encoding, with the line ends of Windows."""

    def write(name, text, encoding):
        mark, codec = ENCODINGS[encoding]
        (tmp_path / name).write_bytes((mark + text.replace("\n", "\r\n")).encode(codec))

    return write


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.slow
def test_plans_phrases_and_decisions_are_read_in_every_encoding(run, written, tmp_path, encoding):
    with DemoServer(n_images=40) as server, pic.Client(server.api_key, server.url) as client:
        images = pic.load_images(client, store=None, progress=False)
        made = pic.plan_deletion(images, list(images.index[:3]), reason="café", max_fraction=1)
        made.save(tmp_path / "plain.json")
        written("plan.json", (tmp_path / "plain.json").read_text(encoding="utf-8"), encoding)
        written("phrase.txt", f"# agreed by Zoë\n{made.confirmation}\n", encoding)
        written("decisions.csv", f"id,decision\n{images.index[0]},keep\n", encoding)

        planned = run(
            *("plan", "--older-than", "0", "--max-fraction", "1", "--reason", "x"),
            *("--decisions", "decisions.csv", "-o", "new.json"),
            server=server,
        )
        done = run(
            "apply", "plan.json", "--confirm-file", "phrase.txt", "--no-backup", server=server
        )

        assert planned.returncode in (0, 3), planned.stderr
        kept = pic.read_plan(tmp_path / "new.json")
        assert images.index[0] not in kept.images.index
        assert done.returncode == 0, done.stderr
        assert [image.id for image in server.deleted] == list(made.images.index)


POLICY = """reason = "old"
expires = 2099-01-01
protect = []
sightings = 2
sightings_apart = "0s"
[rule]
older_than = 1
[references]
file = "used.csv"
max_age = "2d"
[caps]
max_images = 500
max_bytes = "1 GiB"
[backup]
folder = "kept"
"""


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_policies_are_read_in_every_encoding(run, written, encoding):
    written("policy.toml", POLICY, encoding)

    with DemoServer(n_images=10) as server:
        done = run("apply", "--standing-order", "policy.toml", server=server)

    # It came as far as what else the policy needs.
    assert "cannot be followed" not in done.stderr
    assert "used.csv" in done.stderr or "kept" in done.stderr


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    return folder


@pytest.mark.slow
def test_a_tilde_is_the_home_folder_in_every_path(run, home, tmp_path, monkeypatch):
    with DemoServer(n_images=40) as server:
        run = [
            run("load", "--store=~/store", "--output=~/rows.csv", server=server),
            run(
                *("plan", "--older-than", "1", "--max-fraction", "1", "--reason", "x"),
                *("--store=~/store", "--output=~/plan.json", "--csv=~/plan.csv"),
                server=server,
            ),
            run(
                "report", "--output=~/r.html", "--output=~/r.md", "--output=~/r.json", server=server
            ),
            run("backup", "~/plan.json", "~/kept", server=server),
            run("apply", "~/plan.json", "--output=~/receipt.csv", server=server),
            run("restore", "~/kept", "--output=~/restored.csv", server=server),
            run("snapshots", "--store=~/store"),
        ]
        monkeypatch.setenv("PICORA_DATA_DIR", "~/data")

    assert [done.returncode for done in run if done.returncode not in (0, 4)] == []
    made = {path.name for path in home.iterdir() if not path.name.startswith(".")}
    assert made >= {
        *("store", "rows.csv", "plan.json", "plan.csv", "r.html", "r.md", "r.json", "kept"),
        *("receipt.csv", "restored.csv"),
    }
    assert {path.name for path in tmp_path.iterdir()} <= {"home", "data"}


@pytest.mark.slow
def test_a_tilde_is_the_home_folder_where_no_command_expands_it(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PICORA_DATA_DIR", "~/data")
    with DemoServer(n_images=40) as server, pic.Client(server.api_key, server.url) as client:
        images = pic.load_images(client, store="~/store", progress=False)
        made = pic.plan_deletion(images, list(images.index[:3]), reason="x", max_fraction=1)
        saved = made.save("~/plan.json")
        made.to_csv("~/plan.csv")
        made.back_up(client, "~/kept", progress=False)
        plan = pic.read_plan("~/plan.json")
        plan.dry_run(client).write("~/receipt.json")
        pic.StorageReport(images).write_html("~/report.html")
        receipt = plan.apply(
            client, made.confirmation, backup="~/kept", journal="~/own.ndjson", progress=False
        )
        pic.restore_images(client, "~/kept", progress=False)

    assert receipt.journal == home / "own.ndjson"
    assert saved == home / "plan.json"
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_home_that_is_not_there_is_named(run):
    done = run("load", "--demo", "--store=~nobody-of-this-name/kept")

    assert done.returncode == 2
    assert "There is no home folder for '~nobody-of-this-name/kept'" in " ".join(
        done.stderr.split()
    )


MISSING = [
    pytest.param(("apply", "none.json"), id="plan"),
    pytest.param(("backup", "none.json", "kept"), id="plan to back up"),
    pytest.param(("apply", "plan.json", "--confirm-file", "none.txt", "--no-backup"), id="phrase"),
    pytest.param(("apply", "--standing-order", "none.toml"), id="policy"),
    pytest.param(("apply", "none.ndjson", "--resume"), id="journal"),
    pytest.param(
        ("plan", "--untagged", "--reason", "x", "--decisions", "none.csv"), id="decisions"
    ),
    pytest.param(("diff", "none.parquet", "none.parquet"), id="snapshot"),
    pytest.param(("restore", "none"), id="copies"),
]


@pytest.mark.parametrize("arguments", MISSING)
def test_a_missing_file_is_named_once(run, tmp_path, arguments):
    with DemoServer(n_images=10) as server, pic.Client(server.api_key, server.url) as client:
        images = pic.load_images(client, store=None, progress=False)
        pic.plan_deletion(images, list(images.index[:1]), reason="x").save(tmp_path / "plan.json")
        before = len(server.requests)
        done = run(*arguments, server=server)

    assert done.returncode == 2
    assert len(server.requests) == before
    message = done.stderr.splitlines()[-1]
    assert message.count("none") == 1, message
    assert "Errno" not in message


@pytest.mark.parametrize(
    "arguments",
    [
        *(("check",), ("load",), ("report",), ("plan", "--untagged", "--reason", "x")),
        *(("apply", "plan.json"), ("backup", "plan.json", "kept"), ("restore", "kept")),
        *(("snapshots",), ("diff",), ("apply", "--standing-order", "p.toml")),
    ],
    ids=" ".join,
)
def test_every_command_without_a_key_is_wrong_usage(run, tmp_path, arguments):
    done = run(*arguments)

    assert done.returncode == 2
    assert "No API key" in done.stderr
    assert list(tmp_path.iterdir()) == []
