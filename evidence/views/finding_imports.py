"""Findings of AWS: imported after a preview, and what was imported before."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from controls.errors import NotPermitted, TransitionNotAllowed
from controls.grammar import count_of
from controls.models import System
from evidence.findings.imports import (
    confirm_import,
    preview_import,
    previewed,
    was_imported,
)
from evidence.findings.source_files import MAX_BYTES
from evidence.findings.who_may import may_record, require_recorder
from evidence.forms.finding_imports import FindingImportForm
from evidence.models import FindingImport
from evidence.views.access import system_or_404
from evidence.views.answers import explain
from evidence.views.long_forms import long_form
from evidence.views.once import SAME_AGAIN
from srm_project.requests import SignedInRequest

SHOWN = 100  # imports, and rows of a list of a preview


@require_GET
def finding_imports(request: SignedInRequest, slug: str) -> HttpResponse:
    """Which files of findings were imported, by whom, and what did they say?"""
    return _imports_page(request, system_or_404(request, slug))


def _imports_page(
    request: SignedInRequest,
    system: System,
    *,
    form: FindingImportForm | None = None,
    status: int = 200,
) -> HttpResponse:
    imports = list(FindingImport.objects.filter(system=system).for_listing()[:SHOWN])
    accounts = " ".join(imports[0].accounts) if imports else ""
    page = {
        "system": system,
        "imports": imports,
        "may_import": may_record(system, request.user),
        "form": form or FindingImportForm(initial={"accounts": accounts}),
    }
    return render(request, "evidence/findings/imports.html", page, status=status)


@require_POST
@long_form(MAX_BYTES)
def finding_import_upload(request: SignedInRequest, slug: str) -> HttpResponse:
    """Read a file; what it would change is shown before anything counts."""
    system = _importable(request, slug)
    form = FindingImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _imports_page(request, system, form=form, status=422)
    file = form.cleaned_data["file"]
    words = {name: form.cleaned_data[name] for name in ("accounts", "control")}
    try:
        shown = preview_import(
            system, file.file, file.name, file.size, **words, by=request.user
        )
    except ValidationError as refusal:
        explain(form, refusal)
        return _imports_page(request, system, form=form, status=422)
    if shown.token:
        return redirect("evidence:finding_import_preview", slug, shown.token)
    return render(
        request, "evidence/findings/import_preview.html", _preview(system, shown)
    )


def _importable(request: SignedInRequest, slug: str) -> System:
    """The system, where the person may record what failed."""
    system = system_or_404(request, slug)
    try:
        require_recorder(system, request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    return system


def _preview(system: System, shown: Any, **more: Any) -> dict[str, Any]:
    plan = shown.plan
    return {"system": system, "shown": shown, "plan": plan, "limit": SHOWN} | more


@require_GET
def finding_import_preview(
    request: SignedInRequest, slug: str, token: Any
) -> HttpResponse:
    """What would the file change? Nothing counts yet."""
    system = _importable(request, slug)
    try:
        shown = previewed(system, str(token), by=request.user)
    except TransitionNotAllowed as gone:
        if was_imported(system, str(token), by=request.user):
            messages.info(request, SAME_AGAIN)
        else:
            messages.error(request, " ".join(gone.messages))
        return redirect("evidence:finding_imports", slug)
    return render(
        request, "evidence/findings/import_preview.html", _preview(system, shown)
    )


@require_POST
def finding_import_confirm(
    request: SignedInRequest, slug: str, token: Any
) -> HttpResponse:
    """Record what the preview showed, without the lines that were not taken."""
    system = _importable(request, slug)
    leave_out = request.POST.get("leave_out") == "yes"
    if earlier := was_imported(system, str(token), by=request.user):
        messages.info(request, SAME_AGAIN)
        return redirect("evidence:finding_imports", earlier.system.slug)
    try:
        made = confirm_import(system, str(token), leave_out=leave_out, by=request.user)
    except ValidationError as refusal:
        form = FindingImportForm()
        for sentence in refusal.messages:
            messages.error(request, sentence)
        status = getattr(refusal, "status_code", 422)
        return _imports_page(request, system, form=form, status=status)
    messages.success(request, _what_is_next(made))
    return redirect("evidence:findings", slug)


def _what_is_next(made: FindingImport) -> str:
    observations = count_of(made.made, "failing observation,failing observations", "is")
    again = count_of(made.again, "known one,known ones", "was")
    sentences = [
        f"{observations} recorded, and {again} reported again. Explain each of them, or"
        " write a finding from it."
    ]
    if made.passed:
        passed = count_of(made.passed, "known one,known ones", "is")
        sentences.append(f"{passed} called passed: that closes nothing by itself.")
    if made.refused:
        sentences.append(f"{count_of(made.refused, 'line', 'was')} left out.")
    return " ".join(sentences)
