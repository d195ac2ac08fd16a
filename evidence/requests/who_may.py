"""Who may ask for evidence, answer, decide on an answer, and take a request back.

`may_...` answers, `require_...` raises NotPermitted; pages, the API, lists and notices
ask the same functions. The lists are `EvidenceRequest.objects.to_answer`, `to_decide`.
"""

from __future__ import annotations

from controls.access import is_officer
from controls.errors import NotPermitted
from controls.models import Actor, Engagement, Membership, Role, System
from evidence.models import EvidenceRequest


def may_request(system: System, by: Actor) -> bool:
    """Whether a person may ask for evidence: an officer, or an auditor let in."""
    return is_officer(by, system) or engagement_of(system, by) is not None


def require_requester(system: System, by: Actor) -> None:
    """Raise NotPermitted unless `by` may ask for evidence."""
    if not may_request(system, by):
        raise NotPermitted("Only officers and auditors ask for evidence.")


def engagement_of(system: System, by: Actor) -> Engagement | None:
    """The engagement for which a person audits the system now."""
    roles = by.memberships.active().filter(system=system, role=Role.AUDITOR)
    membership: Membership | None = roles.select_related("engagement").first()
    return membership.engagement if membership else None


def may_list(engagement: Engagement, by: Actor) -> bool:
    """Whether `by` audits in this engagement now, and so may send its list."""
    mine = Engagement.objects.audited_by(by)
    return bool(by.is_active and mine.filter(pk=engagement.pk).exists())


def require_lister(engagement: Engagement, by: Actor) -> None:
    """Raise NotPermitted unless `by` may send the list of the engagement."""
    if not may_list(engagement, by):
        raise NotPermitted(
            "Only the auditors of this engagement send its list of requests, while they"
            " are let in."
        )


def may_answer(request: EvidenceRequest, by: Actor) -> bool:
    """The person asked, contributors of the team asked, and officers."""
    if is_officer(by, request.system):
        return True
    roles = by.memberships.active().filter(
        system=request.system_id, role=Role.CONTRIBUTOR
    )
    if request.person_id == by.pk:
        return bool(roles.exists())
    return bool(roles.filter(team=request.team_id).exists())


def require_answerer(request: EvidenceRequest, by: Actor) -> None:
    """Raise NotPermitted unless `by` may answer."""
    if not may_answer(request, by):
        raise NotPermitted(f"This is asked of {request.team}.")


def may_cancel(request: EvidenceRequest, by: Actor) -> bool:
    """Whether `by` speaks for whoever asked: an auditor of the engagement, or officer.

    What an auditor asked, the system's officers cannot take back.
    """
    if request.engagement_id:
        roles = by.memberships.active().filter(role=Role.AUDITOR)
        return bool(roles.filter(engagement=request.engagement_id).exists())
    return is_officer(by, request.system)


def require_canceller(request: EvidenceRequest, by: Actor) -> None:
    """Raise NotPermitted unless `by` may take the request back."""
    if not may_cancel(request, by):
        raise NotPermitted("Whoever asked may take it back.")


def may_decide_answer(request: EvidenceRequest, by: Actor) -> bool:
    """Whether `by` speaks for whoever asked, and gave none of the answers (R32)."""
    return may_cancel(request, by) and not _answered(request, by)


def require_answer_decider(request: EvidenceRequest, by: Actor) -> None:
    """Raise NotPermitted unless `by` may accept or return the answer."""
    if not may_cancel(request, by):
        raise NotPermitted("Whoever asked decides whether it is answered.")
    if _answered(request, by):
        raise NotPermitted("Somebody other than who answered must judge it.")


def _answered(request: EvidenceRequest, by: Actor) -> bool:
    return request.answers.filter(answered_by=by.pk).exists()
