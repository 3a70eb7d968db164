"""The house as designed: who may import whom, and what loads late."""

import ast
import graphlib
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import picora_analytics as pic

PACKAGE = Path(pic.__file__).parent
LEVELS = {
    "errors": 0,
    "units": 0,
    "text": 0,
    "times": 0,
    "files": 0,
    "lines": 0,
    "progress": 0,
    "demo": 0,
    "client": 1,
    "decisions": 1,
    "library": 2,
    "references": 3,
    "analysis": 4,
    "charts": 5,
    "pictures": 5,
    "cleanup": 5,
    "report": 6,
    "widgets": 7,
    "cli": 8,
    "__main__": 9,
    "__init__": 9,
}
# The command uses the public names, whichever part they live in; each is imported when a command needs it.
ABOVE = ("cli", "__main__")


def _modules(package: Path = PACKAGE) -> list[Path]:
    return [path for path in sorted(package.rglob("*.py")) if "notebooks" not in path.parts]


def _name(path: Path, package: Path = PACKAGE) -> str:
    """Give the dotted name of a module's file."""
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _part(name: str) -> str:
    """Give the folder or file at the top of the package that a dotted name lies in."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def _imports(path: Path, known: set[str]) -> set[str]:
    """Give the modules of ours that a file imports anywhere in it, those for type checkers included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports by dots; write the whole name"
            found |= {
                whole if (whole := f"{node.module}.{alias.name}") in known else str(node.module)
                for alias in node.names
            }
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] == "picora_analytics"}


def _graph(package: Path = PACKAGE) -> dict[str, set[str]]:
    files = {_name(path, package): path for path in _modules(package)}
    return {name: _imports(path, set(files)) for name, path in files.items()}


def _upward(graph: dict[str, set[str]]) -> list[str]:
    """List the imports that do not lead to a lower part, or within one."""
    found = []
    for name, imported in graph.items():
        own = _part(name)
        if own in ABOVE:
            continue
        for other in map(_part, imported):
            level = LEVELS[own]
            beside = level == 0 and LEVELS[other] == 0 and "demo" not in (own, other)
            if other != own and not beside and LEVELS[other] >= level:
                found.append(f"{name} imports {other}")
    return sorted(found)


def _circle(graph: dict[str, set[str]]) -> list[str]:
    """Give the modules of a circle of imports, empty where there is none."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.slow
def test_a_part_imports_only_from_lower_parts():
    assert _upward(_graph()) == []


@pytest.mark.slow
def test_no_module_imports_itself_by_way_of_others():
    assert _circle(_graph()) == []


def _planted(tmp_path: Path, module: str, line: str) -> dict[str, set[str]]:
    """Read the package with one more line in one of its modules."""
    package = tmp_path / PACKAGE.name
    for path in _modules():
        copy = package / path.relative_to(PACKAGE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        more = f"\n{line}\n" if path.relative_to(PACKAGE).as_posix() == module else ""
        copy.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    return _graph(package)


@pytest.mark.parametrize(
    ("module", "line", "said"),
    [
        pytest.param(
            "errors.py",
            "if TYPE_CHECKING:\n    from picora_analytics.cleanup.deletion import DeletionPlan",
            "picora_analytics.errors imports cleanup",
            id="for type checkers alone",
        ),
        pytest.param(
            "client/client.py",
            "def late():\n    from picora_analytics.library.load.loading import load_images",
            "picora_analytics.client.client imports library",
            id="inside a function",
        ),
        pytest.param(
            "cleanup/plan/guard.py",
            "import picora_analytics.report.report",
            "picora_analytics.cleanup.plan.guard imports report",
            id="import statement",
        ),
    ],
)
@pytest.mark.slow
def test_an_upward_import_is_found(tmp_path, module, line, said):
    assert _upward(_planted(tmp_path, module, line)) == [said]


@pytest.mark.slow
def test_a_circle_is_found(tmp_path):
    line = "if TYPE_CHECKING:\n    from picora_analytics.cleanup.plan.preview import preview_text"
    graph = _planted(tmp_path, "cleanup/plan/guard.py", line)

    assert "picora_analytics.cleanup.plan.guard" in _circle(graph)


@pytest.mark.slow
def test_in_cleanup_only_plan_and_policy_ask_analysis():
    asking = {
        name.split(".")[2]
        for name, imported in _graph().items()
        if _part(name) == "cleanup" and "analysis" in map(_part, imported)
    }

    assert asking <= {"plan", "policy"}


@pytest.mark.slow
def test_every_part_has_a_level():
    assert set(map(_part, _graph())) <= set(LEVELS)


@pytest.mark.slow
def test_the_demo_imports_nothing_of_ours():
    foreign = [
        (name, other)
        for name, imported in _graph().items()
        if _part(name) == "demo"
        for other in imported
        if _part(other) != "demo"
    ]

    assert foreign == []


@pytest.mark.slow
def test_only_cleanup_imports_the_calls_that_change_picora():
    importers = {
        _part(name)
        for name, imported in _graph().items()
        if "picora_analytics.client.changes" in imported
    }

    assert importers == {"cleanup"}


@pytest.mark.slow
def test_only_the_command_prints_or_exits():
    loud = []
    for path in _modules():
        if (
            _part(_name(path)) in ABOVE or path.name == "__main__.py"
        ):  # The demo's own command prints its address.
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "print",
                "sys.exit",
                "exit",
            ):
                loud.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")

    assert loud == []


HTTP = {"httpx", "httpcore", "picora_analytics.client.client", "picora_analytics.client.connection"}
PICTURES = {"matplotlib", "ipywidgets", "IPython", "anywidget", "uvicorn", "starlette", "PIL"}


def _loaded_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        pytest.param(
            "import picora_analytics as pic; dir(pic)",
            {"numpy", "pandas", "pyarrow", "narwhals", "msgspec", *HTTP, *PICTURES},
            id="the package",
        ),
        pytest.param(
            "import picora_analytics.library.frame", {"narwhals", *HTTP, *PICTURES}, id="the frame"
        ),
        pytest.param(
            "import picora_analytics as pic; pic.SnapshotStore", {*HTTP, *PICTURES}, id="a store"
        ),
        pytest.param(
            "import pandas, picora_analytics as pic\n"
            "pic.summarize_sizes(pandas.DataFrame({'size_bytes': [1]}))",
            {"jinja2", "duckdb", "polars", *HTTP, *PICTURES},
            id="a summary",
        ),
        pytest.param(
            "import picora_analytics as pic\n"
            "pic.StorageReport(pic.SnapshotStore(STORE).load()).findings()",
            {"ipywidgets", "IPython", "uvicorn", "duckdb", "polars", *HTTP, *PICTURES},
            id="a report not drawn",
        ),
        pytest.param(
            "from picora_analytics.cli.main import cli\ntry: cli(['--help'])\nexcept SystemExit: pass",
            {"pandas", "numpy", "matplotlib", "httpx", "uvicorn"},
            id="--help",
        ),
        pytest.param(
            "from picora_analytics.cli.main import cli\n"
            "try: cli(['plan', '--help'])\n"
            "except SystemExit: pass",
            {"pandas", "numpy", "matplotlib", "httpx", "uvicorn"},
            id="plan --help",
        ),
        pytest.param(
            "from picora_analytics.demo import DemoServer", {"pandas", "PIL.Image"}, id="the demo"
        ),
    ],
)
@pytest.mark.slow
def test_heavy_libraries_are_not_loaded_by(statement, heavy, make_images, tmp_path):
    if "STORE" in statement:
        pic.SnapshotStore(tmp_path).save(make_images())
    assert _loaded_after(statement.replace("STORE", repr(str(tmp_path)))) & heavy == set()


def test_every_public_name_can_be_imported_and_is_typed():
    stub = Path(pic.__file__).with_suffix(".pyi").read_text(encoding="utf-8")

    assert len(pic.__all__) > 40
    for name in pic.__all__:
        assert getattr(pic, name) is not None
        assert f"{name} as {name}" in stub
    assert set(pic.__all__) <= set(dir(pic))


def test_every_error_of_the_tree_is_exported():
    from picora_analytics import errors

    assert set(errors.__all__) <= set(pic.__all__)


def test_an_unknown_name_is_an_ordinary_attribute_error():
    with pytest.raises(AttributeError, match=r"^No picora_analytics attribute nope$"):
        _ = pic.nope


@pytest.mark.slow
def test_only_the_client_reaches_into_its_connection():
    inside = [
        _name(path)
        for path in _modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "_connection"
    ]

    assert set(inside) == {"picora_analytics.client.client"}


def test_what_stands_beside_the_package_imports_names_that_exist():
    root = PACKAGE.parent
    paths = [*root.glob("benchmarks/*.py"), *root.glob("tests/prove/*.py")]
    assert paths
    missing = []
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("picora_"):
                module = importlib.import_module(str(node.module))
                names = [alias.name for alias in node.names if not hasattr(module, alias.name)]
                missing += [f"{path.name}: {node.module}.{name}" for name in names]
    assert missing == []
