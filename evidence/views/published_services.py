"""What AWS publishes about its services: which are known, and importing its files."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from controls.access import require_installation_officer
from controls.errors import NotPermitted
from controls.grammar import count_of
from controls.models import PublishedService, ServiceImport, ServiceLayer
from controls.oscal.components import MAX_ARCHIVE_BYTES
from controls.reference.published_services import (
    ImportOutcome,
    compare_services,
    import_services,
)
from evidence.forms.published_services import ComponentsForm
from evidence.views.long_forms import long_form
from srm_project.requests import SignedInRequest

PER_PAGE = 100


@csrf_exempt  # checked by `_answer`, once the person's right is known
@require_http_methods(["GET", "POST"])
def published_services(request: SignedInRequest) -> HttpResponse:
    """Which services does AWS describe, and which of them has nobody read yet?"""
    try:
        require_installation_officer(request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    response: HttpResponse = _answer(request)
    return response


@long_form(MAX_ARCHIVE_BYTES)
def _answer(request: SignedInRequest) -> HttpResponse:
    if request.method == "GET":
        return _page(request, ComponentsForm())
    form = ComponentsForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, status=422)
    sent = form.cleaned_data["file"]
    try:
        if "compare" in request.POST:
            outcome = compare_services(sent.file, by=request.user)
            return _page(request, ComponentsForm(), outcome=outcome)
        outcome = import_services(sent.file, source=sent.name, by=request.user)
    except ValidationError as refusal:
        form.add_error("file", refusal.messages)
        return _page(request, form, status=422)
    messages.success(request, _words(outcome))
    return redirect("evidence:published_services")


def _words(outcome: ImportOutcome) -> str:
    """What was done, and what is next."""
    difference = outcome.difference
    if difference.is_nothing:
        return "These files say what is known already: nothing was changed."
    added = count_of(len(difference.added), "new service,new services")
    joined = count_of(len(difference.joined), "service")
    changed = count_of(len(difference.changed), "service")
    return (
        f"{added} can be chosen now, not classified: all of each counts as yours until"
        f" somebody reads it. {joined} that we have joined, {changed} changed."
    )


def _page(
    request: SignedInRequest,
    form: ComponentsForm,
    *,
    status: int = 200,
    outcome: ImportOutcome | None = None,
) -> HttpResponse:
    layers = ServiceLayer.objects.filter(variant__service=OuterRef("service"))
    services = PublishedService.objects.select_related("service").annotate(
        is_read=Exists(layers), uses=Count("service__variants__uses", distinct=True)
    )
    services = services.order_by("is_read", "-uses", "title", "aws_id")
    page: Any = Paginator(services, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "outcome": outcome,
        "imports": ServiceImport.objects.select_related("imported_by")[:20],
        "page": page,
        "unread": services.filter(is_read=False).count(),
    }
    return render(
        request, "evidence/published_services/page.html", context, status=status
    )
