"""After a change of services: which controls it moved, and what needs a person."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.contrib import messages

from controls.grammar import count_of
from controls.models import ApplicabilityDecision, System
from evidence.status.control_status import control_statuses, today_of
from evidence.status.gather import Moment
from srm_project.requests import SignedInRequest

MAX_NAMED = 12


@dataclass(frozen=True)
class ControlsNow:
    """By label: today's class, and the first day on which *not applicable* is void;
    and which are proven today."""

    classes: dict[str, str]
    void_from: dict[str, dt.date | None]
    proven: frozenset[str]


def controls_now(system: System) -> ControlsNow:
    """What the controls of the system are before or after a change."""
    rows = system.implementations.order_by("control__sort_order")
    voided = ApplicabilityDecision.objects.filter(
        implementation__system=system, voided_from__isnull=False
    ).order_by("implementation__control__sort_order")
    return ControlsNow(
        dict(rows.values_list("control__label", "responsibility")),
        dict(voided.values_list("implementation__control__label", "voided_from")),
        frozenset(
            str(answer.implementation["label"])
            for answer in control_statuses(system, Moment(today_of(system), None))
            if answer.status.verdict == "proven"
        ),
    )


def say_what_changed(
    request: SignedInRequest, system: System, before: ControlsNow
) -> None:
    """Name the controls whose class is another one today than before the change, those
    that are proven no more, and those that apply again, for which somebody has to
    decide."""
    after = controls_now(system)
    moved = [
        f"{label} {before.classes[label]} → {after.classes[label]}"
        for label in after.classes
        if before.classes.get(label) and before.classes[label] != after.classes[label]
    ]
    if moved:
        shown = ", ".join(moved[:MAX_NAMED]) + (", …" if len(moved) > MAX_NAMED else "")
        controls = count_of(len(moved), "control", "has")
        messages.success(request, f"Saved. {controls} another class: {shown}.")
    else:
        messages.success(request, "Saved. No control has another class today.")
    lost = [label for label in after.classes if label in before.proven - after.proven]
    if lost:
        shown = ", ".join(lost[:MAX_NAMED]) + (", …" if len(lost) > MAX_NAMED else "")
        controls = count_of(len(lost), "control", "is")
        messages.warning(
            request,
            f"{controls} not proven any more: {shown}. Each says why on its page: proof"
            " of ours to confirm for new duties, or a provider's report that does not"
            " speak of what is in use now.",
        )
    voided = [
        f"{label} from {day}"
        for label, day in after.void_from.items()
        if before.void_from.get(label) != day
    ]
    if voided:
        controls = count_of(len(voided), "control", "is")
        messages.warning(
            request,
            f"{controls} no longer left out as not applicable, since the change brings"
            f" what was absent: {', '.join(voided)}. Bring proof, or ask for it anew on"
            " the page of the control.",
        )
