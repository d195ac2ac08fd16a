"""Files of evidence: shown without running, downloaded, cleared by an officer."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from evidence.files.clearance import clear, reason_withheld
from evidence.files.download import opened_for, record_opening
from evidence.files.previews import RenderedPage, kind_of, render_preview
from evidence.files.who_may import RESTRICTED, may_open
from evidence.models import EvidenceFile
from evidence.storage import StoreUnreachable, open_store, refuse_broken_off
from evidence.submissions.withdrawals import withdrawals_of
from evidence.views.answers import explanation_page, refused, typed_reason
from evidence.views.controls import HtmxRequest
from srm_project.downloads import add_download_headers, attachment
from srm_project.file_places import NoDownloadPlace, take_download_place
from srm_project.requests import SignedInRequest

# Kinds of files that may show a picture: one of an archive may.
DRAWN = frozenset({"picture", "page", "archive"})
NO_PICTURE = "This file has no picture."
GONE = "The record is here, but its bytes are not in the store."


def file_or_404(request: SignedInRequest, uuid: Any) -> EvidenceFile:
    """A file of evidence that the person may read."""
    mine = EvidenceFile.objects.visible_to(request.user).for_opening()
    return get_object_or_404(mine, uuid=uuid)


def _withheld(request: SignedInRequest, file: EvidenceFile) -> HttpResponse | None:
    if not may_open(file, request.user):
        return explanation_page(request, RESTRICTED, 403)
    reason = reason_withheld(request.user, file)
    return explanation_page(request, reason, 409) if reason else None


@require_GET
def download(request: SignedInRequest, uuid: Any) -> HttpResponseBase:
    """The bytes of one file as an attachment that no browser runs; recorded first."""
    file = file_or_404(request, uuid)
    try:
        take_download_place(request)
        return attachment(opened_for(file, by=request.user))
    except ValidationError as refusal:
        return refused(request, refusal)


def _drawn(request: SignedInRequest, file: EvidenceFile, number: int) -> RenderedPage:
    """A page of a file, drawn anew; speaks to the store, in a download's place."""
    take_download_place(request)
    with refuse_broken_off(), open_store().open(file.blob.sha256) as body:
        return render_preview(body, file.blob.media_type, number)


def page_number(request: SignedInRequest) -> int:
    """The page asked for, from 1; what is no number is the first."""
    page = request.GET.get("page", "1")
    return int(page) if page.isdecimal() and len(page) < 7 and int(page) else 1


@require_GET
def preview(request: HtmxRequest, uuid: Any) -> HttpResponse:
    """What the file shows, without running anything of it: a page, or a part of one."""
    file = file_or_404(request, uuid)
    if withheld := _withheld(request, file):
        return withheld
    kind, number = kind_of(file.blob.media_type), page_number(request)
    context: dict[str, Any] = {
        "file": file,
        "name": file.name,
        "kind": kind,
        "number": number,
        "address": reverse("evidence:preview", args=[file.uuid]),
        "picture": reverse("evidence:picture", args=[file.uuid]),
    }
    whole = not request.htmx or request.htmx.history_restore_request
    if whole:
        links = list(file.revision.links.for_listing().order_by("pk"))
        context |= {"links": links, "withdrawals": withdrawals_of(links)}
    else:  # turned over where it stands
        context["here"] = request.htmx
    status = 200
    if kind:
        try:
            context["drawn"] = _drawn(request, file, number)
            context["number"] = min(number, context["drawn"].pages)
        except FileNotFoundError:
            return explanation_page(request, GONE, 410)
        except (StoreUnreachable, NoDownloadPlace) as away:
            return refused(request, away)
        except ValidationError as refusal:
            context["refusal"], status = " ".join(refusal.messages), 422
        else:
            record_opening(file, "evidence.previewed", by=request.user)
    page = (
        "evidence/files/preview.html"
        if whole
        else "evidence/files/partials/preview.html"
    )
    return render(request, page, context, status=status)


@require_GET
def picture(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """One page or picture as PNG, drawn anew."""
    file = file_or_404(request, uuid)
    if withheld := _withheld(request, file):
        return withheld
    if kind_of(file.blob.media_type) not in DRAWN:
        return explanation_page(request, NO_PICTURE, 404)
    try:
        drawn = _drawn(request, file, page_number(request))
    except FileNotFoundError:
        return explanation_page(request, GONE, 410)
    except ValidationError as refusal:
        return refused(request, refusal)
    if not drawn.png:
        return explanation_page(request, NO_PICTURE, 404)
    record_opening(file, "evidence.previewed", by=request.user)
    return add_download_headers(HttpResponse(drawn.png, content_type="image/png"))


@require_POST
def file_clear(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """An officer lets a flagged file pass, with what was checked."""
    file = file_or_404(request, uuid)
    try:
        clear(file, by=request.user, reason=typed_reason(request))
    except ValidationError as refusal:
        return refused(request, refusal)
    messages.success(request, f"“{file.name}” is cleared.")
    return redirect("evidence:evidence", uuid=file.revision.evidence.uuid)
