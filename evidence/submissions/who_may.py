"""Who may submit, revise and withdraw evidence: its team and the officers; reviewers
take acceptances back.

`may_...` answers, `require_...` raises NotPermitted; pages, the API and lists ask the
same functions. The lists are `RequirementControl.objects.submittable_by` and
`Evidence.objects.revisable_by`.
"""

from __future__ import annotations

from django.db.models import Q

from controls.errors import NotPermitted
from controls.models import Actor, ControlImplementation, Role, System, Team
from controls.models.held_roles import held_roles
from evidence.models import Evidence, EvidenceLink, LinkState, RequirementControl


def may_submit(
    target: ControlImplementation | Evidence, team: Team | None, *, by: Actor
) -> bool:
    """Whether `by` acts for this team, or is an officer, in the target's system."""
    if by.is_superuser:
        return bool(by.is_active)
    read = held_roles(by)
    if read is not None:
        return any(
            one.role == Role.OFFICER
            or (
                one.role == Role.CONTRIBUTOR
                and team is not None
                and one.team == team.pk
            )
            for one in read
            if one.system == target.system_id
        )
    held = Q(role=Role.OFFICER)
    if team is not None:
        held |= Q(role=Role.CONTRIBUTOR, team=team)
    roles = by.memberships.active().filter(held, system_id=target.system_id)
    return bool(roles.exists())


def require_submitter(
    target: ControlImplementation, team: Team | None, *, by: Actor
) -> None:
    """Raise NotPermitted unless `by` may prove, for this team, what is asked."""
    if not may_submit(target, team, by=by):
        raise NotPermitted(
            f"This is for {team or 'a team'} to prove; you are not in that team."
        )


def may_submit_for(requirement: RequirementControl, *, by: Actor) -> bool:
    """Whether `by` may prove what is asked: its team, else the control's; officers."""
    team = requirement.owner_team or requirement.implementation.owner_team
    return may_submit(requirement.implementation, team, by=by)


def may_revise(evidence: Evidence, *, by: Actor) -> bool:
    """Whether `by` may correct, add to, attach or withdraw evidence, or submit it."""
    return may_submit(evidence, evidence.team, by=by)


def require_reviser(evidence: Evidence, *, by: Actor) -> None:
    """Raise NotPermitted unless the evidence is of one's team, or one is officer."""
    if not may_revise(evidence, by=by):
        raise NotPermitted(
            f"This belongs to {evidence.team}; you are not in that team."
        )


def withdraws_acceptances(system: System, *, by: Actor) -> bool:
    """Whether `by` reviews in a system, and so may take an acceptance back (R17)."""
    held = System.objects.held_as(by, [Role.REVIEWER])
    return bool(held.filter(pk=system.pk).exists())


def require_withdrawer(link: EvidenceLink, *, by: Actor) -> None:
    """Raise NotPermitted unless `by` is of the evidence's team, or an officer; what is
    accepted a reviewer may withdraw too."""
    evidence = link.revision.evidence
    if may_revise(evidence, by=by):
        return
    if link.state != LinkState.ACCEPTED:
        raise NotPermitted(
            f"Only {evidence.team} or a compliance officer may withdraw this."
        )
    if not withdraws_acceptances(link.system, by=by):
        raise NotPermitted(
            f"Only {evidence.team}, a reviewer or a compliance officer may withdraw"
            " this."
        )


def submits_in(system: System, *, by: Actor) -> bool:
    """Whether `by` brings evidence in a system at all: for some team, or as officer."""
    if by.is_superuser:
        return bool(by.is_active)
    systems = System.objects.held_as(by, [Role.OFFICER, Role.CONTRIBUTOR])
    return bool(systems.filter(pk=system.pk).exists())
