"""The desk of a system's acceptances to confirm again: narrowed, chosen, previewed."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from controls import clock
from controls.errors import NotPermitted
from controls.models import System
from evidence.bulk_acts.act import sealed_choice
from evidence.bulk_acts.acts import ACTS
from evidence.bulk_acts.reconfirmations import Reconfirmations
from evidence.forms.reconfirm import ReconfirmFilter
from evidence.reviews.reconfirm_desk import by_ask, by_family, rows_to_reconfirm
from evidence.views.access import system_or_404
from evidence.views.answers import refused
from srm_project.requests import SignedInRequest

PER_PAGE = 100
ACT = ACTS[Reconfirmations.name]


@require_http_methods(["GET", "POST"])
def reconfirmations(request: SignedInRequest, slug: str) -> HttpResponse:
    """What waits to be confirmed again here; sent, its preview, with exceptions."""
    system = system_or_404(request, slug)
    try:
        ACT.require_right(system, by=request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    waiting = rows_to_reconfirm(system, request.user, clock.now())
    if request.method == "POST":
        left_out = set(request.POST.getlist("left-out"))
        shown = set(request.POST.getlist("shown")) - left_out
        keys = [row.link.pk for row in waiting if str(row.link.uuid) in shown]
        return _preview(request, system, keys)
    narrowed = ReconfirmFilter(request.GET, rows=waiting)
    fitting = narrowed.fitting(waiting)
    page = Paginator(fitting, PER_PAGE).get_page(request.GET.get("page"))
    group = by_ask if narrowed.grouped_by_ask else by_family
    context = {
        "system": system,
        "filter": narrowed,
        "page": page,
        "total": len(waiting),
        "groups": group(list(page.object_list)),
        "query": request.GET.urlencode(),
    }
    return render(request, "evidence/reviews/reconfirmations.html", context)


def _preview(request: SignedInRequest, system: System, keys: list[int]) -> HttpResponse:
    """On to what would become of these links."""
    back = reverse("evidence:reconfirmations", args=[system.slug])
    if query := request.GET.urlencode():
        back = f"{back}?{query}"
    try:
        chosen = sealed_choice(ACT, system, keys, back, by=request.user)
    except ValidationError as refusal:
        return refused(request, refusal, back=back)
    place = reverse("evidence:bulk_act", args=[system.slug, ACT.name])
    return redirect(f"{place}?chosen={chosen}")
