"""Which controls of a system answer otherwise than by the rules before (R35)."""

from __future__ import annotations

from controls.models import System
from evidence.status.clock_parameters import Window
from evidence.status.gather import Moment, gather
from evidence.status.gather_window import gather_period
from evidence.status.rules_before import Both, RuleChange, difference


def rule_changes(
    system: System, moment: Moment, window: Window
) -> tuple[list[RuleChange], int]:
    """The differences in catalog order, and how many controls were compared.

    A constant number of statements. Raises LookupError when the system was not recorded
    by the moment.
    """
    pks = list(system.implementations.values_list("pk", flat=True))
    days = gather(system, pks, moment).facts
    windows = gather_period(system, pks, *window, moment)
    both = [Both(days[pk], windows[pk]) for pk in days if pk in windows]
    compared = (difference(facts, moment.on, *window) for facts in both)
    return [change for change in compared if change is not None], len(both)
