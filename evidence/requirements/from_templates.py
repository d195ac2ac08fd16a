"""What proves each required half of ours: the family's template, or a yearly one."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.db import transaction

from controls.models import (
    Actor,
    AuditEvent,
    ControlImplementation,
    System,
)
from controls.models.audit import about
from controls.responsibility.decide import CONTROL_TEXTS
from controls.responsibility.rulings import PARTIES
from evidence.models import RequirementControl
from evidence.models.requirements import RequirementOrigin
from evidence.requirements.baseline_frequency import stated_for
from evidence.requirements.join_offers import join_before_saving, offers_among
from evidence.requirements.odp_frequency import (
    StatedFrequency,
    less_frequent,
)
from evidence.status.cadence import default_grace

TEMPLATES = Path(__file__).parents[1] / "reference" / "requirement_templates.csv"


@dataclass(frozen=True)
class Template:
    """One row of the shipped templates: for a control (`ac-2`) or a family (`ac`)."""

    applies_to: str
    title: str
    cadence: str
    purpose: str
    guidance: str
    good_proof: str
    cadence_source: str


@cache
def templates() -> dict[str, Template]:
    """The shipped templates by what they apply to."""
    with TEMPLATES.open(newline="", encoding="utf-8") as file:
        return {row["applies_to"]: Template(**row) for row in csv.DictReader(file)}


def template_for(ref_id: str, family: str) -> Template | None:
    """The control's own template, else its base's, else its family's."""
    known = templates()
    return known.get(ref_id) or known.get(ref_id.split(".")[0]) or known.get(family)


def proposed(
    system: System, *, since: dt.date, classes: Mapping[int, str] | None = None
) -> list[RequirementControl]:
    """The unsaved requirements that `ask_for_all` would add, in catalog order.

    `classes` are those of another day than today, by the key of the control there.
    """
    unasked = (
        system.implementations.filter(requirements=None)
        .select_related("control")
        .prefetch_related("owner_team")  # few teams own a thousand controls
        .defer(*CONTROL_TEXTS)
        .order_by("control__sort_order")
    )
    by_control = stated_for(system)
    slug = system.baseline.slug if system.baseline else ""
    return [
        _requirement(
            implementation,
            since,
            by_control.get(implementation.control_id),
            fedramp=slug.startswith("fedramp-"),
        )
        for implementation in unasked
        if "customer" in PARTIES.get(_class_of(implementation, classes), frozenset())
    ]


def _class_of(
    implementation: ControlImplementation, classes: Mapping[int, str] | None
) -> str:
    if classes is None:
        return implementation.responsibility
    return classes.get(implementation.pk, "")


@transaction.atomic
def ask_for_all(
    system: System, *, by: Actor, since: dt.date, joined: bool = False
) -> int:
    """Give every required half of ours that has no requirement at least one.

    Returns how many were added; they operate from `since`. Nothing is removed. `joined`
    puts what the shipped list joins under one ask each from the beginning.
    """
    System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    added = proposed(system, since=since)
    if not added:
        return 0
    if joined:
        join_before_saving(system, offers_among(added, stated_for(system)))
    RequirementControl.objects.add_with_asks(added)
    AuditEvent.objects.append(
        about(system, "requirements.applied", by=by, requirements=len(added))
    )
    return len(added)


@transaction.atomic
def ask_for_newly_ours(system: System, first_days: Mapping[int, dt.date]) -> int:
    """The same for controls whose half has become ours by the calendar alone, by key
    with the first day of that; nobody's act. How many were added."""
    unasked = proposed(system, since=system.window_start)
    added = [row for row in unasked if row.implementation_id in first_days]
    for row in added:
        first_day = first_days[row.implementation_id]
        row.operates_from = max(first_day, system.window_start)
    if not added:
        return 0
    RequirementControl.objects.add_with_asks(added)
    AuditEvent.objects.append(
        about(system, "requirements.applied", by=None, requirements=len(added))
    )
    return len(added)


def _requirement(
    implementation: ControlImplementation,
    since: dt.date,
    stated: StatedFrequency | None,
    *,
    fedramp: bool,
) -> RequirementControl:
    """An unsaved requirement by the best template, as often as the baseline asks.

    Its source is the control's own parameter in the system's own baseline, or none:
    a family's template lends its title and cadence, never its source (R18).
    """
    control = implementation.control
    template = template_for(control.ref_id, control.family)
    if template is None:
        title = f"Proof of {control.label}"
        template = Template("", title, "yearly", "operation", "", "", "")
    cadence, source = template.cadence, ""
    if stated:
        if less_frequent(cadence, stated.cadence):
            cadence = stated.cadence
        source = f"Parameter {stated.parameter}: {stated.text}"[:200]
    elif fedramp and template.applies_to == control.ref_id:
        source = template.cadence_source
    origin = RequirementOrigin.TEMPLATE if template.applies_to else None
    return RequirementControl(
        system_id=implementation.system_id,
        implementation=implementation,
        title=template.title,
        guidance=template.guidance,
        good_proof=template.good_proof,
        cadence=cadence,
        cadence_source=source,
        purpose=template.purpose,
        grace_days=default_grace(cadence),
        operates_from=since,
        origin=origin or RequirementOrigin.IMPLIED,
    )
