"""Each rule of class and proof has a test that names it and goes through HTTP.

The table is made from the docstrings: a test names the rules it proves, and goes
through a page or the API where it sends a request, by itself or by a helper that does.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
RULES = [f"R{n}" for n in (1, 3, 7, *range(9, 19), *range(20, 26), 28, *range(30, 36))]
# R33 is about the code: that no fact has a default. No page shows it.
OF_THE_CODE = {"R33"}
NAMED = re.compile(r"\bR(\d+)(?: to R(\d+))?\b")
# What sends a request: a browser of the tests, or a helper of theirs that has one.
SENDS = frozenset({"get", "post", "put", "patch", "delete"})
SENDERS = re.compile(r"client|browser|as_user\(|reader|\bapi\b")
HELPERS = frozenset({"told", "over_the_api", "api"})
Named = dict[str, ast.FunctionDef]


def named_in(text: str) -> set[str]:
    """The rules that a docstring names; `R20 to R22` are three."""
    rules = set()
    for first, last in NAMED.findall(text):
        rules |= {f"R{n}" for n in range(int(first), int(last or first) + 1)}
    return rules


def functions(
    path: Path,
) -> Iterator[tuple[ast.FunctionDef, dict[str, ast.FunctionDef]]]:
    """The tests of a file, each with all functions of it by name."""
    tree = ast.parse(path.read_text())
    nodes = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    by_name = {node.name: node for node in nodes}
    for name, node in by_name.items():
        if name.startswith("test_"):
            yield node, by_name


def sends(node: ast.FunctionDef, others: Named, seen: set[str]) -> bool:
    """Whether a function sends a request, or calls one of its file that does."""
    for call in ast.walk(node):
        if not isinstance(call, ast.Call):
            continue
        target = call.func
        if isinstance(target, ast.Attribute):
            whose = ast.unparse(target.value)
            if target.attr in HELPERS:
                return True
            if target.attr in SENDS and SENDERS.search(whose):
                return True
        if isinstance(target, ast.Name):
            if target.id in HELPERS:
                return True
            other = others.get(target.id)
            if other is not None and target.id not in seen:
                seen.add(target.id)
                if sends(other, others, seen):
                    return True
    return False


@pytest.fixture(scope="module")
def table() -> dict[str, list[str]]:
    """The tests through HTTP of each rule, as `file::test`."""
    found = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        for test, others in functions(path):
            rules = named_in(ast.get_docstring(test) or "")
            if rules and sends(test, others, set()):
                for rule in rules:
                    found[rule].append(f"{path.relative_to(TESTS)}::{test.name}")
    return found


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in OF_THE_CODE])
def test_a_rule_is_proven_through_a_page_or_the_api(table, rule):
    assert table[rule], f"No test through HTTP names {rule} in its docstring."


def test_the_table_can_fail(table):
    """What sends nothing is none, and what names nothing neither."""
    lone = ast.parse(
        "def test_a():\n    'R1'\n    judge()\n"
        "def test_b(client):\n    'R2 to R4'\n    helper(client)\n"
        "def helper(client):\n    client.get('/')\n"
    )
    by_name = {node.name: node for node in lone.body}
    assert not sends(by_name["test_a"], by_name, set())
    assert sends(by_name["test_b"], by_name, set())
    assert named_in("R2 to R4: ...") == {"R2", "R3", "R4"}
    assert not table["R99"]
