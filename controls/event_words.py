"""Events of the audit log in words: who did what, from what to what."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist

from controls.models import AuditEvent

MAX_TEXT = 300  # characters of one value
# Names in the body of an event that are no facts about the row.
UNSAID = frozenset({"_", "before", "after", "in_bulk", "model", "row", "version"})


@dataclass(frozen=True)
class HistoryRow:
    """One event: `what` is its verb after the noun, `facts` what it says, each with
    its name; `event` is the entry itself."""

    at: dt.datetime
    who: str
    what: str
    facts: list[tuple[str, str]]
    event: AuditEvent


def verb_in_words(code: str) -> str:
    """The verb of an event: `Responsibility decided`."""
    return _words(code)


def event_rows(events: Iterable[AuditEvent], row: Any = None) -> list[HistoryRow]:
    """The same events in words; of one row, with the names of its fields."""
    return [
        HistoryRow(
            event.at,
            event.actor_name or "the program",
            _words(event.verb.partition(".")[2] or event.verb),
            _facts(row, _body(event)),
            event,
        )
        for event in events
    ]


def _body(event: AuditEvent) -> Mapping[str, Any]:
    """The body, empty where it is withheld or no object."""
    try:
        body = json.loads(event.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _facts(row: Any, body: Mapping[str, Any]) -> list[tuple[str, str]]:
    before, after = body.get("before"), body.get("after")
    before = before if isinstance(before, dict) else {}
    after = after if isinstance(after, dict) else {}
    facts = [
        (_name(row, name), _change(before.get(name), after.get(name)))
        for name in dict.fromkeys([*before, *after])
    ]
    more = [(name, value) for name, value in body.items() if name not in UNSAID]
    return facts + [(_words(name), _text(value)) for name, value in more if value]


def _name(row: Any, field: str) -> str:
    if row is None:
        return _words(field)
    try:
        return _words(str(row._meta.get_field(field).verbose_name))
    except FieldDoesNotExist:
        return _words(field)


def _change(before: Any, after: Any) -> str:
    if after is None:
        return f"was {_text(before)}"
    if before is None:
        return _text(after)
    return f"{_text(before)} → {_text(after)}"


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = [
            f"{_words(name).lower()} {_text(part)}" for name, part in value.items()
        ]
    if isinstance(value, Iterable) and not isinstance(value, str):
        value = ", ".join(_text(part) for part in value)
    return str(value if value not in ("", None) else "nothing")[:MAX_TEXT]


def _words(code: str) -> str:
    """`owner_team` and `handed-over` as words, the first with a capital."""
    return code.replace("_", " ").replace("-", " ").replace(".", " ").capitalize()
