"""What exclusions rest on: the layers that are absent, and the class (R10)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F, Q, QuerySet

from controls.models import (
    ApplicabilityDecision,
    Basis,
    ControlImplementation,
    ResponsibilityDecision,
    System,
)
from controls.models.implementations import Applicability
from controls.models.requests import ExclusionState
from controls.responsibility.inputs import layers_of_controls
from controls.responsibility.timelines import Span

DECIDED = (ExclusionState.APPROVED, ExclusionState.ENDED)


def layers_in(basis: Basis) -> frozenset[str]:
    """The layers that some component brings to a control."""
    return frozenset(row["layer"] for row in basis.body)


def decision_on(
    implementation: ControlImplementation, day: dt.date
) -> ResponsibilityDecision | None:
    """The decision in force on a day as recorded now; None: nothing was decided."""
    rows = implementation.decisions.select_related("basis")
    return rows.filter(effective__contains=day).order_by("known_from", "pk").last()


def layers_absent(implementation: ControlImplementation, day: dt.date) -> list[str]:
    """The layers that the control governs and nothing in use brings on a day.

    What a request to leave it out is proposed to rest on, in alphabetical order.
    """
    control = implementation.control
    governed = layers_of_controls([control])[control.pk] or frozenset()
    decision = decision_on(implementation, day)
    present = layers_in(decision.basis) if decision else frozenset()
    return sorted(governed - present)


def exclusions_by_layers(system: System) -> QuerySet[ApplicabilityDecision]:
    """Decided exclusions of a system that name the layers they rest on."""
    rows = ApplicabilityDecision.objects.filter(
        implementation__system=system,
        state__in=DECIDED,
        starts_on__isnull=False,
        absent_layers__isnull=False,
    )
    exclusions: QuerySet[ApplicabilityDecision] = rows.select_related(
        "implementation"
    ).order_by("pk")
    return exclusions


def void_exclusions(
    exclusions: Iterable[ApplicabilityDecision],
    recorded: Mapping[int, list[Span[Any]]],
) -> None:
    """Write the first day from which each exclusion is void, where that changed.

    `recorded` are the rulings in force on each day, by implementation.
    """
    exclusions = list(exclusions)
    digests = {
        span.value.basis
        for exclusion in exclusions
        for span in recorded[exclusion.implementation_id]
        if span.value is not None
    }
    present = {
        basis.digest: layers_in(basis)
        for basis in Basis.objects.filter(digest__in=digests)
    }
    judged = _classes_judged(exclusions)
    for exclusion in exclusions:
        line = recorded[exclusion.implementation_id]
        day = _void_from(exclusion, line, judged[exclusion.pk], present)
        if day != exclusion.voided_from:
            exclusion.voided_from = day
            exclusion.version = F("version") + 1
            exclusion.save(update_fields=["voided_from", "version"])


def _classes_judged(
    exclusions: Iterable[ApplicabilityDecision],
) -> dict[int, str | None]:
    """The class that each exclusion was asked for under, by its key; None: unknown.

    That of the first decision with the basis which the request was judged on.
    """
    rows = ResponsibilityDecision.objects.filter(
        implementation__in={exclusion.implementation_id for exclusion in exclusions},
        basis__in={exclusion.basis_id for exclusion in exclusions},
    ).order_by("-known_from", "-pk")
    classes = {
        (control, basis): responsibility
        for control, basis, responsibility in rows.values_list(
            "implementation", "basis", "responsibility"
        )
    }
    return {
        exclusion.pk: classes.get((exclusion.implementation_id, exclusion.basis_id))
        for exclusion in exclusions
    }


def _void_from(
    exclusion: ApplicabilityDecision,
    line: list[Span[Any]],
    judged: str | None,
    present: Mapping[str, frozenset[str]],
) -> dt.date | None:
    """The first day of another class, or of a layer that was absent; None: none."""
    starts = exclusion.starts_on
    if starts is None:
        return None
    absent = frozenset(exclusion.absent_layers or ())
    for span in line:
        if span.end <= starts or span.value is None:
            continue
        other = judged is not None and span.value.responsibility != judged
        if other or present[span.value.basis] & absent:
            return max(span.start, starts)
    return None


def holds_on(
    exclusion: ApplicabilityDecision,
    day: dt.date,
    implementation: ControlImplementation | None = None,
) -> bool:
    """Whether a decided exclusion holds on a day, as is known now.

    One that names no layers rests on the basis in force today, and one that ended
    without a day holds no more (both are from before exclusions had days).
    """
    if exclusion.state not in DECIDED:
        return False
    if exclusion.state == ExclusionState.ENDED and exclusion.ended_on is None:
        return False
    if exclusion.absent_layers is None:
        decision = (implementation or exclusion.implementation).decision
        if decision is None or decision.basis_id != exclusion.basis_id:
            return False
    begun = exclusion.starts_on is None or exclusion.starts_on <= day
    return begun and day <= exclusion.last_day


def show_exclusions(system: System, today: dt.date) -> None:
    """Copy onto each control whether it is left out today, for lists; exclusions whose
    last day has passed by an end of two persons become ended."""
    overdue = ApplicabilityDecision.objects.filter(
        implementation__system=system,
        state=ExclusionState.APPROVED,
        ended_on__lte=today,
    )
    overdue.update(state=ExclusionState.ENDED, version=F("version") + 1)
    rows = ApplicabilityDecision.objects.filter(
        implementation__system=system,
        state__in=[*DECIDED, ExclusionState.REQUESTED],
    )
    shown: dict[int, Applicability] = {}
    for row in rows.select_related("implementation__decision").order_by("pk"):
        pk = row.implementation_id
        if holds_on(row, today):
            shown[pk] = Applicability.NOT_APPLICABLE
        elif row.state == ExclusionState.REQUESTED:
            shown.setdefault(pk, Applicability.REQUESTED)
    _copy(system, shown)


def _copy(system: System, shown: Mapping[int, Applicability]) -> None:
    for value in Applicability:
        pks = [pk for pk, applicability in shown.items() if applicability == value]
        named = Q(pk__in=pks)
        if value == Applicability.APPLICABLE:
            named = ~Q(pk__in=list(shown))
        rows = ControlImplementation.objects.filter(named, system=system)
        rows.exclude(applicability=value).update(applicability=value)
