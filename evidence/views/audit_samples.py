"""The auditor's populations and samples: from each item to its files on one page."""

from __future__ import annotations

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
from evidence.engagements.item_results import record_result
from evidence.engagements.samples import (
    MAX_POPULATIONS,
    items_to_test,
    populations_of,
)
from evidence.forms.audits import ItemResultForm
from evidence.models import Sample, SampleItem
from evidence.models.marks import ItemResult
from evidence.views.answers import refused
from evidence.views.audits import audit_or_404, engagement_or_404
from srm_project.requests import SignedInRequest

PER_PAGE = 25  # items with their files


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
    mine = Sample.objects.visible_to(request.user).filter(system=opened.system)
    row = get_object_or_404(mine.for_listing(), uuid=sample)
    pages = Paginator(row.items.for_listing(), PER_PAGE)
    page: Page[Any] = pages.get_page(request.GET.get("page"))
    page.object_list = items_to_test(
        opened.engagement, list(page.object_list), reader=request.user
    )
    control = row.population.requirement.implementation.control
    context = opened.context(request) | {
        "sample": row,
        "page": page,
        "results": ItemResult.choices,
        "out_of_scope": control.ref_id not in opened.scope,
    }
    return render(request, "evidence/engagements/sample.html", context)


@require_POST
def item_result(request: SignedInRequest, uuid: Any, item: Any) -> HttpResponse:
    """Record what was found of one sampled event."""
    engagement = engagement_or_404(request, uuid)
    mine = SampleItem.objects.visible_to(request.user).for_upload()
    row = get_object_or_404(mine, uuid=item, sample__system=engagement.system_id)
    parts = [engagement.uuid, row.sample.uuid]
    back = reverse("evidence:audit_sample", args=parts)
    form = ItemResultForm(request.POST)
    try:
        if not form.is_valid():
            raise Refused([str(e) for errors in form.errors.values() for e in errors])
        saved = record_result(
            engagement,
            row,
            result=form.cleaned_data["result"],
            note=form.cleaned_data["note"],
            by=request.user,
            now=clock.now(),
            version=form.cleaned_data["version"],
        )
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except ValidationError as refusal:
        return refused(request, refusal, back=back)
    result = saved.get_result_display().lower()
    messages.success(request, f"{row.item.key} is tested: {result}.")
    return redirect(f"{back}#item-{row.pk}")
