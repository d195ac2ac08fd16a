"""Files of providers' reports: held by right, shown behind their term, taken away.

One file: the doors of one row and of what is decided about it.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controls.errors import NotPermitted, Refused
from evidence.files.previews import RenderedPage, kind_of, render_preview
from evidence.forms.report_files import ReleaseForm, ReportFileForm
from evidence.held_reports.clearing import clear_report
from evidence.held_reports.hold import bring_report, hold_report
from evidence.held_reports.opening import (
    TermNotConfirmed,
    confirm_term,
    has_confirmed,
    opened_report,
    read_report,
    record_viewing,
)
from evidence.held_reports.releases import CHOOSE_AUDIT, release_report, take_back
from evidence.held_reports.removal import (
    decide_report_removal,
    request_report_removal,
    withdraw_report_removal,
)
from evidence.held_reports.who_may import (
    engagements_to_release_to,
    require_keeper,
    require_report_opener,
)
from evidence.models import (
    ArtifactVersion,
    ReportFile,
    ReportFileRemoval,
    ReportRelease,
)
from evidence.storage import refuse_broken_off
from evidence.submissions.uploads import Upload
from evidence.views.answers import (
    TAKEN_BACK,
    approves,
    explain,
    explanation_page,
    redirect_for_upload,
    refused,
    told_to_come_back,
    typed_reason,
    withdraws,
)
from evidence.views.files import DRAWN, NO_PICTURE, page_number
from evidence.views.once import once, was_sent
from evidence.views.report_document import document_page
from evidence.views.uploads import unreadable
from srm_project.downloads import add_download_headers, attachment
from srm_project.file_places import take_download_place
from srm_project.requests import SignedInRequest


def version_or_404(request: SignedInRequest, uuid: Any) -> ArtifactVersion:
    """A report that the person may read of."""
    mine = ArtifactVersion.objects.visible_to(request.user).for_listing()
    row: ArtifactVersion = get_object_or_404(mine, uuid=uuid)
    return row


def report_file_or_404(request: SignedInRequest, uuid: Any) -> ReportFile:
    """A held file that the person may read of; opening it is another question."""
    mine = ReportFile.objects.visible_to(request.user).for_opening()
    row: ReportFile = get_object_or_404(mine, uuid=uuid)
    return row


def _to_document(file: ReportFile) -> HttpResponse:
    return redirect("evidence:report_document", uuid=file.artifact_version.uuid)


@require_GET
def report_document(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Which files of a report are held, by what right, and who may open them?"""
    return document_page(request, version_or_404(request, uuid))


@csrf_exempt  # checked by `_answer`: the handler must be set before the body is read
@require_http_methods(["GET", "POST"])
def report_hold(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Hold a file of a report; rights are checked before a byte is read."""
    version = version_or_404(request, uuid)
    try:
        require_keeper(version, request.user)
    except NotPermitted as refusal:
        return refused(request, refusal)
    unread = unreadable(request)
    if unread is not None:
        return unread
    response: HttpResponse = _answer(request, version)
    return response


@csrf_protect
def _answer(request: SignedInRequest, version: ArtifactVersion) -> HttpResponse:
    form = ReportFileForm(*_sent(request))
    if request.method == "POST" and not was_sent(request) and form.is_valid():
        try:  # the store may be slow: nobody waits for us yet
            bring_report(version, **_typed(form), by=request.user)
        except ValidationError as refusal:
            return _hold_page(request, version, form, refusal)
    answer: HttpResponse = _held(request, version, form)
    return answer


def _sent(request: SignedInRequest) -> tuple[Any, ...]:
    """What a form was sent with; nothing where it is only shown."""
    return (request.POST, request.FILES) if request.method == "POST" else ()


@once
def _held(
    request: SignedInRequest, version: ArtifactVersion, form: ReportFileForm
) -> HttpResponse:
    if request.method == "GET" or not form.is_valid():
        return _hold_page(request, version, form)
    try:
        file = hold_report(version, **_typed(form), by=request.user)
    except ValidationError as refusal:
        return _hold_page(request, version, form, refusal)
    messages.success(
        request,
        f"“{file.name}” is held. Whoever opens it confirms the term first, and each"
        " opening is recorded.",
    )
    return redirect_for_upload(request, _to_document(file))


def _typed(form: ReportFileForm) -> dict[str, Any]:
    data = form.cleaned_data
    upload: Upload = data["file"].as_upload()
    right = {name: data[name] for name in ("agreement", "term", "confirmed")}
    return {"upload": upload, **right}


def _hold_page(
    request: SignedInRequest,
    version: ArtifactVersion,
    form: ReportFileForm,
    refusal: ValidationError | None = None,
) -> HttpResponse:
    status = 400 if request.method == "POST" and form.errors else 200
    if refusal is not None:
        if isinstance(refusal, NotPermitted):
            return refused(request, refusal)
        explain(form, refusal)
        status = getattr(refusal, "status_code", 400)
    context = {
        "form": form,
        "version": version,
        "limit_bytes": settings.MAX_UPLOAD_BYTES,
    }
    page = render(request, "evidence/report_files/hold.html", context, status=status)
    return told_to_come_back(page, refusal)


@require_http_methods(["GET", "POST"])
def report_term(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """The term of a file, shown before its first opening; POST confirms it."""
    file = report_file_or_404(request, uuid)
    try:
        require_report_opener(file, request.user)
        if request.method == "POST":
            confirm_term(file, by=request.user)
            return redirect("evidence:report_view", uuid=file.uuid)
    except ValidationError as refusal:
        return refused(request, refusal)
    context = {"file": file, "confirmed": has_confirmed(file, request.user)}
    return render(request, "evidence/report_files/term.html", context)


def _drawn(request: SignedInRequest, file: ReportFile, number: int) -> RenderedPage:
    """A page of a file, drawn anew in a confined process, in a download's place."""
    take_download_place(request)
    with refuse_broken_off():
        return read_report(
            file,
            lambda body, media_type: render_preview(body, media_type, number),
            by=request.user,
        )


@require_GET
def report_view(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """What a held file shows; to who has not confirmed its term, the term first.

    Of a page or a picture the viewing is recorded as its picture is drawn.
    """
    file = report_file_or_404(request, uuid)
    kind, number = kind_of(file.blob.media_type), page_number(request)
    context: dict[str, Any] = {"file": file, "kind": kind, "number": number}
    try:
        require_report_opener(file, request.user)
        if not has_confirmed(file, request.user):
            return redirect("evidence:report_term", uuid=file.uuid)
        if kind:
            context["drawn"] = drawn = _drawn(request, file, number)
            context["number"] = number = min(number, drawn.pages)
            if not drawn.png:
                record_viewing(file, by=request.user, page=number)
    except FileNotFoundError:
        return explanation_page(request, "The bytes are not in the store.", 410)
    except ValidationError as refusal:
        return refused(request, refusal)
    return render(request, "evidence/report_files/view.html", context)


@require_GET
def report_page(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """One page of a held file as PNG, drawn anew; the viewing is recorded first."""
    file = report_file_or_404(request, uuid)
    number = page_number(request)
    try:
        require_report_opener(file, request.user)
        if kind_of(file.blob.media_type) not in DRAWN:
            return explanation_page(request, NO_PICTURE, 404)
        drawn = _drawn(request, file, number)
        if not drawn.png:
            return explanation_page(request, NO_PICTURE, 404)
        record_viewing(file, by=request.user, page=min(number, drawn.pages))
    except FileNotFoundError:
        return explanation_page(request, "The bytes are not in the store.", 410)
    except ValidationError as refusal:
        return refused(request, refusal)
    return add_download_headers(HttpResponse(drawn.png, content_type="image/png"))


@require_GET
def report_download(request: SignedInRequest, uuid: Any) -> HttpResponseBase:
    """The bytes of a held file, attached, so that no browser runs them; recorded."""
    file = report_file_or_404(request, uuid)
    try:
        take_download_place(request)
        return attachment(opened_report(file, by=request.user))
    except TermNotConfirmed:
        return redirect("evidence:report_term", uuid=file.uuid)
    except ValidationError as refusal:
        return refused(request, refusal)


@require_POST
def report_clear(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """A second person lets a flagged file pass, with what was checked."""
    file = report_file_or_404(request, uuid)
    try:
        clear_report(file, reason=typed_reason(request), by=request.user)
    except ValidationError as refusal:
        return refused(request, refusal)
    messages.success(request, f"“{file.name}” is cleared: it may be opened now.")
    return _to_document(file)


@require_POST
def report_release(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Let the auditors of one audit open a held file."""
    file = report_file_or_404(request, uuid)
    try:
        require_keeper(file.artifact_version, request.user)
        engagements = engagements_to_release_to(file, request.user)
        form = ReleaseForm(request.POST, engagements=engagements)
        if not engagements:  # then the page of the report has no form to keep it
            raise Refused({"engagement": CHOOSE_AUDIT})
        if not form.is_valid():
            return document_page(
                request, file.artifact_version, release=(file, form), status=400
            )
        release_report(file, **form.cleaned_data, by=request.user)
    except ValidationError as refusal:
        return refused(request, refusal)
    engagement = form.cleaned_data["engagement"]
    released = f"The auditors of {engagement} may open “{file.name}” now."
    if obstacle := file.obstacle():
        released = f"It is released to the auditors of {engagement}. {obstacle}"
    messages.success(request, released)
    return _to_document(file)


@require_POST
def report_take_back(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """End a release."""
    mine = ReportRelease.objects.visible_to(request.user).for_listing()
    release: ReportRelease = get_object_or_404(mine, uuid=uuid)
    try:
        take_back(release, by=request.user)
    except ValidationError as refusal:
        return refused(request, refusal)
    messages.success(request, f"The auditors of {release.engagement} open it no more.")
    return _to_document(release.file)


@require_POST
@once
def report_remove(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Ask that a held file be taken away."""
    file = report_file_or_404(request, uuid)
    try:
        request_report_removal(file, reason=typed_reason(request), by=request.user)
    except ValidationError as refusal:
        return refused(request, refusal)
    messages.success(
        request, f"The removal of “{file.name}” waits for somebody else to decide it."
    )
    return _to_document(file)


@require_POST
def report_removal_decide(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Approve or refuse a removal of somebody else, or take back one's own."""
    mine = ReportFileRemoval.objects.visible_to(request.user).for_listing()
    removal: ReportFileRemoval = get_object_or_404(mine, uuid=uuid)
    try:
        require_keeper(removal.file.artifact_version, request.user)
        done = f"“{removal.file.name}” stays."
        if withdraws(request):
            withdraw_report_removal(removal, by=request.user)
            done = TAKEN_BACK
        else:
            approve = approves(request)
            decide_report_removal(removal, approve=approve, by=request.user)
            if approve:
                done = (
                    f"Nobody opens “{removal.file.name}” any more; a worker destroys it"
                    " now."
                )
    except ValidationError as refusal:
        return refused(request, refusal)
    messages.success(request, done)
    return _to_document(removal.file)
