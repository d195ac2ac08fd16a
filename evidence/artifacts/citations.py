"""What a system cites a series for: cited by its officers, proposed by coverage (R24).

A citation belongs to one system and moves nothing in another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.db import transaction
from django.db.models import QuerySet

from controls.access import require_officer
from controls.errors import NotPermitted, Refused
from controls.history.clock import knowledge_now
from controls.models import Actor, AuditEvent, Control, ControlImplementation, System
from controls.models.audit import Event, about, chain_of
from evidence.artifacts.coverage import confirmed_lines, places_by_control
from evidence.models import Artifact, ArtifactCoverage, Citation
from evidence.models.artifacts import AWS
from evidence.status.gather import Moment, gather

MAX_CITATION = 300  # characters
OF_PROVIDERS = ("inherited", "shared")


def systems_to_cite_in(user: Actor) -> QuerySet[System]:
    """Systems whose citations a person may change: those they are an officer of."""
    if user.is_superuser:
        return System.objects.visible_to(user)
    return System.objects.officered_by(user)


def require_citer(by: Actor) -> None:
    """Raise NotPermitted unless `by` may cite in some system."""
    if not (by.is_active and systems_to_cite_in(by).exists()):
        raise NotPermitted("Only a compliance officer cites a report for a system.")


def controls_of_provider(
    artifact: Artifact,
    system: System,
    family: str = "",
    ref_ids: Sequence[str] | None = None,
) -> list[Control]:
    """The controls of a system in which the artifact's provider has a half.

    Of one family, those of `ref_ids`, or all. Raises Refused naming those of `ref_ids`
    that are not in the system or not the provider's, and for a provider that provides
    nothing there.
    """
    if family and not Control.objects.filter(family=family).exists():
        raise Refused({"family": f"There is no family “{family}” of controls."})
    implementations = ControlImplementation.objects.matching(family=family).filter(
        system=system, responsibility__in=OF_PROVIDERS
    )
    if artifact.provider_slug != AWS:
        implementations = implementations.filter(
            pk__in=_of_third_party(artifact, system, implementations)
        )
    if ref_ids is not None:
        implementations = implementations.filter(control__ref_id__in=ref_ids)
    controls = Control.objects.filter(implementations__in=implementations).order_by(
        "sort_order"
    )
    wrong = sorted(set(ref_ids or ()) - {control.ref_id for control in controls})
    if wrong:
        sentence = (
            f"{artifact.provider} has no half of these here: {', '.join(wrong[:20])}."
        )
        raise Refused({"control_ids": sentence})
    return list(controls)


def _of_third_party(
    artifact: Artifact,
    system: System,
    implementations: QuerySet[ControlImplementation],
) -> list[int]:
    """Keys of those in which a provider other than AWS is a party."""
    pks = list(implementations.values_list("pk", flat=True))
    facts = gather(system, pks, Moment(system.day_of(knowledge_now()))).facts
    providers = {
        pk: {need.provider: need.provider_name for need in row.aws.needed}
        for pk, row in facts.items()
        if row.aws
    }
    mine = [pk for pk, of in providers.items() if artifact.provider_slug in of]
    if not mine:
        named = {name for of in providers.values() for name in of.values()} - {"AWS"}
        known = f" Providers beside AWS: {', '.join(sorted(named))}." if named else ""
        raise Refused(f"{artifact.provider} provides nothing in {system}.{known}")
    return mine


def proposed_controls(artifact: Artifact, system: System) -> list[Control]:
    """Controls of the provider here that the series speaks to, or that other systems
    cite it for, and this one does not yet (R24). Raises Refused as the one above."""
    controls = controls_of_provider(artifact, system)
    elsewhere = Citation.objects.filter(artifact=artifact).exclude(system=system)
    of_series = ArtifactCoverage.objects.filter(artifact=artifact)
    lines = confirmed_lines(artifact)
    spoken_to = {
        pk
        for rows in (elsewhere, of_series, lines)
        for pk in rows.values_list("control", flat=True)
    }
    here = set(
        Citation.objects.filter(artifact=artifact, system=system).values_list(
            "control", flat=True
        )
    )
    return [c for c in controls if c.pk in spoken_to and c.pk not in here]


@transaction.atomic
def cite(
    artifact: Artifact,
    system: System,
    controls: Iterable[Control],
    *,
    citation: str = "",
    by: Actor,
) -> int:
    """Offer a series as proof of its provider's half of many controls of one system.

    Returns how many were added; controls that cite it already stay as they are. Without
    a `citation` each says where the coverage of its reports has it. Raises NotPermitted
    for others than officers of the system.
    """
    require_officer(system, by)
    Artifact.objects.select_for_update(of=("self",)).get(pk=artifact.pk)
    cited = Citation.objects.filter(artifact=artifact, system=system)
    known = set(cited.values_list("control_id", flat=True))
    added = [control for control in controls if control.pk not in known]
    if not added:
        return 0
    text, places = citation.strip(), {}
    if not text:
        places = places_by_control(artifact, [control.pk for control in added])
    Citation.objects.bulk_create(
        Citation(
            system=system,
            artifact=artifact,
            control=control,
            cited_by=by,
            citation=text or places.get(control.pk, "")[:MAX_CITATION],
        )
        for control in added
    )
    event = about(
        artifact,
        "artifact.cited",
        by=by,
        system=system.slug,
        citation=citation.strip(),
        controls=[control.ref_id for control in added],
    )
    AuditEvent.objects.append(_of_system(event, system))
    return len(added)


def _of_system(event: Event, system: System) -> Event:
    """An event about a series on the chain of the system whose proof it moves."""
    return replace(event, chain=chain_of(system))


@transaction.atomic
def remove_citation(citation: Citation, *, by: Actor) -> None:
    """Stop offering a series for a control of a system; what was so stays on record."""
    stored = (
        Citation.objects.select_for_update(of=("self",))
        .select_related("artifact", "control", "system")
        .get(pk=citation.pk)
    )
    require_officer(stored.system, by)
    event = about(
        stored.artifact,
        "citation.removed",
        by=by,
        system=stored.system.slug,
        control=stored.control.ref_id,
    )
    stored.delete()
    AuditEvent.objects.append(_of_system(event, stored.system))
