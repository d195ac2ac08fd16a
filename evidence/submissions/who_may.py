"""Who may submit, revise and withdraw evidence: its team and the officers."""

from __future__ import annotations

from controls.errors import NotPermitted
from controls.models import Actor, ControlImplementation, Role, System, Team
from evidence.models import Evidence, EvidenceLink


def require_withdrawer(link: EvidenceLink, *, by: Actor) -> None:
    """Raise NotPermitted unless `by` is of the evidence's team, or an officer."""
    team = link.revision.evidence.team
    if not may_submit(link.implementation, team, by=by):
        raise NotPermitted(f"Only {team} or a compliance officer may withdraw this.")


def may_submit(
    target: ControlImplementation | Evidence, team: Team | None, *, by: Actor
) -> bool:
    """Whether `by` acts for this team, or is an officer, in the target's system."""
    if by.is_superuser:
        return True
    roles = by.memberships.active().filter(system_id=target.system_id)
    if roles.filter(role=Role.OFFICER).exists():
        return True
    return team is not None and roles.filter(role=Role.CONTRIBUTOR, team=team).exists()


def require_submitter(
    target: ControlImplementation, team: Team | None, *, by: Actor
) -> None:
    """Raise NotPermitted unless `by` may prove, for this team, what is asked."""
    if not may_submit(target, team, by=by):
        said = f"This is for {team or 'a team'} to prove; you are not in that team."
        raise NotPermitted(said)


def require_reviser(evidence: Evidence, *, by: Actor) -> None:
    """Raise NotPermitted unless the evidence is of one's team, or one is officer."""
    if not may_submit(evidence, evidence.team, by=by):
        said = f"This belongs to {evidence.team}; you are not in that team."
        raise NotPermitted(said)


def submits_in(system: System, *, by: Actor) -> bool:
    """Whether `by` brings evidence in a system at all: for some team, or as officer."""
    held = System.objects.held_as(by, [Role.OFFICER, Role.CONTRIBUTOR])
    return bool(by.is_superuser) or held.filter(pk=system.pk).exists()
