"""What newer reference data would change, and recording it."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from controls.errors import NotPermitted
from controls.grammar import count_of
from controls.models import ReferenceVersion
from controls.reference.updates import adopt, digest_of, preview
from evidence.views.access import require_officer_page, system_or_404
from evidence.views.answers import refused
from srm_project.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
def rereading(request: SignedInRequest, slug: str) -> HttpResponse:
    """Which classes would change; recorded once an officer has seen them."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    status, refusal = 200, ""
    if request.method == "POST":
        seen = request.POST.get("seen", "")
        try:
            count = adopt(system, by=request.user, seen=seen)
        except NotPermitted as not_permitted:
            return refused(request, not_permitted)
        except ValidationError as stale:
            status, refusal = 409, " ".join(stale.messages)
        else:
            messages.success(request, f"Recorded for {count_of(count, 'control')}.")
            return redirect("evidence:dashboard", slug)
    changes = preview(system)
    context = {
        "system": system,
        "changes": changes,
        "turning": sum(not change.basis_only for change in changes),
        "seen": digest_of(changes),
        "newest": ReferenceVersion.objects.newest(),
        "refusal": refusal,
    }
    return render(
        request, "evidence/provider_documents/rereading.html", context, status=status
    )
