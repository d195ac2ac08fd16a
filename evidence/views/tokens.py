"""One's own tokens, and the calendar feed that one of them opens."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controls import clock
from controls.accounts.tokens import make_token, owner_of_calendar, revoke_token
from controls.models import Actor, TokenScope
from controls.models.tokens import Scope
from evidence.forms.tokens import TokenForm
from evidence.planning.feed import feed_of
from evidence.views.once import once
from srm_project.recent_proof import require_recent_proof
from srm_project.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
@once
def tokens(request: SignedInRequest) -> HttpResponse:
    """Which tokens have I, and may I have another? Its secret is shown once."""
    form = TokenForm(request.POST if request.method == "POST" else None)
    if not form.is_bound:
        return _page(request, form)
    require_recent_proof(request)
    if not form.is_valid():
        return _page(request, form, status=422)
    made, secret = make_token(request.user, **form.cleaned_data)
    answer = _page(request, TokenForm(), made=made, secret=secret, status=201)
    answer["Location"] = reverse("evidence:tokens")  # where the same form leads later
    return answer


@require_POST
def token_revoke(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """End one of my tokens."""
    kept = get_object_or_404(_mine(request.user), uuid=uuid)
    revoke_token(kept, by=request.user)
    messages.success(request, f"“{kept.name}” is revoked: it opens nothing any more.")
    return redirect("evidence:tokens")


@login_not_required
@require_GET
def calendar_feed(request: Any, secret: str) -> HttpResponse:
    """What falls due for the owner of a calendar token, for calendar programs."""
    kept = owner_of_calendar(secret)
    if kept is None:
        raise Http404
    now = clock.now()
    kept.note_use(now)
    answer = HttpResponse(
        feed_of(kept.token.user, now), content_type="text/calendar; charset=utf-8"
    )
    answer["Content-Disposition"] = 'inline; filename="srm.ics"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def _mine(user: Actor) -> Any:
    mine = TokenScope.objects.filter(token__user=user.pk).select_related("token")
    return mine.order_by("token__created", "pk")


def _page(
    request: SignedInRequest,
    form: TokenForm,
    *,
    made: TokenScope | None = None,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {"form": form, "tokens": _mine(request.user), "site": settings.SITE_URL}
    if made is not None:
        context |= {"made": made, "secret": secret}
        if made.scope == Scope.CALENDAR:
            feed = reverse("evidence:calendar_feed", args=[secret])
            context["feed"] = settings.SITE_URL + feed
    return render(request, "account/tokens.html", context, status=status)
