"""The notebooks run from top to bottom, on the demo, without an error or a warning."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from picora_analytics import DemoServer

NOTEBOOKS = sorted(Path(__file__).parents[1].joinpath("notebooks").glob("*.ipynb"))


def _path(name):
    return next(path for path in NOTEBOOKS if path.stem == name)


def _read(path):
    import nbformat  # Here, for it takes seconds: other workers need not wait for it.

    return nbformat.read(path, as_version=4)


def _run(name, tmp_path, monkeypatch, again=None):
    """Run a notebook, and after its end once more the cells that hold some text."""
    import nbclient

    monkeypatch.setenv("PICORA_DEMO", "1")  # Here nobody can type.
    monkeypatch.setenv("PICORA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = _read(_path(name))
    notebook.cells += [cell.copy() for cell in notebook.cells if again and again in cell.source]
    nbclient.NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    return notebook


@pytest.mark.notebook
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.slow
def test_a_notebook_runs_without_errors_or_warnings(path, tmp_path, monkeypatch):
    notebook = _run(path.stem, tmp_path, monkeypatch)

    loud = [
        output["text"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output["output_type"] == "stream" and output["name"] == "stderr"
    ]
    assert loud == []
    # Though no page asked for its pictures, a gallery's saved picture holds some.
    for output in (one for cell in notebook.cells for one in cell.get("outputs", [])):
        shown = output.get("data", {}).get("text/html", "")
        assert ("picora-static" in shown) == ("data:image/" in shown and "A saved picture" in shown)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_outputs_come_from_the_demo_and_from_one_run(path):
    import nbformat

    notebook = _read(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source]

    nbformat.validate(notebook)
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert "DEMO" in json.dumps([cell.outputs for cell in code])
    assert not re.search(r"sk_live_(?!\.\.\.)", path.read_text(encoding="utf-8"))
    # Pictures drawn here must not depend on the fonts of this machine.
    assert "\ufffd" not in json.dumps([cell.outputs for cell in code], ensure_ascii=False)
    assert not re.search(r"plot_(tags|overview|treemap|changes)\(", "".join(c.source for c in code))
    # A widget's state would be saved at its first moment, and GitHub refuses half of it.
    assert "widgets" not in notebook.metadata


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_an_output_says_to_type_uses_names_of_the_notebook(path):
    code = [cell for cell in _read(path).cells if cell.cell_type == "code"]
    shown = [o.get("data", {}).get("text/plain", "") for cell in code for o in cell.outputs]

    for verb in ("findings", "write_html", "save", "without", "dry_run", "apply", "hide"):
        for name in re.findall(rf"(?<![\w.])(\w+)\.{verb}\(", "\n".join(shown)):
            assert any(f"{name} = " in cell.source for cell in code), f"{name}.{verb}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_a_story_of_short_cells(path):
    notebook = _read(path)

    assert notebook.cells[0].source.startswith("# ")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) < 10


@pytest.mark.notebook
@pytest.mark.slow
def test_the_cleanup_notebook_touches_only_its_own_demo_whatever_the_environment_says(
    tmp_path, monkeypatch
):
    with DemoServer(n_images=5) as mine:
        monkeypatch.setenv("PICORA_API_KEY", mine.api_key)
        monkeypatch.setenv("PICORA_BASE_URL", mine.url)
        notebook = _run("03_guided_cleanup", tmp_path, monkeypatch, again="confirm=")

        assert mine.requests == []

    shown = [
        output["data"]["text/plain"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "data" in output
    ]
    assert any(text.startswith("DEMO  RECEIPT of plan") for text in shown)
    # The deleting cells, run again when the service is gone: the journal answers, and says when.
    assert re.search(r"on \d+ \w{3} \d{4} at .*nothing was sent now", shown[-1])


SLOW_PICTURES = """
import picora_analytics as pic
demo = pic.DemoServer(30).start()
client = pic.Client(demo.api_key, demo.url)
images = pic.load_images(client, progress=False)
images = images[images["is_public"]]
demo.fail(delay=0.5, times=None)
"""


@pytest.mark.notebook
def test_pictures_that_come_late_are_in_a_notebook_that_runs_by_itself(tmp_path, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    cells = map(nbformat.v4.new_code_cell, (SLOW_PICTURES, "pic.ImageGallery(images, client)"))
    notebook = nbformat.v4.new_notebook(cells=list(cells))

    NotebookClient(notebook, timeout=60).execute()

    saved = notebook.cells[1].outputs[0]["data"]["text/html"]
    assert saved.count("data:image/") == 6


@pytest.mark.notebook
def test_a_notebook_that_runs_by_itself_needs_a_key_or_a_word(tmp_path, monkeypatch):
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    cell = nbformat.v4.new_code_cell("import picora_analytics as pic\npic.connect()")
    notebook = nbformat.v4.new_notebook(cells=[cell])

    with pytest.raises(CellExecutionError, match=r"No API key"):
        NotebookClient(notebook, timeout=60).execute()


@pytest.mark.notebook
@pytest.mark.slow
def test_the_report_notebook_takes_parameters_from_papermill(tmp_path, monkeypatch):
    monkeypatch.setenv("PICORA_DEMO", "1")
    monkeypatch.setenv("PICORA_DATA_DIR", str(tmp_path / "data"))
    out = tmp_path / "out.ipynb"
    page = tmp_path / "mine.html"
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.md").write_text("![](https://cdn.example/R8l4Cdl_Aiu.jpg)")

    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "papermill",
                _path("02_storage_report"),
                out,
                "--cwd",
                tmp_path,
            ),
            *("-p", "quota", "2 GiB", "-p", "output", page, "--no-progress-bar"),
            *("-p", "pages", tmp_path / "pages"),
        ],
        capture_output=True,
        text=True,
        timeout=180,
    )

    assert done.returncode == 0, done.stderr
    text = re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8"))
    assert "1.31 of 2.00 GiB" in text
    assert "In your pages: 1 found in 1 file" in text


def test_only_the_cleanup_notebook_holds_a_phrase_and_types_it_out():
    for path in NOTEBOOKS:
        sources = "".join(cell.source for cell in _read(path).cells if cell.cell_type == "code")
        phrases = re.findall(r'confirm="((?:hide-)?\d+-[0-9a-f]{12})"', sources)

        assert sources.count("confirm=") == len(phrases)
        assert bool(phrases) is (path.stem == "03_guided_cleanup")
