"""What parts of an Office document do when it is opened: fields, formulas, queries."""

from __future__ import annotations

import re
from typing import Any, BinaryIO

from defusedxml.ElementTree import DefusedXMLParser

CHUNK = 256 * 1024
TRIGGERS = {  # bytes without which a part of a folder holds nothing of interest
    "word/": re.compile(rb"instr", re.IGNORECASE),
    "xl/": re.compile(rb"\||&#|webservice|ddelink|refreshonload|interval", re.I),
}
ENCODING = re.compile(rb"^<\?xml[^>]*encoding\s*=\s*[\"']([\w.-]+)", re.IGNORECASE)
PLAIN = {b"utf-8", b"utf8", b"us-ascii", b"ascii"}
STRING = re.compile(r'"[^"]*"')
# A program, a bar, a topic, an exclamation mark: “cmd|'/c calc'!A0”.
DDE = re.compile(r"(?:'[^']*'|[\w.\\:]+)\s*\|\s*(?:'[^']*'|[\w .\\/:-]+)!")
WEB = re.compile(r"WEBSERVICE\s*\(", re.IGNORECASE)
FORMULAS = {"f", "definedName", "formula", "formula1", "formula2"}
LOADING = {"INCLUDETEXT", "INCLUDEPICTURE", "RD", "IMPORT"}
YES = {"1", "true", "on"}


def flags_of(part: BinaryIO, path: str) -> set[str]:
    """Flags of one part of well-formed XML, read from where it stands.

    Raises what the XML parser raises; whoever calls has looked at the document type.
    """
    folder = path.lower()[: path.find("/") + 1]
    trigger = TRIGGERS.get(folder)
    if trigger is None or not _may_hold(part, trigger):
        return set()
    target = _Fields() if folder == "word/" else _Formulas()
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    while chunk := part.read(CHUNK):
        parser.feed(chunk)
    parser.close()
    return target.flags


def _may_hold(part: BinaryIO, trigger: re.Pattern[bytes]) -> bool:
    """Whether it is worth a parse; in an encoding that is not plain it always is."""
    start = part.tell()
    head, before = part.read(200), b""
    declared = ENCODING.match(head.lstrip(b"\xef\xbb\xbf"))
    may = b"\0" in head or bool(declared and declared[1].lower() not in PLAIN)
    part.seek(start)
    while not may and (chunk := part.read(CHUNK)):
        may = bool(trigger.search(before + chunk))
        before = chunk[-20:]
    part.seek(start)
    return may


def _local(names: dict[str, str]) -> dict[str, str]:
    return {name.rpartition("}")[2]: value for name, value in names.items()}


class _Fields:
    """Field codes of a Word document, which may lie in many pieces."""

    def __init__(self) -> None:
        self.flags: set[str] = set()
        self._open: list[list[str] | None] = []  # codes; None once a result begins
        self._in_code = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        local, names = tag.rpartition("}")[2], _local(attributes)
        if local == "fldSimple":
            self._judge(names.get("instr", ""))
        elif local == "fldChar":
            self._bound(names.get("fldCharType", ""))
        self._in_code = local in {"instrText", "delInstrText"}

    def data(self, text: str) -> None:
        if not self._in_code:
            return
        if not self._open:
            self._judge(text)
        elif (code := self._open[-1]) is not None:
            code.append(text)

    def end(self, tag: str) -> None:
        self._in_code = False

    def close(self) -> None:
        while self._open:
            self._end_code()
            self._open.pop()

    def _bound(self, kind: str) -> None:
        if kind == "begin":
            outer = self._open[-1] if self._open else None
            if outer is not None and not "".join(outer).strip():
                self.flags.add("dde")  # its name is computed, so it may be any
            self._open.append([])
        elif kind == "separate" and self._open:
            self._end_code()
        elif kind == "end" and self._open:
            self._end_code()
            self._open.pop()

    def _end_code(self) -> None:
        code = self._open[-1]
        if code is not None:
            self._judge("".join(code))
            self._open[-1] = None

    def _judge(self, code: str) -> None:
        words = code.replace('"', " ").split(None, 1)
        name = words[0].upper() if words else ""
        if name in {"DDE", "DDEAUTO"}:
            self.flags.add("dde")
        elif name in {"LINK", "DATABASE"} or (
            name in LOADING and ("//" in code or "\\\\" in code)
        ):
            self.flags.add("external")


class _Formulas:
    """Formulas, links to programs and queries of a workbook."""

    def __init__(self) -> None:
        self.flags: set[str] = set()
        self._formula: list[str] | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        local, names = tag.rpartition("}")[2], _local(attributes)
        if local in FORMULAS:
            self._formula = []
        elif local == "ddeLink":
            self.flags.add("dde")
        elif local in {"connection", "queryTable"} and (
            names.get("refreshOnLoad", "").lower() in YES
            or names.get("interval", "0") != "0"
        ):
            self.flags.add("refresh")

    def data(self, text: str) -> None:
        if self._formula is not None:
            self._formula.append(text)

    def end(self, tag: str) -> None:
        if self._formula is None:
            return
        formula = STRING.sub("", "".join(self._formula))
        self._formula = None
        if DDE.search(formula):
            self.flags.add("dde")
        if WEB.search(formula):
            self.flags.add("external")

    def close(self) -> Any:
        return None
