"""What one officer may ask of days that are over: no less than is asked already.

Days on which our half was required and nothing was asked are counted against a window
(R11). A first statement may name them (R31); were it rarer than what is asked of the
control anyway, it would make them look asked for with less proof than any other day.
"""

from __future__ import annotations

import datetime as dt

from controls.errors import Refused
from evidence.models import RequirementControl
from evidence.models.asks import Cadence
from evidence.requirements.retiring import asks_as_much
from evidence.status.asked import read_asked
from evidence.status.day_ranges import DAY, clip, subtract
from evidence.status.duty import standing_days
from evidence.status.rows import Moment

ONLY_ONCE = "What is asked only once answers for no day on which nothing was asked"


def refuse_less_of_the_past(added: RequirementControl, today: dt.date) -> None:
    """Raise Refused where a new row asks less of unasked days than is asked besides.

    `added` is not stored yet; `today` is the system's day. Days on which our half was
    not required, or something was asked already, may be asked of in any way.
    """
    first, last = added.operates_from, today - DAY
    if first > last or not _unasked(added, first, last):
        return
    others = added.implementation.requirements.all()
    more = [other for other in others if not asks_as_much(added, other)]
    if more:
        titles = ", ".join(f"“{other.title}”" for other in more)
        sentence = f"Nothing was asked on that day, and this is less than {titles}"
    elif added.cadence == Cadence.ONCE:
        sentence = ONLY_ONCE
    else:
        return
    raise Refused(
        {
            "operates_from": f"{sentence}. Choose {today} or a later day; an earlier"
            " day of what is asked already is decided by a second officer."
        }
    )


def _unasked(
    added: RequirementControl, first: dt.date, last: dt.date
) -> list[tuple[dt.date, dt.date]]:
    """Of these days, those on which our half was required and nothing was asked."""
    pk = added.implementation_id
    history = read_asked([pk], first, last, Moment(on=last, known_at=None))
    standing = standing_days(history.required[pk], history.not_applicable[pk])
    named = [days for _, ask in history.asks[pk] for days in ask.named]
    return subtract(clip(standing, first, last), named)
