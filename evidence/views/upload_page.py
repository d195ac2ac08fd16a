"""The upload form as a page: what it begins with, and what stands beside it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

from controls.implementation import is_asked_for
from evidence.forms.uploads import UploadForm, first_values
from evidence.models import (
    Evidence,
    RequirementControl,
    SampleItem,
)
from evidence.planning.asks import Ask
from evidence.planning.open_periods import DuePeriod
from evidence.status.cadence import occurrence_of, proof_end
from evidence.submissions.same_again import again_values
from evidence.views.upload_target import Target
from srm_project.requests import SignedInRequest


def initial_values(
    request: SignedInRequest, target: Target, today: dt.date
) -> dict[str, Any]:
    """What the form begins with: the days due; with `again`, the last time's words."""
    requirement = target.standing
    standing = target.asked_on(today)
    if requirement is None or standing is None:
        return first_values("", today, today, today)
    if target.item is not None:
        return _initial_values_of_item(target.item, requirement, today)
    period = chosen_period(request, standing)
    first = first_values(requirement.title, period.first, period.last, today)
    again = request.GET.get("again", "")
    if not again:
        return first
    visible = Evidence.objects.visible_to(request.user)
    return first | again_values(visible, again, requirement, period.first)


def _initial_values_of_item(
    sample_item: SampleItem, requirement: RequirementControl, today: dt.date
) -> dict[str, Any]:
    """The event's own day; the period from then to today, when it was handled."""
    event = sample_item.item
    title = f"{requirement.title}: {event.key}"[:200]
    first = first_values(title, event.happened_on, today, today)
    return first | {"performed_on": event.happened_on}


def chosen_period(request: SignedInRequest, standing: Ask) -> DuePeriod:
    """The open period that `?period=` names by its first day, else the oldest one."""
    named = request.GET.get("period", "")
    chosen = (row for row in standing.open_periods if str(row.first) == named)
    return next(chosen, standing.period)


def upload_page(
    request: SignedInRequest,
    form: UploadForm,
    target: Target,
    today: dt.date,
    *,
    status: int = 200,
) -> HttpResponse:
    """The form as somebody filled it in, beside what it is for and where it stands."""
    requirement = target.standing
    context = {
        "form": form,
        "target": target,
        "requirement": requirement,
        "item": target.item,
        "limit_bytes": settings.MAX_UPLOAD_BYTES,
        "ask_about_status": is_asked_for(target.implementation)
        and "implementation_status" not in form.fields,
    }
    standing = target.asked_on(today)
    if requirement and standing:
        period = chosen_period(request, standing)
        context |= {
            "standing": standing,
            "period": period,
            "carries_from": today,
            "carries_to": _carries_to(requirement, period, today),
            "last": requirement.proven_evidence,  # type: ignore[attr-defined]
        }
    status = 400 if form.errors and status == 200 else status
    return render(request, "evidence/evidence/upload.html", context, status=status)


def _carries_to(
    requirement: RequirementControl, period: DuePeriod, today: dt.date
) -> dt.date | None:
    occurrence = occurrence_of(requirement.cadence, period.last)
    return proof_end(requirement.cadence, occurrence, today, requirement.grace_days)
