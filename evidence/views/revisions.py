"""A further revision of evidence: a correction or an addition."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from controls.errors import NotPermitted
from evidence.answers import today_of
from evidence.forms.uploads import RevisionForm
from evidence.models import Evidence
from evidence.revising import newest, revise
from evidence.submitting import require_reviser
from evidence.uploads import uploads_of
from evidence.views.refusals import explain, landing, refused
from evidence.views.uploads import unreadable


@csrf_exempt  # checked by `_answer`: the handler must be set before the body is read
@require_http_methods(["GET", "POST"])
def revision_new(request: HttpRequest, uuid: Any) -> HttpResponse:
    """Correct or add to evidence; rights are checked before a byte is read."""
    found = get_object_or_404(
        Evidence.objects.visible_to(request.user).select_related("system", "team"),
        uuid=uuid,
    )
    try:
        require_reviser(found, by=request.user)
    except NotPermitted as refusal:
        return refused(request, refusal)
    unread = unreadable(request)
    if unread is not None:
        return unread
    response: HttpResponse = _answer(request, found)
    return response


@csrf_protect
def _answer(request: HttpRequest, found: Evidence) -> HttpResponse:
    last = newest(found)
    today = today_of(found.system)
    form = RevisionForm(
        request.POST or None,
        request.FILES or None,
        system=found.system,
        initial={
            "performed_on": last.performed_on,
            "period_start": last.period_from,
            "period_end": last.period_last,
            "collected_on": today,
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            revise(
                found,
                form.said(),
                uploads_of(form.cleaned_data["files"]),
                kind=form.cleaned_data["kind"],
                reason=form.cleaned_data["reason"],
                by=request.user,
                today=today,
            )
        except ValidationError as refusal:
            explain(form, refusal)
        else:
            messages.success(request, "Submitted. Somebody else reviews it now.")
            return landing(request, redirect("evidence:evidence", uuid=found.uuid))
    status = 400 if form.errors else 200
    context = {
        "form": form,
        "evidence": found,
        "limit_bytes": settings.MAX_UPLOAD_BYTES,
    }
    return render(request, "evidence/revision.html", context, status=status)
