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
    """An auditor's engagements, the only system's dashboard, the register of reports
    for a registrar who sees no system, else the list of systems.

    Who holds another role beside that of an auditor begins at the systems.
    """
    roles = set(request.user.memberships.active().values_list("role", flat=True))
    if roles == {Role.AUDITOR} and not request.user.is_superuser:
        return redirect("evidence:audits")
    systems = System.objects.visible_to(request.user)
    mine = list(systems.values_list("slug", flat=True)[:2])
    if len(mine) == 1:
        return redirect("evidence:dashboard", mine[0])
    keeps_register = may_keep_register(request.user)
    if not mine and keeps_register and not may_describe_systems(request.user):
        return redirect("evidence:artifacts")
    return redirect("evidence:systems")
