"""Upload for one requirement."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import (
    HttpRequest,
    HttpResponse,
    UnreadablePostError,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from controls.errors import NotPermitted
from evidence.answers import today_of
from evidence.cadence import occurrence_of, proof_end
from evidence.forms.uploads import UploadForm, first_values
from evidence.models import EvidenceRequirement
from evidence.submitting import may_submit, submit
from evidence.uploads import stream_into_store, uploads_of, was_cut_off
from evidence.views.refusals import explained, refused
from evidence.working import ask, with_newest_links


@csrf_exempt  # checked by `_answer`: the handler must be set before the body is read
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest, slug: str, uuid: Any) -> HttpResponse:
    """Files for a requirement; rights are checked before a byte of them is read."""
    asked = EvidenceRequirement.objects.visible_to(request.user).for_listing()
    requirement = get_object_or_404(
        with_newest_links(asked), uuid=uuid, system__slug=slug
    )
    team = requirement.owner_team or requirement.implementation.owner_team
    if not may_submit(requirement.implementation, team, by=request.user):
        raise PermissionDenied(f"This is for {team or 'a team'} to prove.")
    unread = unreadable(request)
    if unread is not None:
        return unread
    response: HttpResponse = _answer(request, requirement)
    return response


def unreadable(request: HttpRequest) -> HttpResponse | None:
    """Stream the body into the store; the refusal where it was too long or cut off."""
    handler = stream_into_store(request)
    try:
        parsed = request.POST
    except UnreadablePostError:
        return explained(request, "The upload broke off. Nothing was stored.", 400)
    if handler.too_large:
        limit = settings.MAX_UPLOAD_BYTES // 1_000_000
        sentence = f"More than {limit} MB in one upload. Nothing was stored."
        return explained(request, sentence, 413)
    if parsed and was_cut_off(request):
        return explained(request, "The upload broke off. Nothing was stored.", 400)
    return None


@csrf_protect
def _answer(request: HttpRequest, requirement: EvidenceRequirement) -> HttpResponse:
    today = today_of(requirement.system)
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        if form.is_valid():
            return _submit(request, form, requirement, today)
    else:
        period = ask(requirement, today).period
        form = UploadForm(
            initial=first_values(requirement.title, period.first, period.last, today)
        )
    return _page(request, form, requirement, today)


def _submit(
    request: HttpRequest, form: UploadForm, requirement: Any, today: Any
) -> HttpResponse:
    try:
        link = submit(
            form.said(),
            uploads_of(form.cleaned_data["files"]),
            requirement=requirement,
            by=request.user,
            today=today,
        )
    except NotPermitted as refusal:
        return refused(request, refusal)
    except ValidationError as refusal:
        form.add_error(None, refusal)
        status = getattr(refusal, "status_code", 400)
        return _page(request, form, requirement, today, status=status)
    return redirect("evidence:evidence", uuid=link.revision.evidence.uuid)


def _page(
    request: HttpRequest,
    form: UploadForm,
    requirement: Any,
    today: Any,
    *,
    status: int = 200,
) -> HttpResponse:
    standing = ask(requirement, today)
    context = {
        "form": form,
        "requirement": requirement,
        "standing": standing,
        "carries_from": today,
        "carries_to": proof_end(
            requirement.cadence,
            occurrence_of(requirement.cadence, standing.period.last),
            today,
            requirement.grace_days,
        ),
        "limit_bytes": settings.MAX_UPLOAD_BYTES,
    }
    status = 400 if form.errors and status == 200 else status
    if form.errors and status == 200:
        status = 400
    return render(request, "evidence/upload.html", context, status=status)
