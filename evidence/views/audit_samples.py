"""The auditor's populations and samples: from each item to its files on one page."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Page, Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from controls import clock
from controls.errors import NotPermitted, Refused
from controls.grammar import count_of
from evidence.engagements.item_results import ResultDraft, record_results
from evidence.engagements.samples import (
    MAX_POPULATIONS,
    items_to_test,
    populations_of,
)
from evidence.engagements.who_may import require_marker
from evidence.forms.audits import ResultTyped, result_typed
from evidence.models import Sample, SampleItem, TestedItem
from evidence.models.marks import ItemResult
from evidence.views.answers import refused
from evidence.views.audits import Audit, audit_or_404
from srm_project.requests import SignedInRequest

PER_PAGE = 25  # items with their files
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@require_GET
def audit_samples(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Which populations and samples are there, and how far are they tested?"""
    opened = audit_or_404(request, uuid)
    rows = populations_of(opened.engagement, opened.clocks.window, opened.scope)
    context = opened.context(request) | {
        "populations": rows[:MAX_POPULATIONS],
        "more": len(rows) > MAX_POPULATIONS,
    }
    return render(request, "evidence/engagements/samples.html", context)


@require_GET
def audit_sample(request: SignedInRequest, uuid: Any, sample: Any) -> HttpResponse:
    """Does each sampled event hold, by its files?"""
    opened = audit_or_404(request, uuid)
    return _sample_page(request, opened, _sample_or_404(request, opened, sample))


def _sample_or_404(request: SignedInRequest, opened: Audit, uuid: Any) -> Sample:
    mine = Sample.objects.visible_to(request.user).filter(system=opened.system)
    row: Sample = get_object_or_404(mine.for_listing(), uuid=uuid)
    return row


def _is_in_scope(opened: Audit, row: Sample) -> bool:
    control = row.population.requirement.implementation.control
    return control.ref_id in opened.scope


def _sample_page(
    request: SignedInRequest,
    opened: Audit,
    row: Sample,
    refusal: ValidationError | None = None,
) -> HttpResponse:
    """The events of one page, each with its files and result; after a refusal with
    what was typed, and its status."""
    pages = Paginator(row.items.for_listing(), PER_PAGE)
    page: Page[Any] = pages.get_page(request.GET.get("page"))
    typed = request.POST.dict()
    page.object_list = [
        (one, ResultTyped.of(one.tested), result_typed(typed, one.item.uuid))
        for one in items_to_test(
            opened.engagement, list(page.object_list), reader=request.user
        )
    ]
    context = opened.context(request) | {
        "sample": row,
        "page": page,
        "results": ItemResult.choices,
        "out_of_scope": not _is_in_scope(opened, row),
        "refused": refusal.messages if refusal else [],
    }
    status = getattr(refusal, "status_code", 422) if refusal else 200
    page_name = "evidence/engagements/sample.html"
    return render(request, page_name, context, status=status)


@require_POST
def results_save(request: SignedInRequest, uuid: Any, sample: Any) -> HttpResponse:
    """Record what was found of the events of a page, all in one act."""
    opened = audit_or_404(request, uuid)
    row = _sample_or_404(request, opened, sample)
    here = reverse("evidence:audit_sample", args=[uuid, sample])
    try:
        require_marker(opened.engagement, by=request.user)
        saved = record_results(
            opened.engagement,
            _drafts(request, row),
            by=request.user,
            now=clock.now(),
        )
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except ValidationError as refusal:
        if _is_in_scope(opened, row):
            return _sample_page(request, opened, row, refusal)
        return refused(request, refusal, back=here)  # the page has no form
    if saved:
        messages.success(request, _what_was_saved(saved))
    else:
        messages.info(request, "No result was changed, so nothing was saved.")
    query = request.GET.urlencode()
    return redirect(f"{here}?{query}" if query else here)


def _drafts(request: SignedInRequest, row: Sample) -> dict[SampleItem, ResultDraft]:
    """The results that were changed. Raises Refused with a sentence for each event
    that is filled in wrongly."""
    named = [uuid for uuid in map(_uuid_in, request.POST) if uuid][:PER_PAGE]
    items = SampleItem.objects.visible_to(request.user).for_upload()
    drafts, wrong = {}, []
    for item in items.filter(sample=row, uuid__in=named).order_by("pk"):
        typed = result_typed(request.POST.dict(), item.uuid)
        if typed is None or not typed.changed:
            continue
        try:
            drafts[item] = typed.draft(item.item.key)
        except ValidationError as refusal:
            wrong += refusal.messages
    if wrong:
        raise Refused(wrong)
    return drafts


def _uuid_in(name: str) -> str:
    """The event that a hidden field of the form is about; empty for another field."""
    text = name.removeprefix("seen-")
    return text if text != name and UUID.fullmatch(text) else ""


def _what_was_saved(saved: list[TestedItem]) -> str:
    exceptions = sum(row.result == ItemResult.EXCEPTION for row in saved)
    number = count_of(len(saved), "result", "is")
    return f"{number} saved, {count_of(exceptions, 'exception')} among them."
