"""What the next upload of an ask is for: its oldest open period, and who is open in it.

One performance answers every control of the ask that is open in the period; those that
are accepted or wait for review are left alone (R11). Source: rules R11 and R14.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Q

from controls.errors import Refused
from evidence.models import (
    EvidenceRequirement,
    RequirementControl,
)
from evidence.planning.asks import with_newest_links
from evidence.planning.open_periods import DuePeriod, open_periods_of, period_due
from evidence.requirements.joined import joined_on

MAX_NAMED = 5  # open periods that a refusal names
NOTHING_ASKED = "Nothing is asked for under this ask today."


@dataclass(frozen=True)
class NextUpload:
    """The period to bring something for, and the rows that are open in it.

    `rows` are in catalog order; where nothing is open they are all of the ask, and the
    period is the running one.
    """

    period: DuePeriod
    rows: Sequence[RequirementControl]

    @property
    def first(self) -> RequirementControl:
        """The row in whose name it is submitted."""
        return self.rows[0]

    @property
    def also(self) -> Sequence[RequirementControl]:
        """The others that the same upload answers."""
        return self.rows[1:]

    @property
    def query(self) -> str:
        """What the address of the upload page adds: the period and the others."""
        fields = [("period", str(self.period.first))] if self.period.due else []
        fields += [("also", str(row.pk)) for row in self.also]
        return f"?{urlencode(fields)}" if fields else ""

    @property
    def title(self) -> str:
        """What it is called where nobody says otherwise."""
        title = self.first.title
        return f"{title}, {self.period.name}"[:200] if self.period.name else title


def ask_of_today(ask: EvidenceRequirement, today: dt.date) -> EvidenceRequirement:
    """The ask under which a row stands today, by the address of its own ask as well."""
    row = ask.controls.select_related("ask").first()
    return (joined_on(row, today) if row else None) or ask


def rows_asked(ask: EvidenceRequirement, today: dt.date) -> list[RequirementControl]:
    """The rows of an ask that are to be proven on a day, in catalog order, as
    `with_newest_links` gives them."""
    rows = (
        RequirementControl.objects.for_listing()
        .filter(Q(joined=ask) | Q(ask=ask, joined=None), operates_from__lte=today)
        .filter(Q(operates_until=None) | Q(operates_until__gt=today))
        .of_our_half()
        .order_by("implementation__control__sort_order", "pk")
    )
    return list(with_newest_links(rows, today))


def next_upload(
    rows: Sequence[RequirementControl],
    today: dt.date,
    period: DuePeriod | None = None,
) -> NextUpload:
    """What to bring next for the rows of one ask; they come from `rows_asked`.

    With a `period`, for that one, where it is open in any of them. Raises Refused
    where the ask names no control today.
    """
    if not rows:
        raise Refused(NOTHING_ASKED)
    opened = open_periods_of(rows, today)
    if period is not None and (open_rows := _open_in(rows, opened, period)):
        return NextUpload(period, open_rows)
    return of_opened(rows, opened, today)


def upload_about(
    rows: Sequence[RequirementControl], today: dt.date, day: dt.date
) -> NextUpload:
    """What to bring for the open period that holds a day, or for the running one.

    Rows as for `next_upload`. Raises Refused, with the open periods, where none does.
    """
    if not rows:
        raise Refused(NOTHING_ASKED)
    gaps = uploads_to_bring(rows, open_periods_of(rows, today))
    for offer in (*gaps, of_gaps(rows, (), today)):
        if offer.period.first <= day <= offer.period.last:
            return offer
    named = "; ".join(gap.period.choice for gap in gaps[:MAX_NAMED])
    more = "" if len(gaps) <= MAX_NAMED else f", and {len(gaps) - MAX_NAMED} later"
    still = f" Still open: {named}{more}." if gaps else ""
    raise Refused({"about": f"No open period of this ask holds {day}.{still}"})


def of_opened(
    rows: Sequence[RequirementControl],
    opened: Mapping[int, Sequence[DuePeriod]],
    today: dt.date,
) -> NextUpload:
    """The same where the open periods of each row are known by its key."""
    return of_gaps(rows, uploads_to_bring(rows, opened), today)


def of_gaps(
    rows: Sequence[RequirementControl], gaps: Sequence[NextUpload], today: dt.date
) -> NextUpload:
    """The same where it is known what to bring for each open period."""
    if gaps:
        return gaps[0]
    running = period_due(rows[0], (), today)
    open_rows = [row for row in rows if not _is_brought(row, running)]
    return NextUpload(running, open_rows or rows)


def uploads_to_bring(
    rows: Sequence[RequirementControl], opened: Mapping[int, Sequence[DuePeriod]]
) -> list[NextUpload]:
    """One for each period that is open in any of the rows, the oldest first."""
    gaps: dict[tuple[dt.date, dt.date], DuePeriod] = {}
    open_rows: dict[tuple[dt.date, dt.date], dict[int, RequirementControl]] = {}
    for row in rows:
        for gap in opened.get(row.pk, ()):
            days = (gap.last, gap.first)
            gaps[days] = gap
            open_rows.setdefault(days, {})[row.pk] = row
    return [
        NextUpload(gaps[days], list(open_rows[days].values())) for days in sorted(gaps)
    ]


def _open_in(
    rows: Sequence[RequirementControl],
    opened: Mapping[int, Sequence[DuePeriod]],
    period: DuePeriod,
) -> list[RequirementControl]:
    days = (period.first, period.last)
    return [
        row
        for row in rows
        if any(days == (gap.first, gap.last) for gap in opened.get(row.pk, ()))
    ]


def _is_brought(row: RequirementControl, period: DuePeriod) -> bool:
    """Whether something counts or waits for the period; without calendar: at all."""
    if period.due is None:
        return bool(row.proven_link or row.waiting)  # type: ignore[attr-defined]
    days = {(period.first, period.last), (period.first, None)}
    return bool(row.answered & days)  # type: ignore[attr-defined]
