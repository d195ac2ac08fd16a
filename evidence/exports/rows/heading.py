"""What every file says of itself: system, window, both clocks, rules, view."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controls.models import ImplementationStatus
from controls.models.decisions import Responsibility
from controls.models.systems import ImpactLevel, Regime
from evidence.charts import PROVEN, RESULTS, VERDICTS
from evidence.engagements.scope import NamedScope, named_scopes
from evidence.exports.rows.scope import ExportScope, named_filters
from evidence.models.marks import MarkState
from evidence.status import gather_sql
from evidence.status.after_closing import ClosedWindow, closed_windows
from evidence.status.rows import read_rows
from evidence.status.rules import RULES, rules_then

# The newest reference data that the classes of the system rest on.
REFERENCE_VERSION = """
SELECT rv.version
  FROM controls_responsibilitydecision d
  JOIN controls_controlimplementation i ON i.id = d.implementation_id
  JOIN controls_referenceversion rv ON rv.id = d.reference_version_id
 WHERE i.system_id = %(system)s AND d.effective @> %(day)s::date
   AND (%(known_at)s::timestamptz IS NULL OR d.known_from < %(known_at)s)
 ORDER BY rv.id DESC LIMIT 1
"""
# What the filters of the page of controls are called in a sentence.
WORDS = {
    "engagement": "in the scope of the audit",
    "family": "family",
    "responsibility": "class",
    "verdict": "verdict",
    "status": "implementation status",
    "team": "owner",
    "q": "named",
    "number": "criterion",
    "mark": "the auditors' mark",
}
# The words of the choices; what people typed stands between quotation marks.
CHOICES: Mapping[str, Mapping[str, str]] = {
    "responsibility": {code: str(label) for code, label in Responsibility.choices},
    "status": {code: str(label) for code, label in ImplementationStatus.choices},
    "mark": {code: str(label) for code, label in MarkState.choices},
    "verdict": {
        **{code: title for code, title, _ in VERDICTS},
        **{f"proven-{code}": title for code, title, _ in PROVEN},
        "complete": "complete over the window",
        **{code: f"{title} over the window" for code, title, _ in RESULTS},
    },
}


@dataclass(frozen=True)
class Heading:
    """What a file says of itself, all of it as it was known then.

    Days and instants are texts in ISO 8601; `rules_then` is 0 where the number of the
    rules has not risen since that instant.
    """

    system: str
    slug: str
    regime: str
    impact_level: str
    time_zone: str
    on: str
    known_at: str
    window_start: str
    window_end: str
    rules: int
    rules_then: int
    reference_version: str
    view: str
    marks: str
    closings: tuple[str, ...] = ()  # each closed window that shares days with it

    def lines(self) -> list[tuple[str, str]]:
        """Label and text of each line, for people."""
        judged = f"number {self.rules}"
        if self.rules_then:
            judged += f" (number {self.rules_then} was in force at that instant)"
        lines = [
            ("System", f"{self.system} ({self.slug})"),
            ("Regime", f"{self.regime}, {self.impact_level} impact"),
            ("About the day", f"{self.on} ({self.time_zone})"),
            ("Known at", f"{self.known_at}, what was recorded before that instant"),
            ("Audit window", f"{self.window_start} to {self.window_end}"),
            ("Rules", judged),
            ("Reference data", self.reference_version or "none"),
            ("Controls", self.view),
        ]
        lines += [("Closed window", sentence) for sentence in self.closings]
        return [*lines, ("Marks", self.marks)] if self.marks else lines


def heading_of(scope: ExportScope) -> Heading:
    """The heading, to be read in the snapshot of the rows. Four statements, and one
    where a window was closed.

    Raises LookupError when the system was not recorded by then.
    """
    moment, system = scope.moment, scope.system
    recorded = read_rows(gather_sql.SYSTEMS, moment, systems=[system.pk])
    if not recorded:
        raise LookupError("The system was not recorded at that time.")
    terms = read_rows(gather_sql.SYSTEM_TERMS, moment, systems=[system.pk])
    then: dict[str, Any] = {**recorded[0], **(terms[0] if terms else {})}
    versions = read_rows(REFERENCE_VERSION, moment, system=system.pk)
    return Heading(
        system=then["name"],
        slug=then["slug"],
        regime=str(Regime(then["regime"]).label),
        impact_level=str(ImpactLevel(then["impact_level"]).label),
        time_zone=then["time_zone"],
        on=moment.on.isoformat(),
        known_at=_utc(moment.known_at),
        window_start=scope.window[0].isoformat(),
        window_end=scope.window[1].isoformat(),
        rules=RULES,
        rules_then=rules_then(moment.known_at) or 0,
        reference_version=versions[0]["version"] if versions else "",
        view=view_text(
            scope.filters,
            named_scopes([scope.filters.get("engagement", "")], moment),
        ),
        marks=marks_of(scope),
        closings=tuple(
            closing_in_words(closed)
            for closed in closed_windows(system.pk, moment, scope.window)
        ),
    )


def closing_in_words(closed: ClosedWindow) -> str:
    """When and by whom a window was closed, and what was kept of it."""
    first, last = closed.window
    kept = "".join(f"; {kind} sha256 {sha256}" for kind, sha256 in closed.kept)
    return (
        f"{closed.title}, {closed.firm}, {first} to {last}: closed"
        f" {_utc(closed.closed_at)} by {closed.closed_by}, asked by"
        f" {closed.asked_by}{kept}"
    )


def marks_of(scope: ExportScope) -> str:
    """What sets all of its rows apart: that they are a demo's."""
    return "demo / imported history" if scope.system.demo else ""


def _utc(instant: dt.datetime | None) -> str:
    """To the microsecond: the same file can be asked for by it again."""
    return instant.astimezone(dt.UTC).isoformat() if instant else ""


def view_text(
    filters: Mapping[str, str], scopes: Mapping[str, NamedScope] | None = None
) -> str:
    """The view in words: “family AC, verdict Partly”, else “all of the system”.
    `scopes` are those of the audits that it names, by their uuids."""
    named = named_filters(filters)
    audit = (scopes or {}).get(named.get("engagement", ""))
    parts = [
        audit.sentence
        if audit and name == "engagement"
        else f"{WORDS[name]} {_shown(name, named[name])}"
        for name in named
    ]
    return ", ".join(parts) or "all of the system"


def _shown(name: str, value: str) -> str:
    if name == "family":
        return value.upper()
    if name == "mark":
        value = value.rpartition(":")[2]
    return CHOICES.get(name, {}).get(value, f"“{value}”")
