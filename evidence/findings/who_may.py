"""Who writes down what failed, who asks for its disposition, and who decides.

`may_...` answers, `require_...` raises NotPermitted; pages, the API and lists ask the
same functions.
"""

from __future__ import annotations

from collections.abc import Callable

from controls.access import is_officer, may_describe, require_describer, require_officer
from controls.errors import NotPermitted
from controls.models import Actor, ControlImplementation, Role, System
from evidence.artifacts.second_person import require_reviewer
from evidence.models import Disposition, FailingObservation, Finding
from evidence.models.authors import authors_of_revisions

HAD_A_HAND = (
    "You recorded this, asked for something to be made of it, or brought the evidence;"
    " somebody else must decide."
)


def may_record(system: System, by: Actor) -> bool:
    """Whether `by` writes down what failed: officers and auditors of the system."""
    if is_officer(by, system):
        return True
    audited = System.objects.held_as(by, [Role.AUDITOR])
    return bool(audited.filter(pk=system.pk).exists())


def require_recorder(system: System, by: Actor) -> None:
    """Raise NotPermitted unless `by` may write down what failed."""
    if not may_record(system, by):
        raise NotPermitted("Only officers and auditors of this system record this.")


def may_ask_for(subject: Finding | FailingObservation, by: Actor) -> bool:
    """Whether `by` may ask for a disposition: officers explain an observation; of a
    finding the team that owns the control asks as well."""
    if isinstance(subject, FailingObservation):
        return is_officer(by, subject.system)
    return may_describe(subject.implementation, by)


def require_asker(subject: Finding | FailingObservation, by: Actor) -> None:
    """Raise NotPermitted unless `by` may ask for a disposition."""
    if isinstance(subject, FailingObservation):
        require_officer(subject.system, by)
    else:
        require_describer(subject.implementation, by)


def hands_in(disposition: Disposition) -> set[int]:
    """Keys of the people who may not decide on it (R32): who recorded the subject or
    the observation behind it, who asked for anything to be made of it, and who had a
    hand in any revision of the evidence that closes it."""
    subject = disposition.subject
    hands = {subject.recorded_by_id}
    hands.update(subject.dispositions.values_list("requested_by_id", flat=True))
    if isinstance(subject, Finding) and subject.observation:
        hands.add(subject.observation.recorded_by_id)
    if disposition.link:
        evidence = disposition.link.revision.evidence
        revisions = set(evidence.revisions.values_list("pk", flat=True))
        hands.update(*authors_of_revisions(revisions).values())
    return hands


def require_decider(disposition: Disposition, *, by: Actor) -> None:
    """Raise NotPermitted unless `by` reviews for the system and had no hand in it."""
    hands = hands_in(disposition)
    require_reviewer(disposition.system, hands, by=by, sentence=HAD_A_HAND)


def may_decide(disposition: Disposition, *, by: Actor) -> bool:
    """Whether `by` may decide on it."""
    try:
        require_decider(disposition, by=by)
    except NotPermitted:
        return False
    return True


def may_respond_in(
    system: System, by: Actor
) -> Callable[[ControlImplementation], bool]:
    """Whether `by` may respond for a control of the system, as `may_describe` says,
    for many controls in two statements."""
    if is_officer(by, system):
        return lambda implementation: True
    roles = by.memberships.active().filter(system=system.pk, role=Role.CONTRIBUTOR)
    teams = set(roles.values_list("team_id", flat=True)) - {None}
    return lambda implementation: implementation.owner_team_id in teams
