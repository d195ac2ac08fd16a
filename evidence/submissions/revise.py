"""Evidence changed after it was submitted: corrected, added to, used again (R17)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction
from django.db.models import F, Q

from controls.errors import Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent, ControlImplementation, System
from controls.models.audit import about
from evidence.models import (
    Evidence,
    EvidenceLink,
    EvidenceRevision,
    LinkState,
    Proof,
    RequirementControl,
)
from evidence.models.revisions import RevisionKind
from evidence.status.control_status import control_statuses, window_of
from evidence.status.gather import Moment
from evidence.status.what_if import Turn, turned
from evidence.submissions.quotas import count
from evidence.submissions.records import make_link, make_revision, period_performed
from evidence.submissions.submission import (
    Submission,
    refuse_impossible_days,
    require_collector_in_system,
)
from evidence.submissions.succession import Succession, links_of, succession_of
from evidence.submissions.uploads import Upload, keep_all, refuse_empty, were_brought
from evidence.submissions.who_may import require_reviser, require_submitter

ENDED = frozenset({LinkState.REJECTED, LinkState.WITHDRAWN, LinkState.VOID})


def revise(
    evidence: Evidence,
    submission: Submission,
    uploads: Sequence[Upload],
    *,
    kind: str,
    reason: str,
    by: Actor,
    today: dt.date,
) -> EvidenceRevision:
    """Add a revision with links for what `succession_of` says it continues.

    A correction voids what it replaces, from now on and visibly; an addition leaves
    it as it is. What it continues decides what is a draft, not `submission.draft`; a
    collector who is not named is the earlier one. Raises Refused, NotPermitted, and
    TransitionNotAllowed where it would be without a link.
    """
    if kind not in {RevisionKind.CORRECTION, RevisionKind.ADDITION}:
        raise Refused({"kind": "Say whether it corrects or adds."})
    if not reason.strip():
        raise Refused({"reason": "Say what it corrects or adds."})
    bring_revision(evidence, submission, uploads, by=by, today=today)
    return _recorded(
        evidence, submission, uploads, kind=kind, reason=reason, by=by, today=today
    )


def bring_revision(
    evidence: Evidence,
    submission: Submission,
    uploads: Sequence[Upload],
    *,
    by: Actor,
    today: dt.date,
) -> None:
    """Send the bytes to the store, unless there is reason to refuse the revision.

    Call it before a transaction begins; `revise` calls it for what was not sent yet.
    Raises what `revise` raises.
    """
    if were_brought(uploads):
        return
    require_reviser(evidence, by=by)
    refuse_empty(uploads)
    refuse_impossible_days(submission, today)
    _with_collector(submission, newest(evidence))
    succession_of(links_of(evidence)).refuse_empty()
    keep_all(uploads, evidence.team)


@transaction.atomic
def _recorded(
    evidence: Evidence,
    submission: Submission,
    uploads: Sequence[Upload],
    *,
    kind: str,
    reason: str,
    by: Actor,
    today: dt.date,
) -> EvidenceRevision:
    locked = Evidence.objects.select_for_update(of=("self",)).get(pk=evidence.pk)
    require_reviser(locked, by=by)
    refuse_impossible_days(submission, today)
    succession = succession_of(links_of(locked).select_for_update(of=("self",)))
    succession.refuse_empty()
    last = newest(locked)
    if kind == RevisionKind.ADDITION:
        _refuse_earlier_day(submission, last)
    revision = make_revision(
        _with_collector(submission, last),
        locked,
        uploads,
        by,
        number=last.number + 1,
        kind=kind,
        reason=reason.strip(),
    )
    voided = succession.replaced if kind == RevisionKind.CORRECTION else ()
    _void(voided)
    made = _continued(revision, succession, by)
    event_body = {"kind": kind, "reason": reason.strip(), "digest": revision.digest}
    events = [about(link, _verb(link), by=by, **event_body) for link in made]
    events += [about(link, "evidence.void", by=by, **event_body) for link in voided]
    events.append(about(locked, "evidence.revised", by=by, **event_body))
    count([(locked.team, uploads)], revision.uploaded_at)
    AuditEvent.objects.append_all(events)
    return revision


def if_corrected(succession: Succession, system: System, today: dt.date) -> list[Turn]:
    """What a correction would turn today, before it is reviewed. Changes nothing.

    The links that it replaces are voided and that is rolled back, so that the very
    rules answer.
    """
    if not succession.replaced:
        return []
    pks = sorted({link.implementation_id for link in succession.replaced})
    window = window_of(system)
    before = control_statuses(system, Moment(today), pks=pks, window=window)
    with transaction.atomic():
        _void(succession.replaced)
        after = control_statuses(system, Moment(today), pks=pks, window=window)
        transaction.set_rollback(True)
    return turned(before, after)


def _refuse_earlier_day(submission: Submission, last: EvidenceRevision) -> None:
    """Raise Refused for an addition that moves the day back: a correction says why."""
    if submission.performed_on < last.performed_on:
        raise Refused(
            {
                "performed_on": f"The earlier revision says {last.performed_on}. Only a"
                " correction names an earlier day: it says why, seen by the auditor."
            }
        )


def _with_collector(submission: Submission, last: EvidenceRevision) -> Submission:
    """The submission with the earlier revision's collector where it names none."""
    named = submission.collected_by
    if named is None or named == last.collected_by:
        return replace(submission, collected_by=last.collected_by)
    require_collector_in_system(submission, last.evidence.system)
    return submission


def _void(links: Sequence[EvidenceLink]) -> None:
    pks = [link.pk for link in links]
    EvidenceLink.objects.filter(pk__in=pks).update(
        state=LinkState.VOID, version=F("version") + 1
    )
    Proof.objects.follow_all(pks)


def _continued(
    revision: EvidenceRevision, succession: Succession, by: Actor
) -> list[EvidenceLink]:
    """The new revision's own links, each for what an earlier link was for."""
    made = [_again(revision, link, by) for link in succession.submitted]
    made += [_again(revision, link, by, draft=True) for link in succession.drafted]
    Proof.objects.begin([link.pk for link in made])
    return made


def _again(
    revision: EvidenceRevision, link: EvidenceLink, by: Actor, *, draft: bool = False
) -> EvidenceLink:
    return make_link(
        revision,
        link.implementation,
        link.requirement,
        by,
        item=link.sample_item,
        draft=draft,
    )


def _verb(link: EvidenceLink) -> str:
    draft = link.state == LinkState.DRAFT
    return "evidence.drafted" if draft else "evidence.submitted"


@transaction.atomic
def attach(
    revision: EvidenceRevision,
    *,
    requirement: RequirementControl | None = None,
    implementation: ControlImplementation | None = None,
    by: Actor,
) -> EvidenceLink:
    """Offer a revision for one more control of its system; touches no other link.

    Raises NotPermitted where the evidence or what is asked is another team's,
    TransitionNotAllowed where it is attached already or its bytes were removed.
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
    _refuse_removed(revision)
    link = make_link(revision, target, requirement, by)
    Proof.objects.follow(link)
    AuditEvent.objects.append(
        about(link, "evidence.submitted", by=by, digest=revision.digest)
    )
    return link


def _refuse_twice(
    revision: EvidenceRevision,
    target: ControlImplementation,
    requirement: RequirementControl | None,
) -> None:
    """One link answers one period: after a change of terms it may answer another."""
    occurrence, ends = period_performed(revision, requirement)
    same_period = Q(occurrence_ends=ends) | Q(occurrence_ends=None)
    attached = revision.links.filter(
        same_period,
        implementation=target,
        requirement=requirement,
        occurrence=occurrence,
    )
    before = attached.order_by("pk").last()
    if before is None:
        return
    if before.state in ENDED:
        raise TransitionNotAllowed(
            "This evidence is already attached there, and"
            f" {before.get_state_display().lower()}: correct it or add to it."
        )
    raise TransitionNotAllowed("This evidence is already attached there.")


def _refuse_removed(revision: EvidenceRevision) -> None:
    """Raise TransitionNotAllowed where a file's bytes were removed: nobody could see
    what the new link rests on."""
    for file in revision.files.select_related("blob", "revision__evidence"):
        if file.is_removed:
            raise TransitionNotAllowed(file.obstacle())


def newest(evidence: Evidence) -> EvidenceRevision:
    """The revision that counts now."""
    return evidence.revisions.order_by("-number")[0]


def locked_newest(evidence: Evidence) -> EvidenceRevision:
    """The revision that counts until this transaction ends: no other follows it."""
    Evidence.objects.select_for_update(of=("self",)).get(pk=evidence.pk)
    return newest(evidence)
