"""The classes of a system's controls as they are today, and what is asked for them.

A component may be entered with a later first day, and an override ends by itself: on
that day a half becomes ours without anybody's act. Each required half of ours has at
least one requirement on every day (R11), so what becomes ours is asked from then on.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from controls.models import ControlImplementation, ResponsibilityDecision, System
from controls.responsibility.decide import refresh_todays
from controls.responsibility.rulings import PARTIES
from evidence.requirements.from_templates import ask_for_newly_ours


@transaction.atomic
def show_todays_classes(system: System, today: dt.date) -> int:
    """Show each control's class of today; where our half is required that was not when
    they were shown last, and nothing asks for it, ask from the first day of the class.

    How many requirements were added. Shown twice on a day, nothing more is added.
    """
    System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    before = _ours(system)
    refresh_todays(system, today)
    newly_ours = _ours(system) - before
    if not newly_ours:
        return 0
    return ask_for_newly_ours(system, _first_days(newly_ours, today))


def _ours(system: System) -> set[int]:
    """Controls of which a half is ours, as they are shown."""
    classes = ControlImplementation.objects.filter(system=system)
    return {
        pk
        for pk, responsibility in classes.values_list("pk", "responsibility")
        if "customer" in PARTIES.get(responsibility, frozenset())
    }


def _first_days(implementations: set[int], today: dt.date) -> dict[int, dt.date]:
    """The first day of the decision in force today, of each; today where it has none.

    It lies before today where days went by without this being done.
    """
    first_days = dict.fromkeys(implementations, today)
    decisions = ResponsibilityDecision.objects.filter(
        implementation__in=implementations, effective__contains=today
    )
    for decision in decisions.order_by("known_from", "pk"):
        lower = decision.effective.lower
        first_days[decision.implementation_id] = lower or today
    return first_days
