"""Progress: a bar for a terminal, lines for a log, one output for a notebook."""

import fcntl
import io
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time

import pytest

from picora_analytics.progress import (
    Bar,
    Lines,
    Pace,
    Silent,
    begin,
    in_notebook,
    is_interactive,
    is_set,
    notice,
    progress_for,
)


def test_a_log_gets_the_last_line_only_when_it_is_quick():
    stream = io.StringIO()
    lines = Lines("Loading", stream)

    for done in range(0, 1000, 100):
        lines.update(done, 1000)
    lines.finish("Complete: 1,000 rows")

    assert stream.getvalue() == "Complete: 1,000 rows\n"


def test_a_log_gets_a_line_now_and_then():
    stream = io.StringIO()
    lines = Lines("Loading", stream, every=0)

    lines.update(1000, 2000)
    lines.update(1100, None)
    lines.update(2100, 2000)
    lines.wait("staying within the limit")
    lines.finish("Complete")

    assert stream.getvalue().splitlines() == [
        "Loading: 1,000 of 2,000",
        "Loading: 1,100",
        "Loading: 2,100",
        "Loading: staying within the limit",
        "Complete",
    ]


def test_how_long_the_rest_takes_is_told_by_the_pace_so_far():
    moments = iter([0.0, 0.5, 10.0, 40.0, 50.0, 60.0, 70.0])
    pace = Pace(lambda: next(moments))

    told = [pace.counted(done, total) for done, total in [
        (500, 2000), (510, 2000), (1000, 2000), (2000, 2000), (2100, 2000), (2100, None), (5, 100),
    ]]  # fmt: skip

    assert told == [
        "500 of 2,000",
        "510 of 2,000",
        "1,000 of 2,000, about 20 s left",
        "2,000 of 2,000",
        "2,100",
        "2,100",
        "5 of 100",
    ]


def test_each_step_has_its_own_label():
    stream = io.StringIO()
    lines = Lines("Loading", stream, every=0)

    begin(lines, "Reading hashes")
    lines.update(100, 130)
    begin(Own(), "Reading hashes")  # Whoever does not want to know is not told.

    assert stream.getvalue() == "Reading hashes: 100 of 130\n"


def test_a_wait_is_always_written():
    stream = io.StringIO()

    Lines("Loading", stream).wait("the server asks to slow down")

    assert stream.getvalue() == "Loading: the server asks to slow down\n"


class Own:
    def update(self, done, total): ...

    def wait(self, reason): ...

    def finish(self, text): ...


def test_progress_suits_the_place_unless_it_is_chosen(capsys):
    own = Own()

    chosen = [progress_for(value, "Loading") for value in (None, True, False, own)]

    assert [type(one) for one in chosen[:3]] == [Lines, Lines, Silent]
    assert chosen[3] is own
    chosen[0].finish("the end")
    assert capsys.readouterr() == ("", "the end\n")


def test_silence_is_silent(capsys):
    silent = progress_for(False, "Loading")

    silent.update(1, 2)
    silent.wait("x")
    silent.finish("y")

    assert capsys.readouterr() == ("", "")


def test_a_script_is_neither_a_notebook_nor_interactive():
    code = "from picora_analytics.progress import *; print(in_notebook(), is_interactive())"

    env = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=env
    )
    typed = subprocess.run(
        [sys.executable, "-i"], input=code, capture_output=True, text=True, timeout=60, env=env
    )

    assert done.stdout == "False False\n"
    assert typed.stdout == "False True\n"
    assert (in_notebook(), is_interactive()) == (False, False)


def test_a_notice_goes_to_standard_error(capsys):
    notice("DEMO")

    assert capsys.readouterr() == ("", "DEMO\n")


# A terminal

AT_A_TERMINAL = """
import sys
from picora_analytics.progress import progress_for

show = progress_for(None, "Loading")
show.update(100, 300)
show._bar.refresh()
show.wait("the server asks to slow down")
show.begin("Reading hashes")
show.update(200, 300)
show._bar.refresh()
show.update(400, 300)
show._bar.refresh()
show.finish("Complete: 400 rows")
"""


def at_a_terminal(code, **environment):
    """Run Python at a terminal of its own; give all that the terminal was sent."""
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        env = {**os.environ, "TERM": "xterm", **environment}
        os.execve(sys.executable, [sys.executable, "-W", "error", "-c", code], env)
    shown, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            part = os.read(terminal, 4096)
        except OSError:  # Linux says so when the child is gone.
            break
        if not part:
            break
        shown += part
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert status == 0, shown.decode()
    return shown.decode()


def left_on_screen(sent):
    """Give the lines as a terminal shows them in the end: a return goes back and overwrites."""
    lines = []
    for line in sent.replace("\r\n", "\n").split("\n"):
        cells = ""
        for part in line.split("\r"):
            cells = part + cells[len(part) :]
        lines.append(cells.rstrip())
    return [line for line in lines if line]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.slow
def test_a_terminal_shows_a_bar_and_ends_with_the_last_line_alone(encoding):
    sent = at_a_terminal(AT_A_TERMINAL, PYTHONIOENCODING=encoding)

    assert "Loading:  33%|" in sent
    assert "100/300" in sent
    assert "Reading hashes:  67%|" in sent
    assert "the server asks to slow down" in sent
    assert "400 images" in sent  # More than the total: a count, and no share above all.
    assert "133%" not in sent
    assert ("█" in sent) is (encoding == "utf-8")
    assert left_on_screen(sent) == ["Complete: 400 rows"]


def test_a_bar_without_a_total_counts():
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self):
            return True

    stream = Terminal()
    bar = progress_for(None, "Loading", stream)

    bar.update(7, None)
    bar._bar.refresh()
    bar.finish("Done")

    assert isinstance(bar, Bar)
    assert "Loading: 7 images" in stream.getvalue()
    assert stream.getvalue().endswith("\rDone\n")


# A notebook


@pytest.fixture
def notebook(tmp_path):
    nbclient = pytest.importorskip("nbclient")  # The lane of the oldest pandas has no Jupyter.
    nbformat = pytest.importorskip("nbformat")

    def run(*cells):
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        nbclient.NotebookClient(made, timeout=60, kernel_name="python3").execute(cwd=str(tmp_path))
        return [cell.outputs for cell in made.cells]

    return run


@pytest.mark.slow
def test_a_saved_notebook_holds_exactly_the_final_state(notebook):
    shown, told, said = notebook(
        "from picora_analytics.progress import NotebookOutput, notice, progress_for\n"
        "show = progress_for(None, 'Loading')\n"
        "assert type(show) is NotebookOutput\n"
        "for done in range(0, 400, 100):\n"
        "    show.update(done, 300)\n"
        "show.wait('the server asks to slow down')\n"
        "show.begin('Reading hashes')\n"
        "show.finish('Complete: <300> rows')",
        "notice('DEMO: <b>invented</b>')",
        "import os, picora_analytics as pic\n"
        "os.environ['PICORA_DEMO'] = '1'\n"
        "client = pic.connect()\n"
        "images = pic.load_images(client)\n"
        "client.close()",
    )

    (output,) = shown
    assert output.data == {
        "text/plain": "Complete: <300> rows",
        "text/html": "<span>Complete: &lt;300&gt; rows</span>",
    }
    (output,) = told
    assert output.data["text/plain"] == "DEMO: <b>invented</b>"
    assert "<b>" not in output.data["text/html"]
    first, second = said
    assert first.data["text/plain"].startswith("DEMO: no PICORA_API_KEY is set")
    assert second.data["text/plain"].startswith("Complete: 1,200 rows = 1,200 different ids")


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, False),
        ({"CI": "true"}, True),
        ({"CI": "1"}, True),
        ({"CI": "false"}, False),
        ({"CI": ""}, False),
    ],
)
def test_a_runner_says_that_it_is_one(environ, told):
    assert is_set("CI", environ) is told


def test_marimo_is_a_place_to_type(tmp_path):
    (tmp_path / "marimo.py").write_text("def running_in_notebook():\n    return True\n")
    code = "import marimo\nfrom picora_analytics.progress import *\nprint(is_interactive())"
    env = {name: value for name, value in os.environ.items() if name != "CI"}

    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=env | {"PYTHONPATH": os.pathsep.join([str(tmp_path), env.get("PYTHONPATH", "")])},
    )
    on_a_runner = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=env
        | {"CI": "1", "PYTHONPATH": os.pathsep.join([str(tmp_path), env.get("PYTHONPATH", "")])},
    )

    assert (done.stdout, on_a_runner.stdout) == ("True\n", "False\n"), done.stderr


@pytest.mark.parametrize("wrong", ["yes", 3, print])
def test_what_no_progress_can_be_reported_to_is_named(wrong):
    with pytest.raises(TypeError, match=f"type {type(wrong).__name__}, which has no update or"):
        progress_for(wrong, "Loading")
