"""Upload for one requirement, and the only door through which bytes leave."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    UnreadablePostError,
)
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_cache_control
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods

from controls.errors import NotPermitted
from controls.models import AuditEvent
from controls.models.audit import about
from evidence.answers import today_of
from evidence.cadence import occurrence_of, proof_end
from evidence.forms.uploads import UploadForm, first_values
from evidence.models import Evidence, EvidenceFile, EvidenceRequirement
from evidence.storage import open_store
from evidence.submitting import clean_name, may_submit, submit
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
        return _page(request, form, requirement, today)
    return redirect("evidence:evidence", uuid=link.revision.evidence.uuid)


def _page(
    request: HttpRequest, form: UploadForm, requirement: Any, today: Any
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
    status = 400 if form.errors else 200
    return render(request, "evidence/upload.html", context, status=status)


@require_GET
def download(request: HttpRequest, uuid: Any) -> HttpResponseBase:
    """The bytes of one file as an attachment that no browser runs; recorded first."""
    file = get_object_or_404(
        EvidenceFile.objects.select_related("blob", "revision__evidence__system"),
        uuid=uuid,
        revision__evidence__in=Evidence.objects.visible_to(request.user),
    )
    try:
        body = open_store().open(file.blob.sha256)
    except FileNotFoundError:
        sentence = "The record is here, but its bytes are not in the store."
        return explained(request, sentence, 410)
    with transaction.atomic():
        evidence = file.revision.evidence
        AuditEvent.objects.append(
            about(
                evidence,
                "evidence.downloaded",
                by=request.user,
                file=file.name,
                sha256=file.blob.sha256,
            )
        )
    return _attachment(body, file)


def _attachment(body: Any, file: EvidenceFile) -> FileResponse:
    name = clean_name(file.name)
    plain = name.encode("ascii", "replace").decode().replace('"', "'")
    response = FileResponse(body, content_type=file.blob.media_type)
    response["Content-Disposition"] = (
        f'attachment; filename="{plain.replace("?", "_")}";'
        f" filename*=UTF-8''{quote(name, safe='')}"
    )
    response["Content-Length"] = str(file.blob.size_bytes)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    patch_cache_control(response, private=True, no_store=True)
    return response
