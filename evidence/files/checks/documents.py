"""PDF and Office documents: what they are, and what they could do when opened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

import pikepdf
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from evidence.files.checks import archives, office_parts
from evidence.files.checks.kinds import refuse

MAX_OBJECTS = 500_000
CONTENT_TYPES = "[Content_Types].xml"
MACRO = "carries macros; save it without them"
MACROS = re.compile(r"vbaproject\.bin$|vbadata\.xml$|macrosheets/", re.IGNORECASE)
OBJECTS = re.compile(r"/(embeddings|activex)/", re.IGNORECASE)
MACRO_KINDS = re.compile(r"macro|vba", re.IGNORECASE)  # of parts and relations
LINKS = ("/hyperlink",)  # followed when somebody clicks, unlike all other relations
MAX_DEPTH = 30  # levels of a PDF's dictionaries one within the other
ACTIONS = {
    "/JavaScript": "javascript",
    "/Launch": "launch",
    "/SubmitForm": "form-action",
    "/ImportData": "form-action",
    "/GoToE": "attachment",
    "/GoToR": "other-file",
}
MAX_ACTIONS = 1_000  # that follow each other by themselves


def pdf(file: BinaryIO, name: str) -> set[str]:
    """A PDF from its first byte on; flags for scripts, programs and attachments."""
    if file.read(5) != b"%PDF-":
        raise refuse(name, "is not the PDF that its ending says")
    archives.refuse_archive_besides(file, name, "PDF")
    file.seek(0)
    try:
        with pikepdf.open(file) as document:
            return _pdf_flags(document, name)
    except pikepdf.PasswordError as locked:
        reason = "is encrypted, so nobody could review it"
        raise refuse(name, reason) from locked
    except (pikepdf.PdfError, RecursionError, ValueError, TypeError) as broken:
        raise refuse(name, "is a damaged PDF") from broken


def _pdf_flags(document: pikepdf.Pdf, name: str) -> set[str]:
    if len(document.objects) > MAX_OBJECTS:
        raise refuse(name, "is a PDF of too many parts to look into")
    flags: set[str] = set()
    for part in document.objects:
        for dictionary in _dictionaries(part, name, depth=0):
            flags |= _dictionary_flags(dictionary)
    return flags


def _dictionaries(part: Any, name: str, depth: int) -> Iterator[Any]:
    """An object's dictionaries; what it refers to is an object of its own."""
    if depth > MAX_DEPTH:
        raise refuse(name, "is a PDF nested too deeply to look into")
    if isinstance(part, (pikepdf.Dictionary, pikepdf.Stream)):
        yield part
        inner = [item for _, item in part.items()]
    elif isinstance(part, pikepdf.Array):
        inner = list(part)
    else:
        return
    for item in inner:
        indirect = getattr(item, "is_indirect", False)
        if not indirect and isinstance(item, pikepdf.Object):
            yield from _dictionaries(item, name, depth + 1)


def _dictionary_flags(dictionary: Any) -> set[str]:
    flags = set()
    action = str(dictionary.get("/S", "")) if "/S" in dictionary else ""
    if action in ACTIONS:
        flags.add(ACTIONS[action])
    if "/JS" in dictionary:
        flags.add("javascript")
    flags |= _automatic_flags(dictionary)
    # bytes that lie in another file, or behind an address
    if dictionary.get("/FS") == pikepdf.Name.URL or (
        isinstance(dictionary, pikepdf.Stream) and "/F" in dictionary
    ):
        flags.add("other-file")
    if "/XFA" in dictionary:  # a form that carries its scripts as XML
        flags.add("javascript")
    if (
        "/EF" in dictionary
        or "/EmbeddedFiles" in dictionary
        or "/RichMediaContent" in dictionary
    ):
        flags.add("attachment")
    return flags


def _automatic_flags(dictionary: Any) -> set[str]:
    """Whether an address is opened without a click; with one it is a link."""
    waiting = [dictionary["/OpenAction"]] if "/OpenAction" in dictionary else []
    by_event = dictionary.get("/AA")
    if isinstance(by_event, pikepdf.Dictionary):
        waiting += [action for _, action in by_event.items()]
    for _ in range(MAX_ACTIONS):
        if not waiting:
            return set()
        action = waiting.pop()
        if isinstance(action, pikepdf.Dictionary):
            if action.get("/S") == pikepdf.Name.URI:
                return {"other-file"}
            following = action.get("/Next")
            if isinstance(following, pikepdf.Array):
                waiting += list(following)
            else:
                waiting.append(following)
    return {"other-file"}  # nobody follows so many


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
        if not {CONTENT_TYPES, main} <= members.keys():
            raise refuse(name, "is not the Office document that its ending says")
        if any(MACROS.search(member) for member in members):
            raise refuse(name, MACRO)
        for path, member in members.items():
            if path.lower().endswith((".xml", ".rels", ".vml")):
                with archives.unpacked(archive, member, name) as inside:
                    flags |= _part_flags(inside, path, name)
        if any(OBJECTS.search(member) for member in members):
            flags.add("embedded-object")
    return flags


def _part_flags(inside: BinaryIO, path: str, name: str) -> set[str]:
    """What one XML part asks for; none may declare a document type or entities."""
    flags: set[str] = set()
    is_list = path == CONTENT_TYPES or path.lower().endswith(".rels")
    try:
        for _, element in iterparse(inside, events=("start",), forbid_dtd=True):
            if not is_list:
                break  # a document type stands before the first element
            flags |= _relation_flags(dict(element.attrib), name)
            element.clear()
        inside.seek(0)
        flags |= office_parts.flags_of(inside, path)
    except DefusedXmlException as attack:
        raise refuse(name, "declares a document type or entities") from attack
    except (ParseError, ValueError, LookupError) as broken:
        raise refuse(name, f"is damaged (“{path}” is not XML)") from broken
    return flags


def _relation_flags(entry: dict[str, str], name: str) -> set[str]:
    """Flags of one entry of a list of parts or of relations. Raises BadContent."""
    kind = entry.get("Type", "")
    if MACRO_KINDS.search(kind.rpartition("/")[2] + entry.get("ContentType", "")):
        raise refuse(name, MACRO)
    outside = entry.get("TargetMode", "").lower() == "external"
    return {"external"} if outside and not kind.endswith(LINKS) else set()
