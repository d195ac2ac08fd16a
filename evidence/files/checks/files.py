"""One file checked by its ending: the check of each kind decides. Runs confined."""

from __future__ import annotations

from typing import BinaryIO

from evidence.files.checks import archives, documents, pictures, text_files
from evidence.files.checks.kinds import ALLOWED, Checked, ending_of, refuse

CHECKS: dict[str, text_files.Check] = {
    "pdf": documents.pdf,
    "docx": documents.word,
    "xlsx": documents.sheet,
    "pptx": documents.slides,
    "png": pictures.png,
    "jpg": pictures.jpeg,
    "jpeg": pictures.jpeg,
} | text_files.CHECKS


def check(file: BinaryIO, name: str) -> Checked:
    """Judge a file by its bytes; `file` is seekable and read from its beginning.

    Raises BadContent, naming the file, when it is no allowed kind, not what its
    ending says, active content, or an archive beyond the limits.
    """
    ending = ending_of(name)
    if ending not in ALLOWED:
        known = ", ".join(sorted(ALLOWED))
        raise refuse(name, f"is not one of the kinds that are taken ({known})")
    file.seek(0)
    if ending == "zip":
        flags = archives.contents(file, name, _member)
    else:
        flags = CHECKS[ending](file, name)
    return Checked(ALLOWED[ending], tuple(sorted(flags)))


def answer_check(body: BinaryIO, answer: BinaryIO, name: str) -> None:
    """The reader: what `check` says of a file, or why it is refused, as JSON."""
    text_files.write_answer(check, body, answer, name)


def _member(file: BinaryIO, name: str) -> set[str]:
    """A file inside an archive; archives within archives are refused."""
    ending = ending_of(name.rpartition("/")[2])
    if ending not in CHECKS:
        raise refuse(name, "is not one of the kinds that are taken in an archive")
    file.seek(0)
    return CHECKS[ending](file, name)
