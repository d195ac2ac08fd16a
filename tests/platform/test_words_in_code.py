"""Code names things for what they are: no riddles, one meaning for each class name."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
HOUSES = ("controls", "evidence", "srm_project", "bench")
# Names that say how a value came, not what it holds.
RIDDLES = frozenset(
    """
    _say _take asked become each found given said spelled tell thing things told
    wanted wish
    """.split()  # noqa: SIM905 - a list of words is read as one
)
# A column keeps its name, and what a framework calls by name does too.
FIXED = {
    ("evidence/models/notices.py", "said"),
    ("evidence/models/notices.py", "ASKED"),
}
# Django, Celery and the REST framework look for classes of these names.
CONVENTIONAL = {"Command", "Media", "Meta", "Migration"}
OLD_LIMITS = ("MOST_", "LONGEST_", "FARTHEST_", "LARGEST_", "GREATEST_")
# Rooms that still hold riddles. This list only ever gets shorter.
NOT_YET_CLEANED: frozenset[str] = frozenset()


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of ours by its path; migrations are as they were applied."""
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for house in HOUSES
        for path in sorted((ROOT / house).rglob("*.py"))
        if "migrations" not in path.parts
    }


def names_made_in(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """What a module names itself, with the line: values, fields, functions, classes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name, node.lineno


def room_of(path: str) -> str:
    """The room of a module: a folder of an app, or the module directly in it."""
    return "/".join(path.split("/")[:2])


def riddles_in(room: str) -> list[str]:
    """Where a room names something by a riddle."""
    return [
        f"{path}:{line}: {name}"
        for path, tree in modules().items()
        if room_of(path) == room
        for name, line in names_made_in(tree)
        if {name, name.strip("_")} & RIDDLES and (path, name) not in FIXED
    ]


ROOMS = sorted({room_of(path) for path in modules()})


@pytest.mark.parametrize(
    "room", [room for room in ROOMS if room not in NOT_YET_CLEANED]
)
def test_a_name_says_what_it_holds(room: str) -> None:
    assert riddles_in(room) == []


def test_only_rooms_that_are_there_wait_to_be_cleaned() -> None:
    assert sorted(NOT_YET_CLEANED - set(ROOMS)) == []


def test_no_two_classes_bear_one_name() -> None:
    places = defaultdict(list)
    for path, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name not in CONVENTIONAL:
                places[node.name].append(f"{path}:{node.lineno}")
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_a_limit_is_called_max() -> None:
    old = [
        f"{path}:{line}: {name}"
        for path, tree in modules().items()
        for name, line in names_made_in(tree)
        if name.startswith(OLD_LIMITS)
    ]
    assert old == []
