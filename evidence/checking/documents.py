"""PDF and Office documents: what they are, and what they could do when opened."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

import pikepdf

from evidence.checking import archives
from evidence.checking.kinds import refuse

TAIL = 66_000  # bytes in which the end of a zip directory may lie
MAX_OBJECTS = 500_000
MAX_RELATIONS = 10_000_000  # bytes of a list of relations
MACROS = re.compile(r"vbaproject\.bin$|vbadata\.xml$|macrosheets/", re.IGNORECASE)
OBJECTS = re.compile(r"/(embeddings|activex)/", re.IGNORECASE)
ELSEWHERE = re.compile(
    rb'Type="[^"]*/(attachedTemplate|oleObject|frame|externalLink[^"]*)"[^>]*'
    rb'TargetMode="External"|TargetMode="External"[^>]*'
    rb'Type="[^"]*/(attachedTemplate|oleObject|frame|externalLink[^"]*)"'
)
ACTIONS = {
    "/JavaScript": "javascript",
    "/Launch": "launch",
    "/SubmitForm": "form-action",
    "/ImportData": "form-action",
    "/GoToE": "attachment",
}


def pdf(file: BinaryIO, name: str) -> set[str]:
    """A PDF from its first byte on; flags for scripts, programs and attachments."""
    if file.read(5) != b"%PDF-":
        raise refuse(name, "is not the PDF that its ending says")
    _refuse_two_kinds(file, name)
    file.seek(0)
    try:
        with pikepdf.open(file) as document:
            return _pdf_flags(document, name)
    except pikepdf.PasswordError as locked:
        said = "is encrypted, so nobody could review it"
        raise refuse(name, said) from locked
    except (pikepdf.PdfError, RecursionError, ValueError, TypeError) as broken:
        raise refuse(name, "is a damaged PDF") from broken


def _refuse_two_kinds(file: BinaryIO, name: str) -> None:
    """A file that is an archive as well shows one thing and carries another."""
    size = file.seek(0, 2)
    file.seek(max(0, size - TAIL))
    if b"PK\x05\x06" in file.read():
        raise refuse(name, "is a PDF and an archive at once")


def _pdf_flags(document: pikepdf.Pdf, name: str) -> set[str]:
    if len(document.objects) > MAX_OBJECTS:
        raise refuse(name, "is a PDF of too many parts to look into")
    flags: set[str] = set()
    for part in document.objects:
        for found in _dictionaries(part, depth=0):
            flags |= _dictionary_flags(found)
    return flags


def _dictionaries(part: Any, depth: int) -> Iterator[Any]:
    """An object's dictionaries; what it refers to is an object of its own."""
    if isinstance(part, (pikepdf.Dictionary, pikepdf.Stream)):
        yield part
        inner = [each for _, each in part.items()]
    elif isinstance(part, pikepdf.Array):
        inner = list(part)
    else:
        return
    for each in inner:
        indirect = getattr(each, "is_indirect", False)
        if depth < 30 and not indirect and isinstance(each, pikepdf.Object):
            yield from _dictionaries(each, depth + 1)


def _dictionary_flags(found: Any) -> set[str]:
    flags = set()
    action = str(found.get("/S", "")) if "/S" in found else ""
    if action in ACTIONS:
        flags.add(ACTIONS[action])
    if "/JS" in found:
        flags.add("javascript")
    if "/EF" in found or "/EmbeddedFiles" in found or "/RichMediaContent" in found:
        flags.add("attachment")
    return flags


def word(file: BinaryIO, name: str) -> set[str]:
    """A Word document without macros. Raises BadContent."""
    return _office(file, name, "word/document.xml")


def sheet(file: BinaryIO, name: str) -> set[str]:
    """An Excel workbook without macros. Raises BadContent."""
    return _office(file, name, "xl/workbook.xml")


def slides(file: BinaryIO, name: str) -> set[str]:
    """A PowerPoint presentation without macros. Raises BadContent."""
    return _office(file, name, "ppt/presentation.xml")


def _office(file: BinaryIO, name: str, main: str) -> set[str]:
    flags: set[str] = set()
    with archives.opened(file, name) as archive:
        members = {member.filename: member for member in archive.infolist()}
        if not {"[Content_Types].xml", main} <= members.keys():
            raise refuse(name, "is not the Office document that its ending says")
        types = _member(archive, members["[Content_Types].xml"], name)
        if b"macroEnabled" in types or any(MACROS.search(m) for m in members):
            raise refuse(name, "carries macros; save it without them")
        if any(OBJECTS.search(member) for member in members):
            flags.add("embedded-object")
        for path, member in members.items():
            if path.endswith(".rels") and ELSEWHERE.search(
                _member(archive, member, name)
            ):
                flags.add("external")
    return flags


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bytes:
    """One short member as bytes."""
    with archives.unpacked(archive, member, name) as inside:
        return inside.read(MAX_RELATIONS)
