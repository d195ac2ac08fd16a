"""Lists by pages, or whole on one page: what is printed leaves nothing out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Page, Paginator

from srm_project.requests import SignedInRequest

PER_PAGE = 25


def page_of(request: SignedInRequest, rows: Sequence[Any]) -> Page[Any]:
    """The page that `?page=` names; with `?whole=yes` all rows at once."""
    whole = request.GET.get("whole") == "yes"
    per_page = len(rows) or 1 if whole else PER_PAGE
    page: Page[Any] = Paginator(rows, per_page).get_page(request.GET.get("page"))
    return page
