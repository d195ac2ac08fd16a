"""The official text of the controls: which edition is shown, and importing one."""

from __future__ import annotations

from contextlib import closing

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from controls.access import require_installation_officer
from controls.errors import NotPermitted
from controls.grammar import count_of
from controls.models import ControlTextEdition
from controls.oscal.texts import MAX_CATALOG_BYTES
from controls.reference.control_texts import TextImport, import_texts
from controls.reference.official_catalog import fetch_official
from evidence.forms.control_text import ControlTextForm
from evidence.views.long_forms import long_form
from srm_project.requests import SignedInRequest


@csrf_exempt  # checked by `_answer`, once the person's right is known
@require_http_methods(["GET", "POST"])
def control_text(request: SignedInRequest) -> HttpResponse:
    """Which edition do pages show, who imported it, and where is another?"""
    try:
        require_installation_officer(request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    response: HttpResponse = _answer(request)
    return response


@long_form(MAX_CATALOG_BYTES)
def _answer(request: SignedInRequest) -> HttpResponse:
    if request.method == "GET":
        return _page(request, ControlTextForm())
    from_publisher = "official" in request.POST
    form = ControlTextForm(None if from_publisher else request.POST, request.FILES)
    if not from_publisher and not form.is_valid():
        return _page(request, form, status=422)
    try:
        imported = _fetched(request) if from_publisher else _sent(request, form)
    except ValidationError as refusal:
        if from_publisher:
            return _page(request, ControlTextForm(), status=422, refusal=refusal)
        form.add_error("file", refusal.messages)
        return _page(request, form, status=422)
    messages.success(request, _outcome(imported))
    return redirect("evidence:control_text")


def _sent(request: SignedInRequest, form: ControlTextForm) -> TextImport:
    file = form.cleaned_data["file"]
    return import_texts(file.file, source=file.name, by=request.user)


def _fetched(request: SignedInRequest) -> TextImport:
    with closing(fetch_official()) as body:
        return import_texts(body, source=settings.CONTROL_TEXT_ADDRESS, by=request.user)


def _outcome(imported: TextImport) -> str:
    """What was done, and what is next."""
    edition = imported.edition
    if not imported.is_new:
        return f"This file is the edition shown already ({edition.version})."
    texts = count_of(imported.text_count, "control")
    return (
        f"The text of {texts} is imported (edition {edition.version}). Every control"
        " page shows it now, under what the control asks."
    )


def _page(
    request: SignedInRequest,
    form: ControlTextForm,
    *,
    status: int = 200,
    refusal: ValidationError | None = None,
) -> HttpResponse:
    page = {
        "form": form,
        "refusal": " ".join(refusal.messages) if refusal else "",
        "editions": ControlTextEdition.objects.for_listing(),
        "address": settings.CONTROL_TEXT_ADDRESS,
        "sha256": settings.CONTROL_TEXT_SHA256,
    }
    return render(request, "evidence/control_text/import.html", page, status=status)
