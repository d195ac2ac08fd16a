"""Of which controls a provider's report expects something of us (R26)."""

from __future__ import annotations

import datetime as dt

from controls.models import System
from evidence.models import RequirementControl


def controls_expected_of_us(system: System, today: dt.date) -> frozenset[int]:
    """Keys of the controls of a system whose half a report makes ours on a day."""
    rows = RequirementControl.objects.expected_of_us([system], today)
    return frozenset(rows.values_list("implementation", flat=True))
