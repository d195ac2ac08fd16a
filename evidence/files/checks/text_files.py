"""Texts checked by their ending, and how any check answers. Runs confined.

It loads as little as it can: whatever a server of readers has loaded makes each of its
forks slower.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

import orjson

from evidence.files.checks import texts
from evidence.files.checks.kinds import ALLOWED, BadContent, Checked, ending_of

Check = Callable[[BinaryIO, str], set[str]]
CHECKS: dict[str, Check] = {
    "txt": texts.plain,
    "log": texts.plain,
    "md": texts.plain,
    "csv": texts.table,
    "json": texts.json,
    "xml": texts.xml,
}


def check_text(file: BinaryIO, name: str) -> Checked:
    """Judge a file of one of TEXTS by its bytes. Raises BadContent."""
    ending = ending_of(name)
    file.seek(0)
    return Checked(ALLOWED[ending], tuple(sorted(CHECKS[ending](file, name))))


def answer_text(body: BinaryIO, answer: BinaryIO, name: str) -> None:
    """The reader: what `check_text` says of a file, or why it is refused, as JSON."""
    write_answer(check_text, body, answer, name)


def write_answer(
    check: Callable[[BinaryIO, str], Checked],
    body: BinaryIO,
    answer: BinaryIO,
    name: str,
) -> None:
    """What a check says of a file, or why it refuses it, as JSON."""
    about: dict[str, object]
    try:
        checked = check(body, name)
        about = {"media_type": checked.media_type, "flags": checked.flags}
    except BadContent as refusal:
        about = {"refused": refusal.message}
    answer.write(orjson.dumps(about))  # touches a fifth of the memory of `json`
