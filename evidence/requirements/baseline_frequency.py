"""How often a system's own baseline asks for each of its controls (R18)."""

from __future__ import annotations

from controls.models import BaselineControl, System
from evidence.requirements.odp_frequency import StatedFrequency, stated_frequency


def stated_for(system: System) -> dict[int, StatedFrequency]:
    """The cadence that the system's baseline states, by control pk (R18)."""
    rows = BaselineControl.objects.filter(baseline=system.baseline_id)
    parameters = rows.values_list("control_id", "parameters")
    return {
        pk: frequency
        for pk, values in parameters
        if (frequency := stated_frequency(values or {}))
    }
