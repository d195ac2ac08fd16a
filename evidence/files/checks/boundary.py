"""Where a check leaves the process that serves: the file is read by a confined one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

from controls.confined import Heavy, Reader
from evidence.files.checks.kinds import TEXTS, BadContent, Checked, ending_of, refuse

CHECK = Reader(
    module="evidence.files.checks.files",
    name="answer_check",
    memory=768_000_000,
    processor=20,
    seconds=40,
    written=260_000_000,  # a member of an archive, unpacked
)
CHECK_TEXT = replace(
    CHECK,
    module="evidence.files.checks.text_files",
    name="answer_text",
    server="texts",
)


def check(
    file: BinaryIO, name: str, *, meanwhile: Callable[[], None] = lambda: None
) -> Checked:
    """Judge a file by its bytes, from its beginning, in a process of its own.

    `meanwhile` is called while that process works.

    Raises BadContent, naming the file, when it is no allowed kind, not what its
    ending says, active content, an archive beyond the limits, or takes too much to
    look into; ReadersAway when nothing can be looked into.
    """
    reader = CHECK_TEXT if ending_of(name) in TEXTS else CHECK
    try:
        with reader.read(file, name, meanwhile=meanwhile) as answer:
            about = json.loads(answer.read())
    except Heavy as heavy:
        sentence = "takes too much time or memory to look into"
        raise refuse(name, sentence) from heavy
    if "refused" in about:
        raise BadContent(about["refused"])
    return Checked(about["media_type"], tuple(about["flags"]))
