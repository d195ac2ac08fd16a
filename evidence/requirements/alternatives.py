"""Asking to meet a control in another way, with requirements of its own (R10)."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from controls.access import require_officer
from controls.alternatives import AlternativeDraft, request_alternative
from controls.errors import Refused
from controls.models import Actor, AlternativeImplementation, ControlImplementation
from evidence.models import RequirementControl


def own_requirements(
    implementation: ControlImplementation, day: dt.date
) -> list[RequirementControl]:
    """What is asked of the control on a day."""
    begun = RequirementControl.objects.filter(
        implementation=implementation, operates_from__lte=day
    )
    going_on = Q(operates_until=None) | Q(operates_until__gt=day)
    return list(begun.filter(going_on).order_by("pk"))


def request_with_requirements(
    implementation: ControlImplementation,
    draft: AlternativeDraft,
    *,
    by: Actor,
    today: dt.date,
) -> AlternativeImplementation:
    """Ask for it where its requirements are asked of the control today.

    Raises NotPermitted, Refused where there is none, or one that is another control's
    or retired; and whatever `request_alternative` raises.
    """
    require_officer(implementation.system, by)
    named = {str(uuid) for uuid in draft.requirement_uuids}
    if not named:
        raise Refused(
            {
                "requirements": "Name what is asked of the other way. Where nothing"
                " is, add a requirement to this control first."
            }
        )
    requirements = own_requirements(implementation, max(today, draft.starts_on))
    if named - {str(requirement.uuid) for requirement in requirements}:
        raise Refused({"requirements": "That is not asked of this control."})
    return request_alternative(implementation, draft, by=by, today=today)
