"""The house as designed: who may import whom, and what loads late."""

import ast
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
    "lines": 0,
    "files": 0,
    "progress": 0,
    "demo": 0,
    "client": 1,
    "decisions": 1,
    "library": 2,
    "analysis": 3,
    "charts": 4,
    "pictures": 4,
    "cleanup": 5,
    "report": 6,
    "widgets": 7,
    "cli": 8,
    "__main__": 9,
    "__init__": 9,
}


def _imports(path: Path) -> list[str]:
    """Give the parts of our own package that a file imports, those for type checkers left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return [name for name in found if name.split(".")[0] == "picora_analytics"]


def _part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "notebooks" not in path.parts]


def test_a_part_imports_only_from_lower_parts():
    upward = []
    for path in _modules():
        own = _part(path)
        if own in ("cli", "__main__"):
            continue  # The command uses the public names, whichever part they live in.
        for name in _imports(path):
            other = name.split(".")[1] if "." in name else "__init__"
            allowed = other == own or LEVELS[other] < LEVELS[own]
            if LEVELS[own] == 0 and own != "demo":
                allowed = LEVELS[other] == 0 and other != "demo"
            if not allowed:
                upward.append(f"{path.relative_to(PACKAGE)} imports {name}")

    assert upward == []


def test_every_part_has_a_level():
    assert {_part(path) for path in _modules()} <= set(LEVELS)


def test_the_demo_imports_nothing_of_ours():
    foreign = [
        (path.name, name)
        for path in _modules()
        if _part(path) == "demo"
        for name in _imports(path)
        if not name.startswith("picora_analytics.demo")
    ]

    assert foreign == []


def test_only_cleanup_imports_the_calls_that_change_picora():
    importers = {
        _part(path)
        for path in _modules()
        for name in _imported_names(path)
        if name.startswith("picora_analytics.client.changes")
    }

    assert importers == {"cleanup"}


def _imported_names(path: Path) -> list[str]:
    """Give every module or name imported, in full: `from a.b import c` is a.b.c."""
    return [
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    ]


def test_only_the_command_prints_or_exits():
    loud = []
    for path in _modules():
        if (
            _part(path) == "cli" or path.name == "__main__.py"
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
            "import picora_analytics",
            {"pandas", "matplotlib.pyplot", "ipywidgets", "uvicorn", "PIL"},
            id="the package",
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
def test_heavy_libraries_are_not_loaded_by(statement, heavy):
    assert _loaded_after(statement) & heavy == set()


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
