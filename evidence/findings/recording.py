"""Writing down what failed: an observation, or a finding."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from controls.access import is_officer
from controls.approvals import known_today
from controls.control_parts import parts_of
from controls.engagement_scope import scopes_of
from controls.errors import Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent, ControlImplementation, Engagement
from controls.models.audit import about
from evidence.findings.who_may import require_recorder
from evidence.models import FailingObservation, Finding
from evidence.status.clock_parameters import MIN_DAY

NOT_YET = "It cannot have been seen on a day that has not come yet."
OUT_OF_SCOPE = (
    "{control} is out of the scope of your audit: you write down nothing about it here."
    " Ask an officer to add it to the audit."
)
OTHER_CONTROL = "That observation is of another control."


def lock_control(implementation: ControlImplementation) -> ControlImplementation:
    """The row whose lock orders everything that is written down about a control:
    observations and findings themselves are never changed, nor locked."""
    rows = ControlImplementation.objects.select_for_update(of=("self",))
    return rows.select_related("system", "control").get(pk=implementation.pk)


def outside_of_audits(
    implementations: Sequence[ControlImplementation], *, by: Actor
) -> frozenset[int]:
    """Keys of those controls, all of one system, that are in the scope of none of the
    audits of `by`; of an officer none is. At most three statements."""
    if not implementations or is_officer(by, implementations[0].system):
        return frozenset()
    system = implementations[0].system_id
    audits = Engagement.objects.audited_by(by).filter(system=system)
    scopes = scopes_of(list(audits.values_list("pk", flat=True))).values()
    return frozenset(
        one.pk
        for one in implementations
        if not any(one.control.ref_id in scope for scope in scopes)
    )


def refuse_outside_of_audits(
    implementations: Sequence[ControlImplementation], *, by: Actor
) -> None:
    """Raise Refused for an auditor where a control, all of one system, is in the scope
    of none of their audits."""
    outside = outside_of_audits(implementations, by=by)
    for one in implementations:
        if one.pk in outside:
            raise Refused(OUT_OF_SCOPE.format(control=one.control.label))


@transaction.atomic
def record_observation(
    implementation: ControlImplementation,
    *,
    source: str,
    text: str,
    observed_on: dt.date,
    part: str = "",
    by: Actor,
) -> FailingObservation:
    """Write down that a control, or its `part`, was seen to fail on a day.

    From that day on it contradicts the evidence until something is made of it. Raises
    NotPermitted, Refused for a day to come or a part that is none, ValidationError.
    """
    control = lock_control(implementation)
    require_recorder(control.system, by)
    refuse_outside_of_audits([control], by=by)
    observation = FailingObservation(
        system=control.system,
        implementation=control,
        recorded_by=by,
        part=_part_of(control, part),
        source=source.strip(),
        text=text.strip(),
        observed_on=_past_day(control, observed_on, "observed_on"),
        recorder_name=str(by),
    )
    observation.full_clean()
    observation.save(force_insert=True)
    AuditEvent.objects.append(
        about(
            observation,
            "observation.recorded",
            by=by,
            control=control.control.ref_id,
            part=observation.part,
            observed_on=observed_on,
        )
    )
    return observation


@transaction.atomic
def record_finding(
    implementation: ControlImplementation,
    *,
    title: str,
    text: str,
    severity: str,
    source: str = "",
    found_on: dt.date | None = None,
    part: str = "",
    observation: FailingObservation | None = None,
    by: Actor,
) -> Finding:
    """Write a finding, which is open from the day it was found on.

    Of an observation it takes the day, so that nothing becomes due later, and whatever
    of part and source is not given. Raises NotPermitted, Refused, ValidationError,
    TransitionNotAllowed where a finding was written from the observation already.
    """
    control = lock_control(implementation)
    require_recorder(control.system, by)
    refuse_outside_of_audits([control], by=by)
    if observation is not None:
        if observation.implementation_id != control.pk:
            raise Refused({"observation": OTHER_CONTROL})
        if Finding.objects.filter(observation=observation).exists():
            raise TransitionNotAllowed("A finding was written from it already.")
        found_on = observation.observed_on
        part = part or observation.part
        source = source.strip() or observation.source
    if found_on is None:
        raise Refused({"found_on": "Say on which day it was found."})
    finding = Finding(
        system=control.system,
        implementation=control,
        observation=observation,
        recorded_by=by,
        part=_part_of(control, part),
        title=title.strip(),
        text=text.strip(),
        source=source.strip(),
        severity=severity,
        found_on=_past_day(control, found_on, "found_on"),
        recorder_name=str(by),
    )
    finding.full_clean()
    finding.save(force_insert=True)
    AuditEvent.objects.append(
        about(
            finding,
            "finding.recorded",
            by=by,
            control=control.control.ref_id,
            part=finding.part,
            severity=severity,
            found_on=finding.found_on,
            observation=str(observation.uuid) if observation else "",
        )
    )
    return finding


def _part_of(implementation: ControlImplementation, part: str) -> str:
    parts = {known.statement_id for known in parts_of(implementation.control)}
    if part and part not in parts:
        raise Refused({"part": "That is not a part of this control."})
    return part


def _past_day(
    implementation: ControlImplementation, day: dt.date, field: str
) -> dt.date:
    if day > known_today(implementation.system):
        raise Refused({field: NOT_YET})
    if day < MIN_DAY:
        raise Refused({field: f"Name a day from {MIN_DAY} on."})
    return day
