"""One search for what has a page of its own."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from evidence.forms.search import SearchForm
from evidence.systems.search import MAX_SHOWN, search
from srm_project.requests import SignedInRequest


@require_GET
def results(request: SignedInRequest) -> HttpResponse:
    """Which control, evidence, report or request is meant?"""
    form = SearchForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    page = {
        "form": form,
        "text": text,
        "matches": search(request.user, text),
        "max_shown": MAX_SHOWN,
    }
    return render(request, "evidence/search/results.html", page)
