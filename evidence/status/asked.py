"""What was asked of controls on which days, as known at a moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from evidence.status import days_sql, window_sql
from evidence.status.day_ranges import Days, clip
from evidence.status.facts import RequirementHistory, TermsFacts
from evidence.status.facts_from_rows import days_of, required_days, terms_facts
from evidence.status.rows import Moment, Row, as_bigints, grouped, read_rows

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
    every = {"implementations": as_bigints(pks)}
    wide = {"start": start - BEYOND, "end": end + BEYOND, "last": end}
    decisions, exclusions, requirements = (
        grouped(read_rows(statement, moment, **every, **wide), "implementation_id")
        for statement in (
            days_sql.DECISIONS_OF_WINDOW,
            days_sql.EXCLUSIONS_OF_WINDOW,
            window_sql.REQUIREMENTS_OF_WINDOW,
        )
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
