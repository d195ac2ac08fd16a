"""What proves each required half of ours: the family's template, or a yearly one."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.db import transaction

from controls.deciding import PARTIES
from controls.models import AuditEvent, ControlImplementation, System
from controls.models.audit import about
from evidence.cadence import default_grace
from evidence.models import EvidenceRequirement
from evidence.models.requirements import RequirementOrigin

TEMPLATES = Path(__file__).parent / "reference" / "requirement_templates.csv"


@dataclass(frozen=True)
class Template:
    """One row of the shipped templates: for a control (`ac-2`) or a family (`ac`)."""

    applies_to: str
    title: str
    cadence: str
    purpose: str
    guidance: str
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


@transaction.atomic
def ask_for_all(system: System, *, by: Any, since: dt.date) -> int:
    """Give every required half of ours that has no requirement at least one.

    Returns how many were added; they operate from `since`. Nothing is removed.
    """
    unasked = (
        system.implementations.filter(requirements=None)
        .select_related("control")
        .order_by("pk")
    )
    added = [
        _requirement(implementation, since)
        for implementation in unasked
        if "customer" in PARTIES.get(implementation.responsibility, frozenset())
    ]
    if not added:
        return 0
    EvidenceRequirement.objects.bulk_create(added, batch_size=1000)
    AuditEvent.objects.append(
        about(system, "requirements.applied", by=by, requirements=len(added))
    )
    return len(added)


def _requirement(
    implementation: ControlImplementation, since: dt.date
) -> EvidenceRequirement:
    control = implementation.control
    template = template_for(control.ref_id, control.family)
    if template is None:
        template = Template(
            "", f"Proof of {control.label}", "yearly", "operation", "", ""
        )
    origin = RequirementOrigin.TEMPLATE if template.applies_to else None
    return EvidenceRequirement(
        system_id=implementation.system_id,
        implementation=implementation,
        title=template.title,
        guidance=template.guidance,
        cadence=template.cadence,
        cadence_source=template.cadence_source,
        purpose=template.purpose,
        grace_days=default_grace(template.cadence),
        operates_from=since,
        origin=origin or RequirementOrigin.IMPLIED,
    )
