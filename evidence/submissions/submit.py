"""From uploaded bytes to submitted links: all of it, or nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from controls.approvals import refuse_stale
from controls.errors import NotPermitted, Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent, ControlImplementation, System, Team
from controls.models.audit import Event, about
from evidence.models import (
    EvidenceLink,
    EvidenceRevision,
    LinkState,
    Proof,
    RequirementControl,
    SampleItem,
)
from evidence.models.asks import Cadence
from evidence.storage.failpoints import failpoint
from evidence.submissions.backdating import refuse_backdated
from evidence.submissions.quotas import count
from evidence.submissions.records import make_evidence, make_link, make_revision
from evidence.submissions.submission import (
    Submission,
    refuse_impossible_days,
    require_collector_in_system,
)
from evidence.submissions.uploads import Upload, keep_all, refuse_empty, were_brought
from evidence.submissions.who_may import (
    may_submit,
    require_reviser,
    require_submitter,
    require_withdrawer,
)


@dataclass(frozen=True)
class Proving:
    """What evidence is for: a requirement, or (supplementary) a control alone.

    `also` are further requirements it proves, each by a link of its own. `item` is the
    sampled event that the evidence for a per-event requirement is about.
    """

    requirement: RequirementControl | None = None
    implementation: ControlImplementation | None = None
    also: Sequence[RequirementControl] = ()
    item: SampleItem | None = None

    def further(self) -> list[RequirementControl]:
        """`also` without what it names twice, and without the requirement."""
        named = {also.pk: also for also in self.also if also != self.requirement}
        return list(named.values())


def submit(
    submission: Submission,
    uploads: Sequence[Upload],
    *,
    requirement: RequirementControl | None = None,
    implementation: ControlImplementation | None = None,
    also: Iterable[RequirementControl] = (),
    item: SampleItem | None = None,
    by: Actor,
    today: dt.date,
) -> EvidenceLink:
    """Record evidence with its files and hand it over for review, in one step.

    Returns the first link. Raises Refused for dates that cannot be and NotPermitted
    when a requirement is another team's.
    """
    proving = Proving(requirement, implementation, tuple(also), item)
    bring(submission, uploads, proving, by=by, today=today)
    return _recorded(submission, uploads, proving, by=by, today=today)


def bring(
    submission: Submission,
    uploads: Sequence[Upload],
    proving: Proving,
    *,
    by: Actor,
    today: dt.date,
) -> None:
    """Send the bytes to the store, unless there is reason to refuse the submission.

    Call it before a transaction begins; `submit` calls it for what was not sent yet.
    Raises what `submit` raises.
    """
    if were_brought(uploads):
        return
    _, team = _permitted(submission, uploads, proving, by=by, today=today)
    keep_all(uploads, team)


@transaction.atomic
def _recorded(
    submission: Submission,
    uploads: Sequence[Upload],
    proving: Proving,
    *,
    by: Actor,
    today: dt.date,
) -> EvidenceLink:
    links, events = submitted(submission, uploads, proving, by=by, today=today)
    revision = links[0].revision
    count([(revision.evidence.team, uploads)], revision.uploaded_at)
    AuditEvent.objects.append_all(events)
    failpoint("before-commit")
    return links[0]


def submitted(
    submission: Submission,
    uploads: Sequence[Upload],
    proving: Proving,
    *,
    by: Actor,
    today: dt.date,
) -> tuple[list[EvidenceLink], list[Event]]:
    """As `submit`, in a transaction whose last acts are to `count` and write events.

    `bring` has sent the bytes.
    """
    requirement = proving.requirement
    target, team = _permitted(submission, uploads, proving, by=by, today=today)
    evidence = make_evidence(submission, target.system, team, by)
    revision = make_revision(submission, evidence, uploads, by)
    draft = submission.draft
    first = make_link(revision, target, requirement, by, item=proving.item, draft=draft)
    links = [first]
    links += [
        make_link(revision, also.implementation, also, by, draft=draft)
        for also in proving.further()
    ]
    Proof.objects.begin([link.pk for link in links])
    event_body = {
        "digest": revision.digest,
        "performed_on": str(submission.performed_on),
        "files": [upload.stored.sha256 for upload in uploads],
    }
    verb = "evidence.drafted" if draft else "evidence.submitted"
    return links, [about(link, verb, by=by, **event_body) for link in links]


@transaction.atomic
def submit_draft(link: EvidenceLink, *, by: Actor, version: int | None = None) -> None:
    """Submit a draft for review; its team and the system's officers may.

    Raises NotPermitted, TransitionNotAllowed when it is no draft any more,
    StaleVersion.
    """
    require_reviser(link.revision.evidence, by=by)
    stored = EvidenceLink.objects.locked().get(pk=link.pk)
    if stored.state == LinkState.DRAFT:  # of all others `submit` says what they are
        refuse_stale(stored, version)
    link.submit(by=by)


@transaction.atomic
def submit_drafts(revision: EvidenceRevision, *, by: Actor) -> None:
    """Submit the drafts of one revision for review, for all its controls at once.

    Raises as `submit_draft`; TransitionNotAllowed too where none of them is a draft.
    """
    require_reviser(revision.evidence, by=by)
    # all are locked before the first event is written, so that nobody waits in a ring
    links = EvidenceLink.objects.locked().filter(revision=revision)
    drafts = [link for link in links if link.state == LinkState.DRAFT]
    if not drafts:
        raise TransitionNotAllowed("Only a draft can be submitted.")
    for link in drafts:
        link.submit(by=by)


def withdraw(
    link: EvidenceLink, *, by: Actor, reason: str, version: int | None = None
) -> None:
    """Take a link back; its team and the system's officers may, and reviewers where it
    is accepted.

    Raises NotPermitted for others, Refused without a reason, TransitionNotAllowed
    when the link is no longer in force, StaleVersion.
    """
    require_withdrawer(link, by=by)
    link.withdraw(by=by, reason=reason, version=version)


def provable_by(
    team: Team | None,
    system: System,
    today: dt.date,
    *,
    besides: RequirementControl | None = None,
) -> QuerySet[RequirementControl]:
    """What else a team is asked in a system today, in catalog order.

    Not what is asked per event: that is shown item by item.
    """
    of_team = RequirementControl.objects.for_listing().asked_of_team(team, today)
    provable = of_team.filter(system=system).exclude(cadence=Cadence.PER_EVENT)
    provable = provable.order_by("implementation__control__sort_order")
    return provable.exclude(pk=besides.pk) if besides else provable


def _permitted(
    submission: Submission,
    uploads: Sequence[Upload],
    proving: Proving,
    *,
    by: Actor,
    today: dt.date,
) -> tuple[ControlImplementation, Team]:
    """For which control, and in the name of which team. Raises as `submit` does."""
    requirement = proving.requirement
    target = requirement.implementation if requirement else proving.implementation
    if target is None:
        raise Refused("Say which requirement or control this is for.")
    refuse_empty(uploads)
    team = _team_for(requirement, target, by)
    _refuse_wrong_item(requirement, proving.item)
    refuse_impossible_days(submission, today)
    require_collector_in_system(submission, target.system)
    further = proving.further()
    for also in further:
        _require_further(also, target.system, by)
    refuse_backdated(
        submission, uploads, [requirement, *further] if requirement else []
    )
    return target, team


def _require_further(
    requirement: RequirementControl, system: System, by: Actor
) -> None:
    """Raise unless one may prove this with evidence of the system as well."""
    if requirement.system_id != system.pk:
        raise Refused("Evidence stays within its system.")
    team = requirement.owner_team or requirement.implementation.owner_team
    if not may_submit(requirement.implementation, team, by=by):
        raise NotPermitted(f"“{requirement}” is for {team or 'a team'} to prove.")


def _refuse_wrong_item(
    requirement: RequirementControl | None, item: SampleItem | None
) -> None:
    """Raise Refused for an item of another requirement's sample, TransitionNotAllowed
    for one of a list that counts no more."""
    if item is None:
        return
    if requirement is None or item.sample.population.requirement_id != requirement.pk:
        raise Refused("That item was sampled for another requirement.")
    item.refuse_ended()


def _team_for(
    requirement: RequirementControl | None, target: ControlImplementation, by: Actor
) -> Team:
    """The team in whose name `by` submits."""
    team = (requirement and requirement.owner_team) or target.owner_team
    if team is None:
        raise Refused("This control has no owner team yet: ask an officer to name one.")
    require_submitter(target, team, by=by)
    return team
