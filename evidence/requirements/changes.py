"""What is asked of our halves, tuned by officers: added, changed, retired."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models import F

from controls.access import require_officer
from controls.errors import Refused, StaleVersion, TransitionNotAllowed
from controls.models import Actor, AuditEvent, ControlImplementation, Team
from controls.models.audit import about
from evidence.models import RequirementControl
from evidence.models.requirements import RequirementOrigin
from evidence.requirements.from_templates import stated_for
from evidence.requirements.odp_frequency import less_frequent
from evidence.status.cadence import default_grace

STALE = "Somebody changed this requirement since you opened it. Look again."


@dataclass(frozen=True)
class NewTerms:
    """What an officer says about a requirement.

    `grace_days` None: the default of the cadence. `lead_days` None: the default.
    """

    title: str
    cadence: str
    purpose: str
    operates_from: dt.date
    guidance: str = ""
    good_proof: str = ""
    owner_team: Team | None = None
    grace_days: int | None = None
    lead_days: int | None = None
    rarer_because: str = ""

    def columns(self) -> dict[str, Any]:
        """The row's columns; the default grace filled in."""
        columns = asdict(self) | {"owner_team": self.owner_team}
        if self.grace_days is None:
            columns["grace_days"] = default_grace(self.cadence)
        return columns


def _refuse_less_frequent(
    implementation: ControlImplementation, terms: NewTerms
) -> None:
    """R18: less often than the baseline's own parameter needs a reason."""
    stated = stated_for(implementation.system).get(implementation.control_id)
    if stated is None or not less_frequent(terms.cadence, stated.cadence):
        return
    if not terms.rarer_because.strip():
        sentence = f"The baseline says “{stated.text}” ({stated.parameter})."
        raise Refused({"rarer_because": f"{sentence} Say why less often will do."})


@transaction.atomic
def add_requirement(
    implementation: ControlImplementation, terms: NewTerms, *, by: Actor
) -> RequirementControl:
    """Ask one more thing of our half of a control. Officers only."""
    require_officer(implementation.system, by)
    _refuse_less_frequent(implementation, terms)
    added = RequirementControl(
        system=implementation.system,
        implementation=implementation,
        origin=RequirementOrigin.LOCAL,
        **terms.columns(),
    )
    added.full_clean(exclude=["system", "implementation", "ask"])
    RequirementControl.objects.add_with_asks([added])
    AuditEvent.objects.append(
        about(added, "requirement.added", by=by, cadence=added.cadence)
    )
    return added


@transaction.atomic
def change_requirement(
    requirement: RequirementControl,
    terms: NewTerms,
    *,
    version: int | None,
    by: Actor,
) -> None:
    """Change what is asked. Links keep the days they were submitted with.

    Raises NotPermitted, StaleVersion, Refused by field.
    """
    stored = _locked(requirement, by)
    _refuse_stale(stored, version)
    _refuse_less_frequent(stored.implementation, terms)
    columns = terms.columns()
    changed = {n: v for n, v in columns.items() if getattr(stored, n) != v}
    if not changed:
        return
    before = {name: str(getattr(stored, name)) for name in changed}
    for name, value in changed.items():
        setattr(stored, name, value)
    stored.full_clean(exclude=["system", "implementation", "version"])
    stored.version = F("version") + 1
    stored.save(update_fields=[*changed, "version"])
    after = {name: str(value) for name, value in changed.items()}
    AuditEvent.objects.append(
        about(stored, "requirement.changed", by=by, before=before, after=after)
    )


@transaction.atomic
def retire_requirement(
    requirement: RequirementControl,
    *,
    until: dt.date,
    reason: str,
    by: Actor,
    version: int | None = None,
) -> None:
    """Stop asking from `until` on (the first day it is no longer asked).

    What was asked before stays asked for those days. A half whose last requirement
    is retired counts as missing (R11).
    """
    stored = _locked(requirement, by)
    if not reason.strip():
        raise Refused({"reason": "Say why it is no longer asked."})
    if stored.operates_until is not None:
        raise TransitionNotAllowed(f"It already ends on {stored.operates_until}.")
    _refuse_stale(stored, version)
    stored.operates_until = until
    stored.full_clean(exclude=["system", "implementation", "version"])
    stored.version = F("version") + 1
    stored.save(update_fields=["operates_until", "version"])
    AuditEvent.objects.append(
        about(
            stored,
            "requirement.retired",
            by=by,
            reason=reason.strip(),
            until=str(until),
        )
    )


def _refuse_stale(stored: RequirementControl, version: int | None) -> None:
    if version is not None and version != stored.version:
        raise StaleVersion(STALE)


def _locked(requirement: RequirementControl, by: Actor) -> RequirementControl:
    stored = (
        RequirementControl.objects.select_for_update(of=("self",))
        .select_related("system", "implementation__system", "implementation__control")
        .get(pk=requirement.pk)
    )
    require_officer(stored.system, by)
    return stored
