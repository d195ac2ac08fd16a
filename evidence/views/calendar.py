"""What falls due, month by month, and the step to the next audit window."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from controls import clock
from controls.errors import NotPermitted, Refused
from controls.models import System
from controls.models.systems import systems_by_day
from evidence.forms.calendar import Month, NextWindowForm, TeamFilter, month_of
from evidence.planning.calendar import (
    CalendarScope,
    Due,
    falling_due,
    own_teams,
)
from evidence.planning.roll_forward import (
    earlier_windows,
    following,
    preview,
    roll_forward,
)
from evidence.views.access import require_officer_page, system_or_404
from evidence.views.answers import explain, refused
from srm_project.requests import SignedInRequest

LISTED = 50  # of a day; the rest where that day is asked for
MAX_DIGITS = 10  # of the version of a row


@dataclass(frozen=True)
class Cell:
    """One day of the grid: how many things of each word."""

    day: dt.date
    inside: bool
    counts: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class DueDay:
    """What falls due on one day; at most so many of it are listed."""

    day: dt.date
    items: tuple[Due, ...]
    most: int

    @property
    def listed(self) -> tuple[Due, ...]:
        """The first of them."""
        return self.items[: self.most]

    @property
    def more(self) -> int:
        """How many are left out."""
        return len(self.items) - len(self.listed)


@require_GET
def calendar_of_system(request: SignedInRequest, slug: str) -> HttpResponse:
    """What falls due in this system?"""
    system = system_or_404(request, slug)
    chosen = TeamFilter(request.GET)
    chosen.is_valid()
    team = chosen.cleaned_data.get("team")
    teams = frozenset([team.pk]) if team else None
    context = {"system": system, "filter": chosen}
    return _page(request, [system], teams, context)


@require_GET
def my_calendar(request: SignedInRequest) -> HttpResponse:
    """What falls due for my teams, or in my systems?"""
    systems = list(System.objects.visible_to(request.user).order_by("name"))
    teams = own_teams(request.user)
    context = {"mine": teams is not None}
    return _page(request, systems, teams, context)


def _page(
    request: SignedInRequest,
    systems: Sequence[System],
    teams: frozenset[int] | None,
    context: dict[str, Any],
) -> HttpResponse:
    """The month that is asked for, else the one that not every system has left."""
    now = clock.now()
    todays = sorted(systems_by_day(systems, now)) or [clock.today()]
    month = month_of(request.GET.get("month", ""), todays[0])
    scope = CalendarScope(month.first, month.last, systems, teams)
    due = falling_due(scope, user=request.user, now=now)
    shown = {
        "month": month,
        "todays": todays,
        "weeks": _grid(month, due),
        "days": _by_day(due, request.GET.get("day", "")),
        "team": request.GET.get("team", ""),
    }
    return render(request, "evidence/calendar/page.html", context | shown)


def _grid(month: Month, due: Sequence[Due]) -> list[list[Cell]]:
    counted: dict[dt.date, Counter[tuple[str, str]]] = {}
    for item in due:
        words = counted.setdefault(item.day, Counter())
        words[(item.state, item.word or item.kind)] += 1
    return [
        [
            Cell(
                day,
                day.month == month.first.month,
                tuple(
                    (state, word, number)
                    for (state, word), number in sorted(
                        counted.get(day, Counter()).items()
                    )
                ),
            )
            for day in week
        ]
        for week in month.weeks()
    ]


def _by_day(due: Sequence[Due], whole_day: str) -> list[DueDay]:
    """What falls due day by day; all of it of the day that `?day=` names."""
    days: dict[dt.date, list[Due]] = {}
    for item in due:
        days.setdefault(item.day, []).append(item)
    return [
        DueDay(day, tuple(items), len(items) if str(day) == whole_day else LISTED)
        for day, items in sorted(days.items())
    ]


@require_http_methods(["GET", "POST"])
def roll_forward_page(request: SignedInRequest, slug: str) -> HttpResponse:
    """What would the next audit window start with? Confirm it."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    start, end = following(system)
    form_data = request.POST if request.method == "POST" else request.GET
    first = {"window_from": start, "window_to": end}
    form = NextWindowForm(form_data if "window_from" in form_data else first)
    next_window, status, days = None, 200, None
    try:
        if not form.is_valid():
            raise Refused("Those days are no window.")
        days = form.cleaned_data["window_from"], form.cleaned_data["window_to"]
        if request.method == "POST":
            roll_forward(system, *days, **_confirmed(request), by=request.user)
            messages.success(request, f"The audit window is {days[0]} to {days[1]}.")
            return redirect("evidence:dashboard", slug)
        next_window = preview(system, *days)
    except NotPermitted as refusal:
        return refused(request, refusal)
    except ValidationError as refusal:
        if days:
            explain(form, refusal)
            next_window = _again(system, *days)
        status = getattr(refusal, "status_code", 400)
    context = {
        "system": system,
        "form": form,
        "found": next_window,
        "earlier": earlier_windows(system),
    }
    return render(
        request, "evidence/calendar/roll_forward.html", context, status=status
    )


def _again(system: System, start: dt.date, end: dt.date) -> Any:
    try:
        return preview(system, start, end)
    except ValidationError:
        return None


def _confirmed(request: SignedInRequest) -> dict[str, Any]:
    version = request.POST.get("version", "")
    written = version.isascii() and version.isdigit() and len(version) < MAX_DIGITS
    return {
        "seen": request.POST.get("seen", ""),
        "confirmed": frozenset(request.POST.getlist("confirmed")),
        "version": int(version) if written else -1,
    }
