"""AWS's reports in our own words: registered, cited, and relied on after a review."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F

from controls.access import may_keep_register
from controls.errors import NotPermitted, Refused, StaleVersion, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.models import (
    Actor,
    AuditEvent,
    Control,
    ControlImplementation,
    Service,
    System,
)
from controls.models.audit import about
from controls.models.services import Provider
from evidence.models import (
    Artifact,
    ArtifactCoverage,
    ArtifactVersion,
    ContinuityLetter,
)
from evidence.models.artifacts import ArtifactVersionState, AssuranceKind

ONE_DAY = dt.timedelta(days=1)
OF_AWS = ("inherited", "shared")


REGION = re.compile(r"^(\*|[a-z]{2}(-[a-z]+)+-\d)$")


def require_registrar(by: Actor) -> None:
    """Raise NotPermitted unless `by` keeps the register."""
    if not may_keep_register(by):
        raise NotPermitted("Only a registrar of reports may change the register.")


@transaction.atomic
def register_artifact(*, by: Actor, **fields: Any) -> Artifact:
    """Save a new series of reports. Raises ValidationError and NotPermitted."""
    require_registrar(by)
    artifact = Artifact(registered_by=by, **fields)
    artifact.full_clean()
    artifact.save(force_insert=True)
    AuditEvent.objects.append(about(artifact, "artifact.registered", by=by))
    return artifact


@transaction.atomic
def register_version(
    artifact: Artifact,
    *,
    starts: dt.date,
    ends: dt.date | None,
    services: Sequence[str],
    regions: Sequence[str] = (),
    by: Actor,
    **fields: Any,
) -> ArtifactVersion:
    """Save one report of a series; `services` are slugs, `ends` its last day.

    "*" stands for all services or regions. Until somebody else has reviewed it,
    nothing rests on it. Raises NotPermitted, ValidationError by field.
    """
    require_registrar(by)
    Artifact.objects.select_for_update(of=("self",)).get(pk=artifact.pk)
    version = ArtifactVersion(
        artifact=artifact,
        registered_by=by,
        starts=starts,
        until=ends + ONE_DAY if ends else None,
        service_slugs=sorted(set(services)),
        regions=region_names(regions),
        **fields,
    )
    known = _known_services(version.service_slugs)
    _refuse_days_to_come(artifact, ends)
    version.full_clean()
    version.save(force_insert=True)
    version.services.set(known)
    AuditEvent.objects.append(
        about(
            version,
            "artifact-version.registered",
            by=by,
            starts=str(starts),
            ends=str(ends or ""),
            services=version.service_slugs,
            regions=version.regions,
        )
    )
    return version


def _refuse_days_to_come(artifact: Artifact, ends: dt.date | None) -> None:
    """A report over a period is written after it: no auditor saw days to come."""
    if artifact.kind == AssuranceKind.PERIOD and ends and ends > _today():
        raise Refused(
            {"ends": f"A report cannot speak of days to come: it ends on {ends}."}
        )


def _today() -> dt.date:
    """Today in UTC: reports belong to the installation, not to one system."""
    return knowledge_now().astimezone(dt.UTC).date()


def region_names(texts: Sequence[str]) -> list[str]:
    """The names, each once. Raises Refused for what is not one; "*" is all."""
    names = sorted(set(texts))
    wrong = [name for name in names if not REGION.match(name)]
    if wrong:
        raise Refused({"regions": f"Not a region name: {', '.join(wrong[:5])}."})
    return names


def _known_services(slugs: Sequence[str]) -> list[Service]:
    """AWS's services by slug. Raises Refused for a name nobody knows; "*" is all."""
    named = set(slugs) - {"*"}
    services = list(Service.objects.filter(slug__in=named, provider=Provider.AWS))
    unknown = named - {service.slug for service in services}
    if unknown:
        sentence = f"Not a service of AWS: {', '.join(sorted(unknown)[:5])}."
        raise Refused({"services": sentence})
    return services


@transaction.atomic
def end_version(
    version: ArtifactVersion,
    *,
    state: str,
    on: dt.date,
    by: Actor,
    seen_version: int | None = None,
) -> None:
    """Record that the provider withdrew or revoked a report from a day on.

    Raises TransitionNotAllowed when that was recorded before.
    """
    require_registrar(by)
    stored = ArtifactVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
    if stored.state != ArtifactVersionState.ACTIVE:
        raise TransitionNotAllowed(
            f"This report is already {stored.get_state_display().lower()}."
        )
    if seen_version is not None and seen_version != stored.version:
        raise StaleVersion("This report changed since you opened it. Look again.")
    if state not in {ArtifactVersionState.WITHDRAWN, ArtifactVersionState.REVOKED}:
        raise Refused({"state": "Say whether it was withdrawn or revoked."})
    stored.state, stored.ended_on = state, on
    stored.validate_constraints()
    stored.version = F("version") + 1
    stored.save(update_fields=["state", "ended_on", "version"])
    AuditEvent.objects.append(
        about(version, f"artifact-version.{state}", by=by, on=str(on))
    )
    version.refresh_from_db()


@transaction.atomic
def add_letter(
    version: ArtifactVersion, *, issued_on: dt.date, ends: dt.date, by: Actor
) -> ContinuityLetter:
    """Save a letter that continues a report from the day after it, until `ends`.

    Systems that have reviewed the report count none of its days until a second person
    has accepted it there (R24).
    """
    require_registrar(by)
    report = ArtifactVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
    if report.until is None:
        raise Refused("A letter continues a report that has an end; this one has none.")
    if issued_on > _today():
        raise Refused({"issued_on": f"The letter is not issued before {issued_on}."})
    letter = ContinuityLetter(
        artifact_version=report,
        registered_by=by,
        issued_on=issued_on,
        starts=report.until,
        until=ends + ONE_DAY,
    )
    letter.full_clean()
    letter.save(force_insert=True)
    AuditEvent.objects.append(
        about(letter, "letter.added", by=by, report=str(report.uuid), ends=str(ends))
    )
    return letter


def controls_of_aws(
    system: System, family: str = "", ref_ids: Sequence[str] | None = None
) -> list[Control]:
    """The controls of a system in which AWS has a half; of one family, these, or all.

    Raises Refused naming those of `ref_ids` that are not in the system or not AWS's.
    """
    if family and not Control.objects.filter(family=family).exists():
        raise Refused({"family": f"There is no family “{family}” of controls."})
    implementations = ControlImplementation.objects.matching(family=family).filter(
        system=system, responsibility__in=OF_AWS
    )
    if ref_ids is not None:
        implementations = implementations.filter(control__ref_id__in=ref_ids)
    controls = Control.objects.filter(implementations__in=implementations).order_by(
        "sort_order"
    )
    wrong = sorted(set(ref_ids or ()) - {control.ref_id for control in controls})
    if wrong:
        sentence = f"AWS has no half of these here: {', '.join(wrong[:20])}."
        raise Refused({"control_ids": sentence})
    return list(controls)


@transaction.atomic
def cite(
    artifact: Artifact, controls: Iterable[Control], *, citation: str = "", by: Actor
) -> int:
    """Offer a series as proof of AWS's half of many controls, in one act.

    Returns how many were added; controls that cite it already stay as they are.
    """
    require_registrar(by)
    Artifact.objects.select_for_update(of=("self",)).get(pk=artifact.pk)
    known = set(artifact.coverage.values_list("control_id", flat=True))
    added = [control for control in controls if control.pk not in known]
    if not added:
        return 0
    ArtifactCoverage.objects.bulk_create(
        ArtifactCoverage(
            artifact=artifact, control=control, cited_by=by, citation=citation.strip()
        )
        for control in added
    )
    AuditEvent.objects.append(
        about(
            artifact,
            "artifact.cited",
            by=by,
            citation=citation.strip(),
            controls=[control.ref_id for control in added],
        )
    )
    return len(added)


@transaction.atomic
def remove_citation(coverage: ArtifactCoverage, *, by: Actor) -> None:
    """Stop offering a series for a control; what was said before stays on record."""
    require_registrar(by)
    stored = (
        ArtifactCoverage.objects.select_for_update(of=("self",))
        .select_related("artifact", "control")
        .get(pk=coverage.pk)
    )
    event = about(
        stored.artifact, "citation.removed", by=by, control=stored.control.ref_id
    )
    stored.delete()
    AuditEvent.objects.append(event)
