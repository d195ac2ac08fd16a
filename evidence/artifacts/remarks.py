"""What reports say that a system has to answer or to do.

A registrar writes down a carved-out subservice organisation, an exception, or a control
expected of users, in own words (R20, R24, R26, R27).
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet

from controls.control_ids import label_of, normalised_id
from controls.errors import Refused
from controls.models import Actor, AuditEvent, Control, System
from controls.models.audit import about
from controls.provider_names import provider_slug
from controls.responsibility.derive import LAYERS
from evidence.artifacts.register import refuse_withdrawn, require_registrar
from evidence.models import (
    ArtifactVersion,
    RemarkKind,
    ReportRemark,
)


@transaction.atomic
def register_remark(
    version: ArtifactVersion,
    *,
    kind: str,
    title: str,
    text: str = "",
    layers: Sequence[str] = (),
    control_ids: Sequence[str] = (),
    by: Actor,
) -> ReportRemark:
    """Save what a report says. `layers` are those that a subservice organisation runs,
    `control_ids` what an exception or a user control touches.

    Raises NotPermitted, TransitionNotAllowed for a report that its auditor withdrew,
    ValidationError by field.
    """
    require_registrar(by)
    reports = ArtifactVersion.objects.select_for_update(of=("self",))
    refuse_withdrawn(reports.get(pk=version.pk), "nothing is added to it")
    subservice = kind == RemarkKind.SUBSERVICE
    remark = ReportRemark(
        artifact_version=version,
        registered_by=by,
        kind=kind,
        title=title.strip(),
        text=text.strip(),
        provider_slug=provider_slug(title) if subservice else "",
        layers=_layers(layers) if subservice else [],
        control_ids=[] if subservice else _controls(control_ids),
    )
    if subservice and remark.provider_slug == version.artifact.provider_slug:
        raise Refused({"title": "That is the provider whose report it is."})
    remark.full_clean()
    remark.save(force_insert=True)
    AuditEvent.objects.append(
        about(
            remark,
            "remark.registered",
            by=by,
            report=str(version.uuid),
            kind=kind,
            layers=remark.layers,
            controls=remark.control_ids,
        )
    )
    return remark


def _layers(named: Sequence[str]) -> list[str]:
    unknown = sorted(set(named) - set(LAYERS))
    if unknown:
        raise Refused({"layers": f"This is not a layer: {', '.join(unknown[:5])}."})
    if not named:
        raise Refused({"layers": "Tick what the subservice organisation runs."})
    return [layer for layer in LAYERS if layer in named]


def _controls(named: Sequence[str]) -> list[str]:
    written = [ref.strip().lower() for ref in named if ref.strip()]
    ref_ids = list(dict.fromkeys(normalised_id(ref) or ref for ref in written))
    if not ref_ids:
        raise Refused({"control_ids": "Name the controls that it touches."})
    known = Control.objects.filter(ref_id__in=ref_ids)
    unknown = sorted(set(ref_ids) - set(known.values_list("ref_id", flat=True)))
    if unknown:
        verb = "is no control" if len(unknown) == 1 else "are no controls"
        named_here = ", ".join(label_of(ref) for ref in unknown[:5])
        raise Refused({"control_ids": f"{named_here} {verb} of the catalog."})
    return ref_ids


def user_controls_of(
    ref_id: str, user: Actor, system: System
) -> QuerySet[ReportRemark]:
    """What reports that the user may read still expect of a system for a control."""
    mine: QuerySet[ReportRemark] = ReportRemark.objects.visible_to(user)
    binding: QuerySet[ReportRemark] = ReportRemark.objects.binding(system.pk)
    return mine.filter(pk__in=binding, control_ids__contains=[ref_id])
