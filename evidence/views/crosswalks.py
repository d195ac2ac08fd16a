"""The regime's own numbers: imported, listed with their verdict, each on its page."""

from __future__ import annotations

import csv
import uuid as uuids
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from controls.crosswalks.adopt import (
    CrosswalkPreview,
    adopt,
    preview,
    versions_followed,
)
from controls.crosswalks.rows import CrosswalkFile, read_crosswalk
from controls.errors import NotPermitted, TransitionNotAllowed
from controls.grammar import count_of
from controls.models import Crosswalk, IdempotencyKey, System
from evidence.exports.formats.status_csv import EXCEL_MARK
from evidence.forms.clocks import clocks_of
from evidence.forms.crosswalks import CrosswalkForm
from evidence.status.control_status import today_of
from evidence.status.criteria import criteria, criterion
from evidence.views.access import require_officer_page, system_or_404
from evidence.views.once import SAME_AGAIN, once
from evidence.views.systems import is_officer
from srm_project.requests import SignedInRequest

PREVIEW_SECONDS = 60 * 60
GONE = "This preview is no longer there: send the file again."
TEMPLATE_HEADER = ("Control ID", "Number", "Title")


@require_GET
def numbers(request: SignedInRequest, slug: str) -> HttpResponse:
    """Which numbers of the regime are proven, and by which controls?"""
    return _numbers_page(request, system_or_404(request, slug))


def _numbers_page(
    request: SignedInRequest, system: System, *, status: int = 200, **more: Any
) -> HttpResponse:
    clocks = clocks_of(request, system)
    page = {
        "system": system,
        "clocks": clocks,
        "here": reverse("evidence:numbers", args=[system.slug]),
        "officer": is_officer(request.user, system),
        "criteria": criteria(system, clocks.moment),
        "crosswalks": Crosswalk.objects.filter(system=system).for_listing(),
        "form": CrosswalkForm(
            initial={
                "title": system.get_regime_display(),
                "starts_on": clocks.today,
            }
        ),
    }
    return render(request, "evidence/crosswalks/list.html", page | more, status=status)


@require_GET
def number(request: SignedInRequest, slug: str, number: str) -> HttpResponse:
    """Which controls answer to this number, and how good is the worst?"""
    system = system_or_404(request, slug)
    clocks = clocks_of(request, system)
    shown = criterion(system, clocks.moment, number)
    if shown is None and clocks.now:
        raise Http404("No control answers to this number.")
    page = {
        "system": system,
        "clocks": clocks,
        "here": reverse("evidence:number", args=[system.slug, number]),
        "number": number,
        "criterion": shown,
    }
    return render(request, "evidence/crosswalks/number.html", page)


@require_GET
def numbers_template(request: SignedInRequest, slug: str) -> HttpResponse:
    """A file to fill in: every control of the system, one line each."""
    system = system_or_404(request, slug)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"{system.slug}-regime-numbers.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.write(EXCEL_MARK)
    rows = csv.writer(answer)
    rows.writerow(TEMPLATE_HEADER)
    controls = system.implementations.in_catalog_order()
    for label, title in controls.values_list("control__label", "control__title"):
        rows.writerow([label, "", title])
    return answer


@require_POST
def numbers_upload(request: SignedInRequest, slug: str) -> HttpResponse:
    """Read a file; where it speaks of a control of the system, go on to the preview."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    form = CrosswalkForm(request.POST, request.FILES)
    if not form.is_valid():
        return _numbers_page(request, system, form=form, status=422)
    file = form.cleaned_data["file"]
    try:
        read = read_crosswalk(file, file.name)
    except ValidationError as refusal:
        form.add_error("file", refusal.messages)
        return _numbers_page(request, system, form=form, status=422)
    compared = preview(system, read)
    if not compared.stated:
        form.add_error("file", _nothing_stated(compared))
        errors = {"row_errors": compared.errors}
        return _numbers_page(request, system, form=form, status=422, **errors)
    token = str(uuids.uuid4())
    facts = form.facts()
    shown = versions_followed(system, facts["title"], facts["starts_on"])
    facts["followed"] = list(shown.values_list("pk", flat=True))
    cache.set(_key(request, system, token), (facts, read), timeout=PREVIEW_SECONDS)
    return redirect("evidence:numbers_preview", system.slug, token)


def _nothing_stated(compared: CrosswalkPreview) -> str:
    if compared.errors:
        lines = count_of(len(compared.errors), "line", "is")
        return f"{lines} not understood; nothing is imported."
    return "The file speaks of no control of this system."


def _key(request: SignedInRequest, system: System, token: Any) -> str:
    return f"crosswalk-preview:{system.pk}:{request.user.pk}:{token}"


def _kept(
    request: SignedInRequest, system: System, token: Any
) -> tuple[dict[str, Any], CrosswalkFile] | None:
    kept: tuple[dict[str, Any], CrosswalkFile] | None
    kept = cache.get(_key(request, system, token))
    return kept


@require_GET
def numbers_preview(request: SignedInRequest, slug: str, token: Any) -> HttpResponse:
    """What would stand beside the controls? Nothing is saved yet."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    kept = _kept(request, system, token)
    if kept is None:
        return _gone(request, system, token)
    facts, read = kept
    followed = versions_followed(system, facts["title"], facts["starts_on"])
    compared = preview(system, read)
    page = {
        "system": system,
        "token": token,
        "facts": facts,
        "read": read,
        "compared": compared,
        "left": compared.left_by(followed.first()),
        "followed": followed,
    }
    return render(request, "evidence/crosswalks/preview.html", page)


def _gone(request: SignedInRequest, system: System, token: Any) -> HttpResponse:
    """To what the preview became, or to where the file can be sent again."""
    adopting = reverse("evidence:numbers_adopt", args=[system.slug, token])
    used = IdempotencyKey.objects.filter(
        user=request.user.pk, key=str(token), route=f"POST {adopting}"
    ).first()
    if used is not None:
        messages.info(request, SAME_AGAIN)
    else:
        messages.error(request, GONE)
    return redirect("evidence:numbers", system.slug)


@require_POST
@once
def numbers_adopt(request: SignedInRequest, slug: str, token: Any) -> HttpResponse:
    """Let the numbers stand beside the controls from their day on."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    kept = _kept(request, system, token)
    if kept is None:
        messages.error(request, GONE)
        return _numbers_page(request, system, status=409)
    facts, read = kept
    leave_out = request.POST.get("leave_out") == "yes"
    try:
        crosswalk = adopt(
            system,
            read,
            **facts,
            by=request.user,
            today=today_of(system),
            leave_out=leave_out,
        )
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except ValidationError as refusal:
        form = CrosswalkForm(facts)
        form.full_clean()
        form.errors.pop("file", None)
        form.add_error(None, refusal.messages)
        status = 409 if isinstance(refusal, TransitionNotAllowed) else 422
        return _numbers_page(request, system, form=form, status=status)
    cache.delete(_key(request, system, token))
    controls = crosswalk.numbers.values("implementation").distinct().count()
    messages.success(
        request,
        f"“{crosswalk.title}” stands beside {count_of(controls, 'control')} from"
        f" {crosswalk.starts_on}. The list of controls can be filtered by its numbers.",
    )
    return redirect("evidence:numbers", system.slug)
