"""A file with findings of AWS, as a confined process read it: JSON or CSV."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO

from controls.confined import Heavy, Reader
from controls.control_ids import normalised_id
from controls.errors import Refused
from controls.grammar import size_in_words
from controls.spreadsheets import Limits, Line, lines_of, require_one_sheet
from evidence.findings.source_parsing import MAX_ID, named_controls

MAX_BYTES = 40_000_000
MAX_RESULTS = 20_000  # findings of one file
CHUNK = 1_000_000  # bytes
RESULTS = Reader(
    module="evidence.findings.source_parsing",
    name="answer_results",
    memory=600_000_000,
    processor=40,
    seconds=60,
    answer=120_000_000,
)
LIMITS = Limits(
    max_bytes=MAX_BYTES,
    max_lines=MAX_RESULTS + 1,
    max_columns=100,
    max_text=MAX_BYTES + 1_000_000,
)
JSON_ENDINGS = ("json", "jsonl", "ndjson")
# Headings as files write them, in lower case and with blanks.
HEADINGS = {
    "finding_id": ("finding uid", "finding id", "id"),
    "account": ("account uid", "aws account id", "account id", "account"),
    "status": ("status", "compliance status", "result"),
    "check": ("check id", "security control id", "check"),
    "title": ("check title", "title"),
    "text": ("status extended", "description", "text"),
    "resource": ("resource uid", "resource id", "resource"),
    "severity": ("severity", "severity label"),
    "first_seen": ("first observed at", "first seen", "created at", "timestamp"),
    "last_seen": ("last observed at", "last seen", "updated at", "timestamp"),
    "product": ("product name", "product"),
    "muted": ("muted",),
    "compliance": ("compliance", "related requirements"),
    "controls": ("control", "controls", "control id"),
}
NEEDED = {"finding_id": "finding id", "account": "account", "status": "status"}
WORDS = {
    **dict.fromkeys(("FAIL", "FAILED"), "failed"),
    **dict.fromkeys(("PASS", "PASSED"), "passed"),
}


@dataclass(frozen=True, slots=True)
class SourceResult:
    """What a source says of one finding.

    `result` is failed, passed or unclear, `words` what the source itself calls it;
    `controls` are ids as `ac-2.1`; times are texts as the file has them.
    """

    line: int
    finding_id: str
    account: str
    result: str
    words: str
    check: str
    title: str
    text: str
    resources: str
    severity: str
    product: str
    first_seen: str
    last_seen: str
    controls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LineRefusal:
    """Why one finding of a file is not taken; lines are counted from 1."""

    line: int
    sentence: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.sentence}"


@dataclass(frozen=True)
class SourceFile:
    """What a file holds, and what of it could not be read."""

    name: str
    sha256: str
    results: tuple[SourceResult, ...]
    refusals: tuple[LineRefusal, ...] = field(default=())


def read_findings(body: BinaryIO, name: str, size_bytes: int) -> SourceFile:
    """The findings of a JSON or CSV file. Raises Refused for one that cannot be read,
    with the line where it breaks off."""
    if size_bytes > MAX_BYTES:
        limit = size_in_words(MAX_BYTES)
        raise Refused(
            f"The file is larger than {limit}: export the findings by account or by"
            " region.",
            code="too_large",
        )
    ending = name.lower().rpartition(".")[2]
    if ending not in {*JSON_ENDINGS, "csv"}:
        raise Refused("Send a file whose name ends in .json or .csv.", code="kind")
    hashed = hashlib.sha256()
    body.seek(0)
    while chunk := body.read(CHUNK):
        hashed.update(chunk)
    body.seek(0)
    rows = _of_csv(body, name) if ending == "csv" else _of_json(body)
    results: list[SourceResult] = []
    refusals: list[LineRefusal] = []
    for row in rows:
        if isinstance(row, LineRefusal):
            refusals.append(row)
        elif not row.finding_id:
            sentence = f"It has no id, or one of more than {MAX_ID:,} characters."
            refusals.append(LineRefusal(row.line, sentence))
        else:
            results.append(row)
    if not results and not refusals:
        raise Refused("The file holds no finding.", code="empty")
    return SourceFile(name[-200:], hashed.hexdigest(), tuple(results), tuple(refusals))


Row = SourceResult | LineRefusal


def _of_json(body: BinaryIO) -> Iterator[Row]:
    try:
        with RESULTS.read(body, MAX_RESULTS) as answer:
            yield from _answered(answer)
    except Heavy:
        sentence = "This file takes too much time or memory to read."
        raise Refused(sentence, code="too_heavy") from None


def _answered(answer: IO[bytes]) -> Iterator[Row]:
    for text in answer:
        record: list[Any] = json.loads(text)
        if record[0] == "end":
            return
        if record[0] == "refused":
            raise Refused(record[1], code="broken")
        if record[0] == "error":
            yield LineRefusal(record[1], record[2])
        else:
            fields: dict[str, Any] = record[2]
            controls = tuple(fields.pop("controls"))
            yield SourceResult(line=record[1], controls=controls, **fields)
    raise Heavy("no end")


def _of_csv(body: BinaryIO, name: str) -> Iterator[Row]:
    lines = require_one_sheet(lines_of(body, name, LIMITS))
    heading = next(lines, None)
    columns = _columns(heading) if heading else {}
    lacking = [words for name, words in NEEDED.items() if name not in columns]
    if lacking:
        raise Refused(
            f"No column of the first line is called “{lacking[0]}”.",
            code="header_missing",
        )
    for line in lines:
        if line.faults:
            yield LineRefusal(line.number, line.faults[0].sentence)
        else:
            yield _of_line(line, columns)


def _columns(heading: Line) -> dict[str, int]:
    words = [" ".join(c.lower().replace("_", " ").split()) for c in heading.cells]
    return {
        field: next(words.index(name) for name in names if name in words)
        for field, names in HEADINGS.items()
        if any(name in words for name in names)
    }


def _of_line(line: Line, columns: Mapping[str, int]) -> SourceResult:
    cells = {field: line.cell(column) for field, column in columns.items()}
    status = cells["status"].strip()
    muted = cells.get("muted", "").lower() == "true"
    controls = named_controls(_requirements(cells.get("compliance", "")))
    controls += [
        normalised_id(text) or text.lower()
        for text in cells.get("controls", "").replace(";", ",").split(",")
        if text.strip()
    ]
    return SourceResult(
        line=line.number,
        finding_id=cells["finding_id"] if len(cells["finding_id"]) <= MAX_ID else "",
        account=cells["account"],
        result=WORDS.get(status.upper(), "unclear"),
        words=", ".join(filter(None, (status[:30], "muted" if muted else ""))),
        check=cells.get("check", "")[:120],
        title=cells.get("title", "")[:300],
        text=cells.get("text", ""),
        resources=cells.get("resource", "")[:500],
        severity=cells.get("severity", "")[:20],
        product=cells.get("product", "")[:60],
        first_seen=cells.get("first_seen", "")[:40],
        last_seen=cells.get("last_seen", "")[:40],
        controls=tuple(dict.fromkeys(controls)),
    )


def _requirements(text: str) -> list[str]:
    """Prowler's `EDITION: ac_2, ac_3 | OTHER: 1.2` as one text for each id."""
    requirements = []
    for part in text.split("|"):
        name, colon, ids = part.partition(":")
        if colon:
            requirements += [f"{name} {one}" for one in ids.split(",")]
        else:
            requirements += part.split(",")
    return requirements
