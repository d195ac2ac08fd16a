"""A file of code over 300 lines says in its head why it is one file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
MAX_LINES = 300
# Not the name alone: "One file: " and then the reason.
REASON = re.compile(r"\bOne file: \w+(?:\s+\S+){3,}")


def is_long_without_reason(code: str) -> bool:
    """Whether code has more than MAX_LINES lines and its docstring says no reason."""
    head = ast.get_docstring(ast.parse(code)) or ""
    return len(code.splitlines()) > MAX_LINES and not REASON.search(head)


def files_of_code() -> Iterator[Path]:
    """All of our code but for migrations."""
    for app in ("controls", "evidence", "srm_project", "bench"):
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def test_a_long_file_says_why_it_is_one() -> None:
    files = {path.relative_to(ROOT).as_posix(): path for path in files_of_code()}
    assert "srm_project/settings.py" in files
    assert [
        name
        for name, path in files.items()
        if is_long_without_reason(path.read_text(encoding="utf-8"))
    ] == []


@pytest.mark.parametrize(
    ("head", "lines", "expected"),
    [
        ("Systems.", 300, False),
        ("Systems.", 301, True),
        ("Systems. One file: they are read as one.", 301, False),
        ("Systems. One file.", 301, True),
        ("Systems. One file: yes.", 301, True),
    ],
)
def test_what_counts_as_long(head: str, lines: int, expected: bool) -> None:
    code = f'"""{head}"""\n' + "x = 1\n" * (lines - 1)
    assert is_long_without_reason(code) is expected
