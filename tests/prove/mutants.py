"""Change one thing at a time in a module's syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple

_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}


class Mutant(NamedTuple):
    """A module with one thing changed."""

    line: int
    what: str
    source: str


def mutants_of(source: str) -> Iterator[Mutant]:
    """Give every mutant of a module; documentation, annotations and the words of errors stay as they are."""
    for index, node in _nodes(ast.parse(source)):
        for what, change in _changes(node):
            tree = ast.parse(source)
            there = dict(_nodes(tree))[index]
            swapped = change(there)
            if swapped is not there:
                tree = _Swap(there, swapped).visit(tree)
            yield Mutant(node.lineno, what, ast.unparse(ast.fix_missing_locations(tree)))


def _nodes(tree: ast.Module) -> list[tuple[int, ast.expr | ast.stmt]]:
    """Number what may be changed, the same in every parse of one source."""
    found: list[ast.expr | ast.stmt] = []

    def walk(node: ast.AST) -> None:
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "type_params"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if not isinstance(child, ast.AST) or _silent(child):
                    continue
                if isinstance(child, ast.expr | ast.stmt):
                    found.append(child)
                walk(child)

    walk(tree)
    return list(enumerate(found))


def _silent(node: ast.AST) -> bool:
    """Say whether a change would be about words alone, or about what only a type checker reads."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        return any(isinstance(one, ast.Name) and one.id == "__all__" for one in node.targets)
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    # The text of an error is in the arguments of the call that makes it.
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        return name.endswith("Error") or name == "cast"
    return isinstance(node, ast.Import | ast.ImportFrom | ast.Global)


Change = Callable[[ast.AST], ast.AST]


def _changes(node: ast.expr | ast.stmt) -> Iterator[tuple[str, Change]]:
    text = ast.unparse(node).splitlines()[0][:70]
    if isinstance(node, ast.Compare):
        for number, old in enumerate(node.ops):
            new = _SWAPS[type(old)]
            yield f"{text}: {_name(old)} → {new.__name__}", _operator(number, new)
    elif isinstance(node, ast.BoolOp | ast.BinOp | ast.AugAssign) and type(node.op) in _SWAPS:
        new = _SWAPS[type(node.op)]
        yield f"{text}: {_name(node.op)} → {new.__name__}", _operator(None, new)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield f"{text}: without not", lambda there: there.operand  # type: ignore[attr-defined]
    elif isinstance(node, ast.Constant):
        value = node.value
        if isinstance(value, bool):
            yield f"{value} → {not value}", lambda there: ast.Constant(not value)
        elif isinstance(value, int | float):
            yield f"{value} → {value + 1}", lambda there: ast.Constant(value + 1)
        elif isinstance(value, str):
            yield f"{value!r} → 'XX…'", lambda there: ast.Constant(f"XX{value}")
    elif isinstance(node, ast.IfExp):
        yield f"{text}: branches swapped", _swap_branches
    elif isinstance(node, ast.If | ast.While):
        yield f"{text}: condition turned", _turn
    elif isinstance(node, ast.Return) and node.value is not None and text != "return None":
        yield f"{text}: returns None", lambda there: ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Raise | ast.Continue | ast.Break) or _is_call(node):
        yield f"{text}: left out", lambda there: ast.Pass()


def _is_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def _name(operator: ast.AST) -> str:
    return type(operator).__name__


def _operator(number: int | None, new: type[ast.AST]) -> Change:
    def change(there: ast.AST) -> ast.AST:
        if number is None:
            there.op = new()  # type: ignore[attr-defined]
        else:
            there.ops[number] = new()  # type: ignore[attr-defined]
        return there

    return change


def _swap_branches(there: ast.AST) -> ast.AST:
    there.body, there.orelse = there.orelse, there.body  # type: ignore[attr-defined]
    return there


def _turn(there: ast.AST) -> ast.AST:
    there.test = ast.UnaryOp(ast.Not(), there.test)  # type: ignore[attr-defined]
    return there


class _Swap(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._old else self.generic_visit(node)
