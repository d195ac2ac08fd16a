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
LEASE = "a lease is held against the clock of the worker"
DOORS_OWN = {
    "controls/clock.py": "the one place where doors read it",
    "controls/accounts/addresses.py": "links of mails run out",
    "controls/models/addresses.py": STAMP,
    "controls/models/idempotency.py": STAMP,
    "controls/models/people.py": IN_FORCE,
    "controls/models/systems.py": IN_FORCE,
    "evidence/demo/build.py": "the demo ends now",
    "evidence/jobs/leases.py": LEASE,
    "evidence/jobs/work.py": LEASE,
    "evidence/models/links.py": STAMP,
    "evidence/models/notices.py": STAMP,
    "evidence/models/populations.py": STAMP,
    "evidence/models/requests.py": "whether it is overdue, as templates ask",
    "evidence/models/revisions.py": STAMP,
    "evidence/models/samples.py": STAMP,
    "evidence/notices/reading.py": STAMP,
    "evidence/storage/s3.py": "locks of the bucket run by its clock",
    "evidence/storage/s3_deleting.py": "locks of the bucket run by its clock",
    "evidence/systems/describe.py": "roles are in force at an instant",
}
# Tests that still read it, by folder: to be passed a day; none may be added.
TESTS_LEFT = {
    "tests": {
        "factories.py",
    },
    "tests/access": {
        "bodies.py",
        "test_how_long_an_auditor_reads.py",
        "world.py",
    },
    "tests/api": {
        "test_api.py",
    },
    "tests/browser": {
        "test_the_first_ten_minutes.py",
    },
    "tests/controls": {
        "test_admin.py",
        "test_change_ones_address.py",
    },
    "tests/evidence": {
        "house.py",
    },
    "tests/evidence/artifacts": {
        "test_letters_wait.py",
    },
    "tests/evidence/controls": {
        "test_describe_parts.py",
        "test_not_applicable.py",
        "test_override_a_class.py",
        "test_read_a_control.py",
    },
    "tests/evidence/files": {
        "test_scan_for_viruses.py",
    },
    "tests/evidence/jobs": {
        "chores.py",
        "test_export_as_a_job.py",
        "test_mail_as_a_job.py",
    },
    "tests/evidence/notices": {
        "telling.py",
        "test_be_notified.py",
        "test_notices_by_mail.py",
        "test_notices_stay_true.py",
        "test_read_notices.py",
    },
    "tests/evidence/requirements": {
        "test_tune_requirements.py",
    },
    "tests/evidence/reviews": {
        "test_independent_reviewer.py",
        "test_reconfirm_evidence.py",
        "test_review_evidence.py",
    },
    "tests/evidence/storage": {
        "test_fsck.py",
        "test_kill_while_storing.py",
        "test_store_in_a_bucket.py",
        "test_sweep_orphans.py",
    },
    "tests/evidence/submissions": {
        "test_correct_evidence.py",
        "test_refuse_impossible_days.py",
        "test_same_again.py",
        "test_upload_evidence.py",
        "test_upload_many.py",
    },
    "tests/evidence/systems": {
        "test_see_the_dashboard.py",
        "test_who_describes_a_system.py",
    },
    "tests/platform": {
        "test_the_demo.py",
    },
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


def test_no_further_test_reads_the_clock() -> None:
    found: dict[str, set[str]] = {}
    for path in sources("tests"):
        if reads(path):
            folder = str(path.parent.relative_to(ROOT))
            found.setdefault(folder, set()).add(path.name)
    assert found == TESTS_LEFT


@pytest.mark.parametrize("room", ["status", "planning"])
def test_rules_are_tested_on_days_that_are_named(room: str) -> None:
    assert f"tests/evidence/{room}" not in TESTS_LEFT


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
