"""What was asked of controls on which days, as known at a moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evidence.status import days_sql, window_sql
from evidence.status.day_ranges import Days, clip
from evidence.status.facts import RequirementHistory, TermsFacts
from evidence.status.facts_from_rows import days_of, required_days, terms_facts
from evidence.status.rows import (
    Moment,
    Row,
    as_bigints,
    grouped,
    read_rows,
    read_rows_at,
)

# How far beyond a window days are looked at: a period of a year, and a break of one.
BEYOND = dt.timedelta(days=366)


@dataclass(frozen=True)
class Asked:
    """What was asked of each control on which days, by the key of an implementation.

    `asks` are by the key of their row, with terms and the days on which they name the
    control, without answers; `decisions` the rows of the classes.
    """

    required: Mapping[int, list[Days]]
    not_applicable: Mapping[int, list[Days]]
    asks: Mapping[int, list[tuple[int, RequirementHistory]]]
    decisions: Mapping[int, list[Row]]

    def near(self, windows: Mapping[int, Days]) -> Asked:
        """As read for each control's own window alone: without asks that named nothing
        within a year of it, and without terms of days after it."""
        asks = {
            pk: [
                (key, replace(history, terms=_to(history.terms, windows[pk][1])))
                for key, history in of_control
                if clip(history.named, windows[pk][0] - BEYOND, windows[pk][1] + BEYOND)
            ]
            for pk, of_control in self.asks.items()
        }
        return replace(self, asks=asks)

    def same_for(self, pk: int, other: Asked) -> bool:
        """Whether the same was asked of a control."""
        return (
            self.required[pk] == other.required[pk]
            and self.not_applicable[pk] == other.not_applicable[pk]
            and self.asks[pk] == other.asks[pk]
        )


def read_asked(
    pks: Iterable[int], start: dt.date, end: dt.date, moment: Moment
) -> Asked:
    """What was asked on the days start..end and a year around them. Three statements.

    What began or ended further away is not cut: ranges come whole. Of terms, those of
    days after `end` are left out: the last ones go on.
    """
    pks = list(pks)
    wide = _wide(pks, start, end)
    return _asked_of_rows(pks, (read_rows(one, moment, **wide) for one in STATEMENTS))


def read_asked_at(
    pks: Iterable[int],
    start: dt.date,
    end: dt.date,
    on: dt.date,
    instants: Sequence[dt.datetime],
) -> list[Asked]:
    """The same as known before each of some instants. Three statements, however many
    there are."""
    pks = list(pks)
    wide = _wide(pks, start, end)
    by_statement = [read_rows_at(one, on, instants, **wide) for one in STATEMENTS]
    return [_asked_of_rows(pks, rows) for rows in zip(*by_statement, strict=True)]


STATEMENTS = (
    days_sql.DECISIONS_OF_WINDOW,
    days_sql.EXCLUSIONS_OF_WINDOW,
    window_sql.REQUIREMENTS_OF_WINDOW,
)


def _wide(pks: Iterable[int], start: dt.date, end: dt.date) -> dict[str, Any]:
    """What the statements are about, by name."""
    return {
        "implementations": as_bigints(pks),
        "start": start - BEYOND,
        "end": end + BEYOND,
        "last": end,
    }


def _asked_of_rows(pks: Sequence[int], rows: Iterable[Iterable[Row]]) -> Asked:
    """From the rows of the three statements, in their order."""
    decisions, exclusions, requirements = (
        grouped(of_one, "implementation_id") for of_one in rows
    )
    return Asked(
        required={
            pk: required_days(decisions[pk], _expected_days(requirements[pk]))
            for pk in pks
        },
        not_applicable={
            pk: [days_of(row["starts"], row["until"]) for row in exclusions[pk]]
            for pk in pks
        },
        asks={pk: _asks(requirements[pk]) for pk in pks},
        decisions=decisions,
    )


def _to(terms: Iterable[TermsFacts], end: dt.date) -> tuple[TermsFacts, ...]:
    """The terms that begin by a day; those in force after it go on."""
    return tuple(
        replace(row, last=dt.date.max) if row.last > end else row
        for row in terms
        if row.first <= end
    )


def _expected_days(rows: Iterable[Row]) -> list[Days]:
    """Days on which a provider's report expects something of us (R26)."""
    return [
        days_of(row["operates_from"], row["operates_until"])
        for row in rows
        if row["user_control_id"]
    ]


def _asks(rows: Iterable[Row]) -> list[tuple[int, RequirementHistory]]:
    """The asks of one control by the keys of their rows, with their terms in order."""
    return [
        (
            key,
            RequirementHistory(
                uuid=of_ask[0]["uuid"],
                terms=tuple(terms_facts(row) for row in of_ask),
                named=(
                    days_of(of_ask[0]["operates_from"], of_ask[0]["operates_until"]),
                ),
                links=(),
                populations=(),
            ),
        )
        for key, of_ask in grouped(rows, "id").items()
    ]
