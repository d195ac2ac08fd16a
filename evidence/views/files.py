"""Files of evidence: shown without running, downloaded, cleared by an officer."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET, require_POST

from controls.models import AuditEvent
from controls.models.audit import about
from evidence.models import EvidenceFile
from evidence.previews import Drawn, draw, kind_of
from evidence.safety import clear, withheld_from
from evidence.storage import open_store
from evidence.submitting import clean_name
from evidence.views.refusals import explained, refused

GONE = "The record is here, but its bytes are not in the store."


def file_or_404(request: HttpRequest, uuid: Any) -> EvidenceFile:
    """A file of evidence that the person may read."""
    mine = EvidenceFile.objects.visible_to(request.user).for_opening()
    return get_object_or_404(mine, uuid=uuid)


def _withheld(request: HttpRequest, file: EvidenceFile) -> HttpResponse | None:
    said = withheld_from(request.user, file)
    return explained(request, said, 409) if said else None


def _record(request: HttpRequest, file: EvidenceFile, verb: str) -> None:
    """Who opened what is recorded before the bytes leave."""
    said = {"file": file.name, "sha256": file.blob.sha256}
    evidence = file.revision.evidence
    AuditEvent.objects.append(about(evidence, verb, by=request.user, **said))


@require_GET
def download(request: HttpRequest, uuid: Any) -> HttpResponseBase:
    """The bytes of one file as an attachment that no browser runs; recorded first."""
    file = file_or_404(request, uuid)
    if withheld := _withheld(request, file):
        return withheld
    try:
        body = open_store().open(file.blob.sha256)
    except FileNotFoundError:
        return explained(request, GONE, 410)
    _record(request, file, "evidence.downloaded")
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
    return _sealed(response)


def _sealed(response: Any) -> Any:
    """Nothing of the answer runs, is guessed at, kept or used by other sites."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    patch_cache_control(response, private=True, no_store=True)
    return response


def _drawn(request: HttpRequest, file: EvidenceFile, number: int) -> Drawn:
    with open_store().open(file.blob.sha256) as body:
        return draw(body, file.blob.media_type, number)


def page_number(request: HttpRequest) -> int:
    """The page asked for, from 1; what is no number is the first."""
    asked = request.GET.get("page", "1")
    return int(asked) if asked.isdecimal() and len(asked) < 7 and int(asked) else 1


@require_GET
def preview(request: HttpRequest, uuid: Any) -> HttpResponse:
    """What the file shows, without running anything of it."""
    file = file_or_404(request, uuid)
    if withheld := _withheld(request, file):
        return withheld
    kind, number = kind_of(file.blob.media_type), page_number(request)
    context: dict[str, Any] = {"file": file, "kind": kind, "number": number}
    status = 200
    if kind:
        try:
            context["drawn"] = _drawn(request, file, number)
            context["number"] = min(number, context["drawn"].pages)
        except FileNotFoundError:
            return explained(request, GONE, 410)
        except ValidationError as refusal:
            context["refusal"], status = " ".join(refusal.messages), 422
        else:
            _record(request, file, "evidence.previewed")
    return render(request, "evidence/preview.html", context, status=status)


@require_GET
def picture(request: HttpRequest, uuid: Any) -> HttpResponse:
    """One page or picture as PNG, drawn anew."""
    file = file_or_404(request, uuid)
    if withheld := _withheld(request, file):
        return withheld
    if kind_of(file.blob.media_type) not in {"picture", "page"}:
        return explained(request, "This file has no picture.", 404)
    try:
        drawn = _drawn(request, file, page_number(request))
    except FileNotFoundError:
        return explained(request, GONE, 410)
    except ValidationError as refusal:
        return refused(request, refusal)
    _record(request, file, "evidence.previewed")
    answer: HttpResponse = _sealed(HttpResponse(drawn.png, content_type="image/png"))
    return answer


@require_POST
def file_clear(request: HttpRequest, uuid: Any) -> HttpResponse:
    """An officer lets a flagged file pass, with what was checked."""
    file = file_or_404(request, uuid)
    try:
        clear(file, by=request.user, reason=request.POST.get("reason", ""))
    except ValidationError as refusal:
        return refused(request, refusal)
    messages.success(request, f"“{file.name}” is cleared.")
    return redirect("evidence:evidence", uuid=file.revision.evidence.uuid)
