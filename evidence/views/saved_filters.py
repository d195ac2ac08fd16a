"""Filters of the list of controls that a person keeps under a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from controls import clock
from controls.models import System
from evidence.forms.controls import ControlFilter
from evidence.forms.saved_filters import RenameFilterForm, SavedFilterForm
from evidence.models import SavedFilter
from evidence.status.control_status import moment_of, named
from evidence.systems.saved_filters import (
    MAX_SAVED_FILTERS,
    delete_filter,
    rename_filter,
    save_filter,
)
from evidence.views.access import system_or_404
from evidence.views.answers import answer_with, explain
from srm_project.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
def saved_filters(request: SignedInRequest, slug: str) -> HttpResponse:
    """Which filters have I saved here, and may I save that of the address, too?"""
    system = system_or_404(request, slug)
    if request.method != "POST":
        return _page(request, system)
    form = SavedFilterForm(request.POST)
    if not form.is_valid():
        return _page(request, system, form=form, status=422)
    filters = ControlFilter(request.GET, rows=_controls_today(system)).filters()
    try:
        saved = save_filter(system, form.cleaned_data["name"], filters, by=request.user)
    except ValidationError as refusal:
        explain(form, refusal)
        return _page(request, system, form=form, status=422)
    messages.success(
        request, f"Saved as “{saved.name}”. You find it above the list of controls."
    )
    return redirect(f"{reverse('evidence:controls', args=[slug])}?{saved.query}")


@require_POST
def saved_filter_rename(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Give one of mine another name."""
    saved = _saved_or_404(request, slug, uuid)
    form = RenameFilterForm(request.POST, auto_id=f"{saved.uuid}_%s")
    if not form.is_valid():
        return _page(request, saved.system, rename=(saved, form), status=422)
    try:
        renamed = rename_filter(saved, **form.cleaned_data, by=request.user)
    except ValidationError as refusal:
        if getattr(refusal, "status_code", 400) != 400:
            return answer_with(request, refusal, _to_page(slug))
        explain(form, refusal)
        return _page(request, saved.system, rename=(saved, form), status=422)
    messages.success(request, f"“{saved.name}” is called “{renamed.name}” now.")
    return _to_page(slug)


@require_POST
def saved_filter_delete(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Forget one of mine."""
    saved = _saved_or_404(request, slug, uuid)
    delete_filter(saved)
    messages.success(
        request, f"“{saved.name}” is deleted. Links to the filtered list still work."
    )
    return _to_page(slug)


def _saved_or_404(request: SignedInRequest, slug: str, uuid: Any) -> SavedFilter:
    mine = SavedFilter.objects.visible_to(request.user).select_related("system")
    return get_object_or_404(mine, system__slug=slug, uuid=uuid)


def _controls_today(system: System) -> list[Mapping[str, Any]]:
    """The rows that the choices of a filter come from."""
    return named(system, moment_of(system, system.day_of(clock.now()), None))


def _to_page(slug: str) -> HttpResponse:
    return redirect("evidence:saved_filters", slug)


def _page(
    request: SignedInRequest,
    system: System,
    *,
    form: SavedFilterForm | None = None,
    rename: tuple[SavedFilter, RenameFilterForm] | None = None,
    status: int = 200,
) -> HttpResponse:
    mine = SavedFilter.objects.visible_to(request.user).filter(system=system)
    controls, rows = _controls_today(system), []
    for saved in mine:
        of_row = RenameFilterForm(
            initial={"name": saved.name, "version": saved.version},
            auto_id=f"{saved.uuid}_%s",
        )
        if rename and rename[0].pk == saved.pk:
            of_row = rename[1]
        words = ControlFilter(saved.filters, rows=controls).words()
        rows.append((saved, ", ".join(words), of_row))
    context = {
        "system": system,
        "rows": rows,
        "max_filters": MAX_SAVED_FILTERS,
        "query": request.GET.urlencode(),
        "words": ", ".join(ControlFilter(request.GET, rows=controls).words()),
        "save_form": form,
        "form": form or (rename[1] if rename else None),
    }
    return render(request, "evidence/controls/saved.html", context, status=status)
