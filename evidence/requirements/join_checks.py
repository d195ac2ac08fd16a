"""What may stand under one ask, with a sentence for each row that may not.

Source: rules R11, R12, R14, R16 and R18.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from controls.errors import Refused
from controls.models import Team
from evidence.models import RequirementControl
from evidence.models.asks import Cadence
from evidence.requirements.joined import team_of
from evidence.requirements.terms import terms_from
from evidence.status.cadence import default_grace, longest_grace

MAX_LINE = 200  # characters


@dataclass(frozen=True)
class AskTerms:
    """What one ask says for all its controls.

    `grace_days` None: the default of the cadence. `owner_team` None: the team that all
    its controls have.
    """

    title: str
    cadence: str
    purpose: str
    guidance: str = ""
    good_proof: str = ""
    owner_team: Team | None = None
    grace_days: int | None = None
    lead_days: int | None = None

    def columns(self, teams: Iterable[Team | None]) -> dict[str, Any]:
        """As columns of terms; `teams` are those of its controls."""
        team = self.owner_team or next(iter(teams))
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        columns.pop("owner_team")
        if self.grace_days is None:
            columns["grace_days"] = default_grace(self.cadence)
        return columns | {"owner_team_id": team.pk if team else None}


@dataclass(frozen=True)
class NamedControl:
    """A row to join, and what in a performance proves its control.

    `version` is the row's when it was looked at; None: whichever it has.
    """

    requirement: uuid.UUID
    what_it_shows: str
    version: int | None = None


def refuse_terms(terms: AskTerms, columns: Mapping[str, Any]) -> None:
    if not terms.title.strip():
        raise Refused({"title": "Say what is asked."})
    if terms.cadence == Cadence.PER_EVENT:
        sentence = "What is asked per event is shown by populations of its own."
        raise Refused({"cadence": sentence})
    longest = longest_grace(terms.cadence)
    if longest is not None and columns["grace_days"] > longest:
        sentence = (
            f"One officer allows at most {longest} days of grace: join, then ask a"
            " second officer for more."
        )
        raise Refused({"grace_days": sentence})


def misfits(
    rows: Iterable[RequirementControl], columns: Mapping[str, Any], from_day: dt.date
) -> list[str]:
    """Why rows cannot stand under an ask with these terms from a day on.

    One statement, however many rows there are.
    """
    rows = list(rows)
    terms_by_ask = terms_from({row.ask_id for row in rows}, from_day)
    sentences = []
    for row in rows:
        label = label_of(row)
        from_then = terms_by_ask[row.ask_id]
        held = from_then[0]
        if row.operates_until is not None and row.operates_until <= from_day:
            sentences.append(f"{label} is no longer asked on {from_day}.")
        elif any(terms.joined_id for terms in from_then):
            sentences.append(
                f"{label} stands under an ask with others: take it out of that first."
            )
        elif held.cadence == Cadence.PER_EVENT:
            sentences.append(f"{label} is asked per event: it stays an ask of its own.")
        elif held.purpose != columns["purpose"]:
            sentences.append(
                f"{label} is to show {held.get_purpose_display().lower()}, not"
                f" {columns['purpose']}: it needs an ask of its own."
            )
        elif columns["cadence"] == Cadence.ONCE != held.cadence:
            sentences.append(f"{label} is asked {held.cadence}, not only once.")
    named = Counter(label_of(row) for row in rows)
    return sentences + [
        f"{label} is named {times} times: join one of its asks."
        for label, times in named.items()
        if times > 1
    ]


def stated_later(rows: Iterable[RequirementControl], from_day: dt.date) -> list[str]:
    """A sentence for each row whose own terms for later days a join would replace.

    One statement, however many rows there are.
    """
    rows = list(rows)
    terms_by_ask = terms_from({row.ask_id for row in rows}, from_day)
    return [
        f"{label_of(row)} is asked in another way from {later[1].first_day} on: join it"
        " from that day, or state its terms anew first."
        for row in rows
        if len(later := terms_by_ask[row.ask_id]) > 1
    ]


def other_teams(rows: Iterable[RequirementControl], terms: AskTerms) -> list[str]:
    """One ask is performed by one team: where rows have several, one is to be named."""
    teams = {str(team_of(row) or "no team") for row in rows}
    if terms.owner_team or len(teams) < 2:
        return []
    return [f"These belong to {' and '.join(sorted(teams))}: say who performs it."]


def line_faults(lines: Iterable[tuple[RequirementControl, str]]) -> list[str]:
    faults = []
    for row, what_it_shows in lines:
        text = what_it_shows.strip()
        if not text:
            faults.append(f"Say in one line what in it proves {label_of(row)}.")
        elif len(text) > MAX_LINE or "\n" in text:
            faults.append(
                f"One line of at most {MAX_LINE} characters: {label_of(row)}."
            )
    return faults


def label_of(row: RequirementControl) -> str:
    return row.implementation.control.label
