"""Evidence changed after it was submitted: corrected, added to, used again (R17)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F

from controls.errors import Refused, TransitionNotAllowed
from controls.models import AuditEvent, ControlImplementation
from controls.models.audit import about
from evidence.models import (
    Evidence,
    EvidenceLink,
    EvidenceRequirement,
    EvidenceRevision,
    LinkState,
    Proof,
)
from evidence.models.evidence import RevisionKind
from evidence.quotas import count
from evidence.submitting import (
    Submission,
    Upload,
    make_link,
    make_revision,
    refuse_empty,
    refuse_impossible_days,
    require_reviser,
    require_submitter,
)

STANDING = (LinkState.SUBMITTED, LinkState.ACCEPTED)


@transaction.atomic
def revise(
    evidence: Evidence,
    submission: Submission,
    uploads: Sequence[Upload],
    *,
    kind: str,
    reason: str,
    by: Any,
    today: dt.date,
) -> EvidenceRevision:
    """Add a revision and submit it for the controls that the evidence stands for.

    A correction voids what stands on earlier revisions, from now on and visibly; an
    addition leaves it as it is. Raises Refused, NotPermitted.
    """
    locked = Evidence.objects.select_for_update(of=("self",)).get(pk=evidence.pk)
    require_reviser(locked, by=by)
    if kind not in {RevisionKind.CORRECTION, RevisionKind.ADDITION}:
        raise Refused({"kind": "Say whether it corrects or adds."})
    if not reason.strip():
        raise Refused({"reason": "Say what it corrects or adds."})
    refuse_empty(uploads)
    refuse_impossible_days(submission, today)
    standing = _standing(locked)
    number = EvidenceRevision.objects.filter(evidence=locked).count() + 1
    revision = make_revision(
        submission,
        locked,
        uploads,
        by,
        number=number,
        kind=kind,
        reason=reason.strip(),
    )
    if kind == RevisionKind.CORRECTION:
        _void(standing)
    made = [_again(revision, link, by) for link in _one_per_control(standing)]
    Proof.objects.follow_all([link.pk for link in made])
    said = {"kind": kind, "reason": reason.strip(), "digest": revision.digest}
    events = [about(link, "evidence.submitted", by=by, **said) for link in made]
    if kind == RevisionKind.CORRECTION:
        events += [about(link, "evidence.void", by=by, **said) for link in standing]
    events.append(about(locked, "evidence.revised", by=by, **said))
    count([(locked.team, uploads)], revision.uploaded_at)
    AuditEvent.objects.append_all(events)
    return revision


def _standing(evidence: Evidence) -> list[EvidenceLink]:
    """Submitted and accepted links of all its revisions, locked in pk order."""
    return list(
        EvidenceLink.objects.select_for_update(of=("self",))
        .filter(revision__evidence=evidence, state__in=STANDING)
        .select_related(
            "revision__evidence",
            "implementation__control",
            "implementation__system",
            "requirement",
            "sample_item",
            "system",
        )
        .order_by("pk")
    )


def _void(links: Sequence[EvidenceLink]) -> None:
    pks = [link.pk for link in links]
    EvidenceLink.objects.filter(pk__in=pks).update(
        state=LinkState.VOID, version=F("version") + 1
    )
    Proof.objects.follow_all(pks)


def _one_per_control(links: Sequence[EvidenceLink]) -> list[EvidenceLink]:
    """The newest link of each control, requirement and sampled item."""
    newest_of = {
        (each.implementation_id, each.requirement_id, each.sample_item_id): each
        for each in links
    }
    return list(newest_of.values())


def _again(revision: EvidenceRevision, link: EvidenceLink, by: Any) -> EvidenceLink:
    return make_link(
        revision, link.implementation, link.requirement, by, item=link.sample_item
    )


@transaction.atomic
def attach(
    revision: EvidenceRevision,
    *,
    requirement: EvidenceRequirement | None = None,
    implementation: ControlImplementation | None = None,
    by: Any,
) -> EvidenceLink:
    """Offer a revision for one more control of its system; touches no other link.

    Raises NotPermitted where the evidence or what is asked is another team's,
    TransitionNotAllowed where it is attached already.
    """
    target = requirement.implementation if requirement else implementation
    evidence = revision.evidence
    require_reviser(evidence, by=by)
    if target is None or target.system_id != evidence.system_id:
        raise Refused("Evidence stays within its system.")
    team = (requirement and requirement.owner_team) or target.owner_team
    require_submitter(target, team, by=by)
    Evidence.objects.select_for_update(of=("self",)).get(pk=evidence.pk)
    _refuse_twice(revision, target, requirement)
    link = make_link(revision, target, requirement, by)
    Proof.objects.follow(link)
    AuditEvent.objects.append(
        about(link, "evidence.submitted", by=by, digest=revision.digest)
    )
    return link


def _refuse_twice(
    revision: EvidenceRevision,
    target: ControlImplementation,
    requirement: EvidenceRequirement | None,
) -> None:
    if revision.links.filter(implementation=target, requirement=requirement).exists():
        raise TransitionNotAllowed("This evidence is already attached there.")


def newest(evidence: Evidence) -> EvidenceRevision:
    """The revision that counts now."""
    return evidence.revisions.order_by("-number")[0]
