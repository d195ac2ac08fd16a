"""Lists an archive and takes one file out of it. Runs confined: see `LOOK_INSIDE`."""

from __future__ import annotations

import json
import shutil
import zipfile
from typing import Any, BinaryIO

from evidence.files.checks.archives import is_folder, opened, unpacked

NAME = "archive.zip"  # for refusals, which nobody reads: they were checked before
MAX_SHOWN = 50_000_000  # bytes unpacked of a file that is taken out


def answer_contents(body: BinaryIO, answer: BinaryIO) -> None:
    """The reader: name, size in bytes and last change (local time of who packed it) of
    every file, in the order of the archive, as one line of JSON."""
    with opened(body, NAME) as archive:
        answer.write(
            json.dumps([_about(member) for member in _files(archive)]).encode()
        )


def answer_member(body: BinaryIO, answer: BinaryIO, number: int) -> None:
    """The reader: one line of JSON with the name of a file (from 1; beyond the last:
    the last) and how many there are, then its bytes; none where it is too large."""
    with opened(body, NAME) as archive:
        files = _files(archive)
        member = files[min(number, len(files)) - 1]
        about = {"name": member.filename, "files": len(files)}
        answer.write(json.dumps(about).encode() + b"\n")
        if member.file_size <= MAX_SHOWN:
            with unpacked(archive, member, NAME) as inside:
                shutil.copyfileobj(inside, answer)


def _files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [member for member in archive.infolist() if not is_folder(member)]


def _about(member: zipfile.ZipInfo) -> list[Any]:
    year, month, day, hour, minute, _ = member.date_time
    changed = f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}"
    return [member.filename, member.file_size, changed]
