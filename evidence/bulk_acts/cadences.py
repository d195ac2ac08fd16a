"""How often many things are asked, from today on (R11, R12, R18)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import replace

from controls.models import System
from evidence.bulk_acts.act import Values
from evidence.bulk_acts.change_of_asks import ChangeOfAsks
from evidence.models import RequirementControl
from evidence.models.asks import Cadence
from evidence.requirements.changes import NewTerms, Outlook
from evidence.requirements.odp_frequency import less_frequent

# What is asked once or per event is no period: that is set on the page of the ask.
OFFERED = [
    (code, label)
    for code, label in Cadence.choices
    if code not in {Cadence.ONCE, Cadence.PER_EVENT}
]


def asks_of_controls(
    system: System, controls: Collection[int], today: dt.date
) -> list[int]:
    """The keys of what is asked today of our halves of these controls."""
    rows = RequirementControl.objects.in_operation(system, today)
    ours = rows.filter(implementation__in=controls).of_our_half()
    return list(ours.values_list("pk", flat=True))


class Cadences(ChangeOfAsks):
    """Keys are of what is asked. Values: `cadence`, `rarer_because`."""

    name = "cadence"

    def before(self, row: RequirementControl) -> str:
        """How often it is asked now."""
        return str(Cadence(row.cadence).label)

    def after(self, values: Values) -> str:
        """How often it would be asked."""
        return str(Cadence(values["cadence"]).label)

    def follows(self, outlook: Outlook, values: Values) -> str:
        """The days of grace that come with it."""
        return f"Grace becomes {outlook.grace_days} days."

    def terms(self, row: RequirementControl, values: Values) -> NewTerms:
        """What the row says, asked so often; its grace becomes the cadence's own.

        A reason that was given before excuses nothing rarer than it was given for.
        """
        stated = NewTerms.stated_by(row)
        if row.cadence == values["cadence"]:
            return stated
        by_events = row.cadence == Cadence.PER_EVENT
        rarer = by_events or less_frequent(values["cadence"], row.cadence)
        return replace(
            stated,
            cadence=values["cadence"],
            grace_days=None,
            rarer_because=values["rarer_because"]
            or ("" if rarer else stated.rarer_because),
        )
