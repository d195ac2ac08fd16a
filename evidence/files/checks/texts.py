"""Texts: readable from end to end, and nothing that a browser would run."""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO
from xml.etree.ElementTree import ParseError

import orjson
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from evidence.files.checks.kinds import BadContent, refuse

CHUNK = 64 * 1024
MAX_PARSED = 50_000_000  # bytes of JSON or XML that are parsed as a whole
MAX_ELEMENTS = 1_000_000  # of XML: some seconds
CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
# Every byte but those controls: what remains without them is a control.
HARMLESS = bytes(b for b in range(256) if b > 0x1F or b in b"\t\n\x0c\r\x1b")
HEAD = 65_536  # characters in which a page must show itself
ACTIVE = re.compile(
    r"<\s*(!doctype\s+html|html|svg|script|iframe|body|head|style)\b", re.I
)
# A cell of a table that a spreadsheet takes for a call of a program:
# “=cmd|' /C calc'!A0”, bare or in quotation marks.
CALL = r"\|\s*(?:'[^'\r\n]{0,300}'|[\w .\\/:-]{1,300})!"
DDE = re.compile(
    rf"(?:^|[,;\t\r\n])[ ]*[=+\-@][^,;\t\r\n\"]{{0,300}}{CALL}"
    rf'|"\s*[=+\-@](?:[^"\r\n]|""){{0,300}}{CALL}'
)
OVERLAP = 1_000  # characters that two pieces of a text share
SPACE = " \t\r\n\f\ufeff"
# What may stand before the first element of a page: where it begins and ends.
BEFORE = (("<!--", "-->"), ("<?", ">"))
WEB_ARCHIVE = re.compile(r"^mime-version:.*multipart/", re.IGNORECASE | re.DOTALL)
ACTIVE_SPACES = (
    "http://www.w3.org/1999/xhtml",
    "http://www.w3.org/2000/svg",
    "http://www.w3.org/1999/XSL/Transform",
)


def plain(file: BinaryIO, name: str) -> set[str]:
    """Text in UTF-8 or UTF-16 with a mark. Raises BadContent."""
    return _text(file, name, "utf-16" if _is_wide(file) else "utf-8")


def table(file: BinaryIO, name: str) -> set[str]:
    """The same or Windows-1252, which Excel writes as CSV. Raises BadContent."""
    if _is_wide(file):
        return _text(file, name, "utf-16", is_table=True)
    try:
        return _text(file, name, "utf-8", is_table=True)
    except NotInEncoding:
        file.seek(0)
    try:
        return _text(file, name, "cp1252", is_table=True)
    except NotInEncoding as broken:
        reason = "is text neither in UTF-8 nor in Windows-1252"
        raise refuse(name, reason) from broken


class NotInEncoding(BadContent):
    """The bytes are no text in the encoding that was tried."""


def _is_wide(file: BinaryIO) -> bool:
    head = file.read(4)
    file.seek(0)
    return head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def _text(
    file: BinaryIO, name: str, encoding: str, *, is_table: bool = False
) -> set[str]:
    flags: set[str] = set()
    before = ""
    wide = encoding == "utf-16"
    decoder = codecs.getincrementaldecoder(encoding)()
    first = True
    while chunk := file.read(CHUNK):
        text = _decoded(decoder, chunk, name)
        if CONTROL.search(text) if wide else chunk.translate(None, HARMLESS):
            raise refuse(name, "holds control characters: it is not plain text")
        if first:
            _refuse_page(text[:HEAD], name)
        first = False
        if is_table:
            piece = before + text
            if "|" in piece and DDE.search(piece):
                flags.add("dde")
            before = piece[-OVERLAP:]
        del chunk, text  # the next ones take their place in memory
    _decoded(decoder, b"", name, final=True)
    return flags


def _decoded(
    decoder: codecs.IncrementalDecoder, chunk: bytes, name: str, *, final: bool = False
) -> str:
    try:
        return decoder.decode(chunk, final)
    except UnicodeDecodeError as broken:
        refusal = refuse(name, "is not text in UTF-8, as its ending says")
        raise NotInEncoding(refusal.message) from broken


def _refuse_page(head: str, name: str) -> None:
    start = head.lstrip(SPACE)
    if ACTIVE.match(_after_comments(start)) or WEB_ARCHIVE.match(start):
        raise refuse(name, "is a web page under another ending")


def _after_comments(text: str) -> str:
    """The text from its first element on; an open comment counts as a page.

    By hand and not by one expression, which takes for ever on a thousand comments.
    """
    at = 0
    while opened := next((o for o in BEFORE if text.startswith(o[0], at)), None):
        end = text.find(opened[1], at + len(opened[0]))
        if end < 0:
            return "<html>" if opened[0] == "<!--" else ""
        at = end + len(opened[1])
        at += len(text[at:]) - len(text[at:].lstrip(SPACE))
    return text[at : at + 200]


def json(file: BinaryIO, name: str) -> set[str]:
    """One JSON document. Raises BadContent."""
    body = file.read(MAX_PARSED + 1)
    if len(body) > MAX_PARSED:
        raise refuse(name, f"is JSON of more than {MAX_PARSED // 1_000_000} MB")
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as broken:
        reason = f"is not JSON (line {broken.lineno})"
        raise refuse(name, reason) from broken
    return set()


def xml(file: BinaryIO, name: str) -> set[str]:
    """Well-formed XML without a document type, stylesheet, page or drawing."""
    if file.seek(0, 2) > MAX_PARSED:
        raise refuse(name, f"is XML of more than {MAX_PARSED // 1_000_000} MB")
    file.seek(0)
    try:
        parts = iterparse(file, events=("start", "pi"), forbid_dtd=True)
        for number, (event, part) in enumerate(parts):
            if number > MAX_ELEMENTS:
                raise refuse(name, f"is XML of more than {MAX_ELEMENTS:,} elements")
            if event == "pi":
                _refuse_instruction(part.text or "", name)
            else:
                _refuse_element(part.tag, name)
                part.clear()
    except DefusedXmlException as attack:
        raise refuse(name, "declares a document type or entities") from attack
    except ParseError as broken:
        raise refuse(name, f"is not XML (line {broken.position[0]})") from broken
    return set()


def _refuse_instruction(instruction: str, name: str) -> None:
    if instruction.split(None, 1)[:1] == ["xml-stylesheet"]:
        raise refuse(name, "names a stylesheet that a browser would run")


def _refuse_element(tag: str, name: str) -> None:
    space = tag[1:].partition("}")[0] if tag.startswith("{") else ""
    local = tag.rpartition("}")[2].lower()
    if space in ACTIVE_SPACES or local in {"script", "svg", "html"}:
        raise refuse(name, "holds a page, drawing or script that a browser would run")
