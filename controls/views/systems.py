"""Where a person lands after signing in."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from controls.access import may_describe_systems, may_keep_register
from controls.models import Role, System
from srm_project.requests import SignedInRequest


@require_GET
def first_page(request: SignedInRequest) -> HttpResponse:
    """Where the person's own work is: an auditor's engagements, My work of those who
    bring or review evidence, the register of reports for a registrar who sees no
    system, else the only system's dashboard or the list of systems.

    Who is an officer anywhere, or holds roles of both sides, begins at the systems.
    """
    roles = set(request.user.memberships.active().values_list("role", flat=True))
    if roles and not request.user.is_superuser:
        if roles == {Role.AUDITOR}:
            return redirect("evidence:audits")
        if roles <= {Role.CONTRIBUTOR, Role.REVIEWER}:
            return redirect("evidence:work")
    systems = System.objects.visible_to(request.user)
    mine = list(systems.values_list("slug", flat=True)[:2])
    if len(mine) == 1:
        return redirect("evidence:dashboard", mine[0])
    keeps_register = may_keep_register(request.user)
    if not mine and keeps_register and not may_describe_systems(request.user):
        return redirect("evidence:artifacts")
    return redirect("evidence:systems")
