"""Findings of AWS out of a JSON file that somebody sent. Runs confined.

Reads the AWS Security Finding Format (ASFF), alone, in a list or as `get-findings`
answers it, and OCSF: a list, or one document a line. One finding is held at a time.

Records: `["result", line, {...}]` with texts as the file has them, `["error", line,
sentence]` for a finding that is not read, and as the last one `["end"]`, or
`["refused", sentence]` for a file of which nothing is taken.

One file: three forms of one finding are read by the same few functions.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

MAX_TEXT = 2_000  # characters of a text
MAX_ID = 600  # characters of the id of a finding
MAX_NAMED = 200  # controls of one finding
# OCSF: vulnerability, compliance and detection findings
CLASSES = {2002, 2003, 2004}
SPACE = re.compile(r"[\s,]*")
MILLISECONDS_FROM = 100_000_000_000  # a time beyond it is no count of seconds
EDITION = re.compile(r"800-53.*?(?:r|rev|revision)[ ._-]*5", re.IGNORECASE)
WRITTEN = re.compile(
    r"\b([A-Z]{2})[-_](\d{1,2})(?:\s*[(._](\d{1,2})\)?)?", re.IGNORECASE
)

Record = list[Any]


class BrokenFile(Exception):
    """Nothing is taken from the file; the sentence says why."""


def answer_results(body: BinaryIO, answer: BinaryIO, limit: int) -> None:
    """Write the records of a file of at most `limit` findings."""
    try:
        text = body.read().decode("utf-8-sig")
        for record in _records(text, limit):
            _write(answer, record)
        last: Record = ["end"]
    except UnicodeDecodeError:
        last = ["refused", "The text is not UTF-8: export the findings as JSON again."]
    except BrokenFile as broken:
        last = ["refused", str(broken)]
    _write(answer, last)


def _write(answer: BinaryIO, record: Record) -> None:
    answer.write(json.dumps(record).encode() + b"\n")


def _records(text: str, limit: int) -> Iterator[Record]:
    for number, (line, finding) in enumerate(_findings(text), start=1):
        if number > limit:
            raise BrokenFile(
                f"The file holds more than {limit:,} findings: export them by account"
                " or by region."
            )
        yield _record(line, finding)


def _record(line: int, finding: Any) -> Record:
    if not isinstance(finding, dict):
        return ["error", line, "It is no finding: an object is due here."]
    if "AwsAccountId" in finding or "ProductArn" in finding:
        return ["result", line, _of_asff(finding)]
    if "class_uid" in finding:
        if finding["class_uid"] not in CLASSES:
            named = _text(finding["class_uid"])[:20]
            sentence = f"Its class_uid {named} is no finding that is read here."
            return ["error", line, f"{sentence} Read are 2002, 2003 and 2004."]
        return ["result", line, _of_ocsf(finding)]
    return ["error", line, "It is neither a finding in ASFF nor one in OCSF."]


# --- the file ------------------------------------------------------------------------


class _Reading:
    """One value after the other out of a text, and the line of each."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._line, self._counted = 1, 0
        self._decode = json.JSONDecoder().raw_decode

    def line(self) -> int:
        """The line of the next value."""
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line

    def peek(self) -> str:
        """The next character that is no blank or comma; empty at the end."""
        match = SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.text[self.at : self.at + 1]

    def take(self, character: str) -> None:
        """Step over a character that has to stand here."""
        if self.peek() != character:
            raise self.broken()
        self.at += 1

    def value(self) -> Any:
        """The next value as a whole."""
        self.peek()
        line = self.line()
        try:
            value, self.at = self._decode(self.text, self.at)
        except RecursionError:
            raise BrokenFile(f"Line {line} is nested too deep to be read.") from None
        except ValueError as fault:
            self.at = getattr(fault, "pos", self.at)
            cut = str(fault).startswith("Unterminated string")
            raise self.broken(cut=cut) from None
        return value

    def broken(self, *, cut: bool = False) -> BrokenFile:
        """That it goes on with what cannot stand here, or ends (`cut`: in a text)."""
        end = cut or self.at >= len(self.text.rstrip())
        what = "ends in the middle of a finding" if end else "is no JSON"
        return BrokenFile(
            f"The file {what} at line {self.line()}: export the findings again. Nothing"
            " was taken from it."
        )


def _findings(text: str) -> Iterator[tuple[int, Any]]:
    """Each finding with its line, wherever the kinds of file hold them."""
    reading = _Reading(text)
    if not reading.peek():
        raise BrokenFile("The file is empty.")
    while first := reading.peek():
        if first == "[":
            yield from _listed(reading)
        elif first == "{":
            yield from _document(reading)
        else:
            raise reading.broken()


def _listed(reading: _Reading) -> Iterator[tuple[int, Any]]:
    reading.take("[")
    while reading.peek() != "]":
        line = reading.line()
        yield line, reading.value()
    reading.take("]")


def _document(reading: _Reading) -> Iterator[tuple[int, Any]]:
    """A finding, or an object around a list of them under `Findings`."""
    reading.peek()
    line, around = reading.line(), False
    members: dict[str, Any] = {}
    reading.take("{")
    while reading.peek() != "}":
        name = reading.value()
        reading.take(":")
        if name == "Findings" and reading.peek() == "[":
            around = True
            yield from _listed(reading)
        elif not isinstance(name, str) or name in members:
            raise reading.broken()
        else:
            members[name] = reading.value()
    reading.take("}")
    detail = _group(members, "detail")  # as EventBridge hands findings on
    if isinstance(detail.get("findings"), list):
        yield from ((line, finding) for finding in detail["findings"])
    elif not around:
        yield line, members


# --- one finding ---------------------------------------------------------------------


def _of_asff(finding: Mapping[str, Any]) -> dict[str, Any]:
    compliance = _group(finding, "Compliance")
    fields = _group(finding, "ProductFields")
    check = compliance.get("SecurityControlId") or fields.get("ControlId")
    workflow = _text(_group(finding, "Workflow").get("Status"))
    archived = _text(finding.get("RecordState")) == "ARCHIVED"
    status = _text(compliance.get("Status"))
    resources = finding.get("Resources")
    return {
        "finding_id": _id(finding.get("Id")),
        "account": _text(finding.get("AwsAccountId")),
        "result": _asff_result(status, workflow, archived=archived),
        "words": _words(status, workflow, "ARCHIVED" if archived else ""),
        "check": _text(check or finding.get("GeneratorId"))[:120],
        "title": _text(finding.get("Title"))[:300],
        "text": _text(finding.get("Description")),
        "resources": _ids(resources, "Id"),
        "severity": _text(_group(finding, "Severity").get("Label"))[:20],
        "product": _text(finding.get("ProductName"))[:60] or "AWS Security Hub",
        "first_seen": _time(finding, "FirstObservedAt", "CreatedAt", "UpdatedAt"),
        "last_seen": _time(finding, "LastObservedAt", "UpdatedAt", "CreatedAt"),
        "controls": _named(_strings(compliance.get("RelatedRequirements"))),
    }


def _asff_result(status: str, workflow: str, *, archived: bool) -> str:
    """What the source calls it: a check that fails goes on failing, whoever
    suppressed it or called it resolved there."""
    if archived or status == "PASSED":
        return "passed"
    if status == "FAILED":
        return "failed"
    if status:
        return "unclear"
    return "passed" if workflow == "RESOLVED" else "failed"


def _of_ocsf(finding: Mapping[str, Any]) -> dict[str, Any]:
    info, compliance = _group(finding, "finding_info"), _group(finding, "compliance")
    account = _group(_group(finding, "cloud"), "account")
    metadata = _group(finding, "metadata")
    status = _text(compliance.get("status") or finding.get("status_code"))
    check = metadata.get("event_code") or compliance.get("control")
    life = _text(finding.get("status"))
    named = _strings(compliance.get("requirements"))
    named += _strings(compliance.get("standards"))
    named += _of_frameworks(_group(_group(finding, "unmapped"), "compliance"))
    return {
        "finding_id": _id(info.get("uid")),
        "account": _text(account.get("uid")),
        "result": _ocsf_result(status, life),
        "words": _words(status, life),
        "check": _text(check)[:120],
        "title": _text(info.get("title"))[:300],
        "text": _text(finding.get("status_detail") or info.get("desc")),
        "resources": _ids(finding.get("resources"), "uid"),
        "severity": _text(finding.get("severity"))[:20],
        "product": _text(_group(metadata, "product").get("name"))[:60],
        "first_seen": _time(
            {**finding, **info},
            *("first_seen_time_dt", "first_seen_time", "created_time_dt"),
            *("created_time", "time_dt", "time"),
        ),
        "last_seen": _time(
            {**finding, **info},
            *("last_seen_time_dt", "last_seen_time", "modified_time_dt"),
            *("modified_time", "time_dt", "time"),
        ),
        "controls": _named(named),
    }


def _ocsf_result(status: str, life: str) -> str:
    word = status.upper()
    if word in {"FAIL", "FAILED"}:
        return "failed"
    if word in {"PASS", "PASSED"}:
        return "passed"
    if word:
        return "unclear"
    return "passed" if life.upper() in {"RESOLVED", "ARCHIVED"} else "failed"


def _words(*words: str) -> str:
    """What the source calls it, each word once."""
    return ", ".join(dict.fromkeys(word[:30] for word in words if word))


def _of_frameworks(frameworks: Mapping[str, Any]) -> list[str]:
    """Prowler's ids by framework, each with the name of its framework before it."""
    return [
        f"{name} {control}"
        for name, controls in frameworks.items()
        for control in _strings(controls)
    ]


def named_controls(texts: list[str]) -> list[str]:
    """Ids of NIST SP 800-53 Rev. 5 (`ac-2.1`) that texts name, each after the name of
    the edition; a part is named by its control."""
    return _named(texts)


def _named(texts: list[str]) -> list[str]:
    ids: dict[str, None] = {}
    for text in texts:
        edition = EDITION.search(text)
        match = WRITTEN.search(text, edition.end()) if edition else None
        if match:
            family, number, enhancement = match.groups()
            base = f"{family.lower()}-{int(number)}"
            ids[f"{base}.{int(enhancement)}" if enhancement else base] = None
    return list(ids)[:MAX_NAMED]


def _time(finding: Mapping[str, Any], *names: str) -> str:
    """The first of these that is there, as text; empty for none."""
    for name in names:
        value = finding.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()[:40]
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            seconds = value / 1000 if value > MILLISECONDS_FROM else value
            try:
                return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()
            except (OverflowError, ValueError, OSError):
                return str(value)[:40]
    return ""


def _group(node: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    member = node.get(name)
    return member if isinstance(member, dict) else {}


def _strings(value: Any) -> list[str]:
    return (
        [one for one in value if isinstance(one, str)]
        if isinstance(value, list)
        else []
    )


def _ids(resources: Any, name: str) -> str:
    """The first ids of what the check looked at."""
    rows = resources if isinstance(resources, list) else []
    ids = [_text(row.get(name)) for row in rows if isinstance(row, dict)]
    shown = ", ".join(one for one in ids[:3] if one)[:500]
    return f"{shown} and {len(ids) - 3} more" if len(ids) > 3 else shown


def _id(value: Any) -> str:
    """An id as a whole: one that is too long is none."""
    text = value.strip() if isinstance(value, str) else ""
    return text if len(text) <= MAX_ID and text.isprintable() else ""


def _text(value: Any) -> str:
    """Words of a stranger, fit for a page: what cannot be shown becomes a blank."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    text = value if isinstance(value, str) else str(value)[:40]
    shown = "".join(c if c.isprintable() or c == "\n" else " " for c in text[:MAX_TEXT])
    return shown.strip()
