"""The day is passed: who reads the wall clock stands here by name, with the reason.

Doors read it in `controls.clock`; nothing below them does. A test that reads it passes
on one day and fails on another.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
CLOCKS = {
    ("timezone", "now"),
    ("timezone", "localdate"),
    ("timezone", "localtime"),
    ("date", "today"),
    ("datetime", "today"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
}
STAMP = "says when a row was written"
IN_FORCE = "roles are in force at an instant; None means this one"
DOORS_OWN = {
    "controls/clock.py": "the one place where doors read it",
    "controls/accounts/addresses.py": "links of mails run out",
    "controls/installation_roles.py": "roles begin and end at an instant",
    "controls/models/addresses.py": STAMP,
    "controls/models/idempotency.py": STAMP,
    "controls/models/people.py": IN_FORCE,
    "controls/models/systems.py": IN_FORCE,
    "evidence/demo/build.py": "the demo ends now",
    "evidence/models/links.py": STAMP,
    "evidence/models/notices.py": STAMP,
    "evidence/models/populations.py": STAMP,
    "evidence/models/requests.py": "whether it is overdue, as templates ask",
    "evidence/models/requirements.py": STAMP,
    "evidence/models/revisions.py": STAMP,
    "evidence/models/samples.py": STAMP,
    "evidence/notices/reading.py": STAMP,
    "evidence/storage/s3.py": "locks of the bucket run by its clock",
    "evidence/storage/s3_deleting.py": "locks of the bucket run by its clock",
    "evidence/systems/describe.py": "roles are in force at an instant",
}
# Tests run on the day of `tests.one_day`: TODAY names it, and what doors would pass at
# this instant is `clock.now()` of `controls`.
TESTS_OWN = {
    "tests/platform/test_one_day.py": "that Python's clock was moved",
}


def reads(path: Path) -> bool:
    """Whether a file names one of the functions that tell the time of day."""
    return any(_names_a_clock(node) for node in ast.walk(ast.parse(path.read_text())))


def _names_a_clock(node: ast.AST) -> bool:
    if not isinstance(node, ast.Attribute):
        return False
    owner = node.value
    name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    return (name, node.attr) in CLOCKS


def sources(*roots: str) -> Iterator[Path]:
    for root in roots:
        for path in sorted((ROOT / root).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def test_below_the_doors_nobody_reads_the_clock_but_for_a_reason() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in sources("controls", "evidence")
        if reads(path)
    }
    assert found == set(DOORS_OWN)


def test_no_test_reads_the_clock_but_for_a_reason() -> None:
    found = {str(p.relative_to(ROOT)) for p in sources("tests") if reads(p)}
    assert found == set(TESTS_OWN)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("timezone.now()", True),
        ("dt.date.today()", True),
        ("dt.datetime.now(dt.UTC)", True),
        ("clock.now()", False),
        ("dt.date(2026, 1, 1)", False),
    ],
)
def test_what_counts_as_reading_it(line: str, expected: bool, tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text(line)
    assert reads(path) is expected
