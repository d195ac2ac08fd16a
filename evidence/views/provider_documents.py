"""What the provider itself says: its documents, imported, compared, ended."""

from __future__ import annotations

import csv
import uuid as uuids
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from controls.access import is_officer
from controls.errors import NotPermitted, TransitionNotAllowed
from controls.grammar import count_of
from controls.models import (
    AuditEvent,
    IdempotencyKey,
    ProviderDocument,
    ProviderStatement,
    System,
)
from controls.oscal.plans import MAX_PLAN_BYTES
from controls.provider_documents.adopt import request_adoption, request_end
from controls.provider_documents.compare import DocumentPreview, preview
from controls.provider_documents.rows import Statements, read_statements
from evidence.exports.rows.cells import EXCEL_MARK
from evidence.forms.provider_documents import EndDocumentForm, ProviderUploadForm
from evidence.status.control_status import today_of
from evidence.systems.provider_documents import template_rows
from evidence.views.access import require_officer_page, system_or_404
from evidence.views.answers import refused, say_it_waits
from evidence.views.long_forms import long_form
from evidence.views.once import SAME_AGAIN, once
from srm_project.requests import SignedInRequest

PREVIEW_SECONDS = 60 * 60
GONE = "This preview is no longer there: send the file again."


@require_GET
def documents(request: SignedInRequest, slug: str) -> HttpResponse:
    """Which documents of the provider rule here, and where do they differ from ours?"""
    return _documents_page(request, system_or_404(request, slug))


def _documents_page(
    request: SignedInRequest, system: System, *, status: int = 200, **more: Any
) -> HttpResponse:
    statements = ProviderStatement.objects.filter(document__system=system)
    page = {
        "system": system,
        "officer": is_officer(request.user, system),
        "documents": system.provider_documents.for_listing(),
        "differences": statements.in_force(today_of(system)).differing().for_listing(),
        "form": ProviderUploadForm(),
    }
    return render(
        request, "evidence/provider_documents/list.html", page | more, status=status
    )


@require_POST
@long_form(MAX_PLAN_BYTES)
def upload(request: SignedInRequest, slug: str) -> HttpResponse:
    """Read a file; where it speaks of a control of the system, go on to the preview."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    form = ProviderUploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _documents_page(request, system, form=form, status=422)
    try:
        read = read_statements(*form.files_to_read())
    except ValidationError as refusal:
        form.add_error("file", refusal.messages)
        return _documents_page(request, system, form=form, status=422)
    compared = preview(system, read, today=today_of(system))
    if not compared.stated:
        return _with_errors(request, system, form, compared)
    token = _keep(request, system, form.facts(), read)
    return redirect("evidence:provider_preview", system.slug, token)


def _with_errors(
    request: SignedInRequest,
    system: System,
    form: ProviderUploadForm,
    compared: DocumentPreview,
) -> HttpResponse:
    """The form again, with every line that is wrong; nothing is kept."""
    if compared.errors:
        lines = count_of(len(compared.errors), "line", "is")
        form.add_error("file", f"{lines} not understood; nothing is imported.")
    else:
        form.add_error("file", "The file speaks of no control of this system.")
    return _documents_page(
        request,
        system,
        form=form,
        row_errors=compared.errors,
        left_out=compared.left_out,
        status=422,
    )


def _key(request: SignedInRequest, system: System, token: Any) -> str:
    return f"provider-preview:{system.pk}:{request.user.pk}:{token}"


def _keep(
    request: SignedInRequest, system: System, facts: dict[str, Any], read: Statements
) -> str:
    """Put a read file aside for the person who sent it, for an hour."""
    token = str(uuids.uuid4())
    cache.set(_key(request, system, token), (facts, read), PREVIEW_SECONDS)
    return token


@require_GET
def provider_preview(request: SignedInRequest, slug: str, token: Any) -> HttpResponse:
    """What would change? The differences as a list, before anything is saved."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    kept = cache.get(_key(request, system, token))
    if kept is None:
        return _gone(request, system, token)
    facts, read = kept
    compared = preview(system, read, today=today_of(system))
    page = {"system": system, "token": token, "facts": facts, "read": read}
    page |= {"compared": compared, "earlier": _earlier(system, facts["title"])}
    return render(request, "evidence/provider_documents/preview.html", page)


def _earlier(system: System, title: str) -> ProviderDocument | None:
    return system.provider_documents.current().titled(title).first()


def _gone(request: SignedInRequest, system: System, token: Any) -> HttpResponse:
    """To what the preview became, or to where the file can be sent again."""
    adopting = reverse("evidence:provider_adopt", args=[system.slug, token])
    used = IdempotencyKey.objects.filter(
        user=request.user.pk, key=str(token), route=f"POST {adopting}"
    ).first()
    if used is not None:
        messages.info(request, SAME_AGAIN)
        return redirect(used.headers["Location"])
    messages.error(request, GONE)
    return redirect("evidence:provider", system.slug)


@require_POST
@once
def provider_adopt(request: SignedInRequest, slug: str, token: Any) -> HttpResponse:
    """Ask that the document rules; without the lines not placed where the person says
    so."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    kept = cache.get(_key(request, system, token))
    if kept is None:
        messages.error(request, GONE)
        return _documents_page(request, system, status=409)
    facts, read = kept
    try:
        document = request_adoption(
            system,
            read,
            **facts,
            by=request.user,
            today=today_of(system),
            leave_out=request.POST.get("leave_out") == "yes",
        )
    except ValidationError as refusal:
        form = ProviderUploadForm(facts)
        return _refused(request, system, form, refusal)
    cache.delete(_key(request, system, token))
    say_it_waits(request, document.system, _what_is_next(document))
    return redirect("evidence:provider_document", document.uuid)


def _what_is_next(document: ProviderDocument) -> str:
    differing = document.statements.differing().count()
    next_step = (
        f"“{document}” waits for a second officer: once approved, it rules from"
        f" {document.starts_on}."
    )
    if not differing:
        return f"{next_step} It agrees with our template everywhere."
    controls = count_of(differing, "control", "has")
    return f"{next_step} {controls} another class by it: read them below."


def _refused(
    request: SignedInRequest,
    system: System,
    form: ProviderUploadForm,
    refusal: ValidationError,
) -> HttpResponse:
    if isinstance(refusal, NotPermitted):
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    form.full_clean()
    form.errors.pop("file", None)
    form.add_error(None, refusal.messages)
    status = 409 if isinstance(refusal, TransitionNotAllowed) else 422
    return _documents_page(request, system, form=form, status=status)


@require_GET
def template_csv(request: SignedInRequest, slug: str) -> HttpResponse:
    """A file to fill in: every control of the system, one line each."""
    system = system_or_404(request, slug)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"{system.slug}-provider-statements.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.write(EXCEL_MARK)
    csv.writer(answer).writerows(template_rows(system))
    return answer


@require_GET
def document(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """What does this document say, and where did it differ from the template?"""
    return _document_page(request, document_or_404(request, uuid))


def document_or_404(request: SignedInRequest, uuid: Any) -> ProviderDocument:
    """A document of a system that the person may read."""
    mine = ProviderDocument.objects.visible_to(request.user).for_listing()
    return get_object_or_404(mine, uuid=uuid)


def _document_page(
    request: SignedInRequest,
    shown: ProviderDocument,
    *,
    form: EndDocumentForm | None = None,
    status: int = 200,
) -> HttpResponse:
    statements = shown.statements.for_listing()
    page = {
        "document": shown,
        "system": shown.system,
        "statements": statements,
        "differences": [statement for statement in statements if statement.differs],
        "events": AuditEvent.objects.visible_to(request.user).of_subject(shown),
        "officer": is_officer(request.user, shown.system),
        "form": form or EndDocumentForm(today=today_of(shown.system)),
    }
    return render(
        request, "evidence/provider_documents/detail.html", page, status=status
    )


@require_POST
def document_end(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Ask that from a day on the template holds again."""
    shown = document_or_404(request, uuid)
    require_officer_page(request.user, shown.system)
    form = EndDocumentForm(request.POST, today=today_of(shown.system))
    if not form.is_valid():
        return _document_page(request, shown, form=form, status=422)
    try:
        today = today_of(shown.system)
        request_end(shown, **form.cleaned_data, by=request.user, today=today)
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except TransitionNotAllowed as refusal:  # the page may have no form for it
        back = redirect("evidence:provider_document", shown.uuid)["Location"]
        return refused(request, refusal, back=back)
    except ValidationError as refusal:
        form.add_error(None, refusal.messages)
        return _document_page(request, shown, form=form, status=422)
    say_it_waits(
        request,
        shown.system,
        "The end waits for a second officer: once approved, the template holds again"
        f" from {form.cleaned_data['ended_on']}.",
    )
    return redirect("evidence:provider_document", shown.uuid)
