"""The upload form as a page: what it begins with, and what stands beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

from controls.implementation import is_asked_for
from evidence.forms.uploads import UploadForm
from evidence.models import Evidence, EvidenceLink
from evidence.planning.asks import Ask
from evidence.planning.next_upload import next_upload, rows_asked
from evidence.planning.open_periods import DuePeriod, period_due
from evidence.planning.prospect import Prospect, prospect_of
from evidence.submissions.same_again import again_values, period_named, title_of
from evidence.submissions.twins import Twin
from evidence.views.picker import PART, Picker, picker_of
from evidence.views.upload_target import Target
from srm_project.requests import SignedInRequest

OLDEST, NEWEST = 4, 3  # open periods that are offered by name where there are more
COUNTS = "counts"  # how the ids of parts begin that say what it counts as
DAYS_TYPED = ("performed_on", "period", "period_start", "period_end")


def initial_values(
    request: SignedInRequest, target: Target, today: dt.date
) -> dict[str, Any]:
    """What the form begins with: the days due; with `again`, the last time's words.

    A query may name the period by its first day, the day of performance and further
    asks.
    """
    period = chosen_period(request, target, today)
    name = period_named(target.cadence, period.first, period.last) or str(period.last)
    title = title_of(target.called, name)
    values: dict[str, Any] = {
        "title": title,
        "title_made": title,
        "performed_on": target.item.item.happened_on if target.item else today,
        "period": period.key,
        "period_start": period.first,
        "period_end": period.last,
        "collected_on": today,
        "also": request.GET.getlist("also") or _companions(target, today, period),
    }
    if again := request.GET.get("again", ""):
        visible = Evidence.objects.visible_to(request.user)
        if target.requirement is not None:
            values |= again_values(visible, again, target.requirement)
    typed = {name: request.GET[name] for name in DAYS_TYPED if name in request.GET}
    if len(typed.get("period", "")) == len(str(today)):
        del typed["period"]  # a link names a period by its first day alone
    return values | typed


def _companions(target: Target, today: dt.date, period: DuePeriod) -> list[str]:
    """The other controls of a joined ask that are open in the chosen period."""
    requirement = target.requirement
    if requirement is None or requirement.joined is None or target.item is not None:
        return []
    named = next_upload(rows_asked(requirement.joined, today), today, period).rows
    return [str(row.pk) for row in named if row.pk != requirement.pk]


def typed_values(request: SignedInRequest) -> dict[str, Any]:
    """What a person typed into a form that was sent only to search for asks."""
    values: dict[str, Any] = dict(request.POST.items())
    return values | {"also": request.POST.getlist("also")}


def periods_offered(target: Target, today: dt.date, named: str = "") -> list[DuePeriod]:
    """The open periods, oldest first, and the running one.

    Of many the oldest, the newest, and the one `named` by its first day: days of any
    other are given one by one.
    """
    if target.item is not None:
        # The event's own day; the period from then to today, when it was handled.
        return [DuePeriod(target.item.item.happened_on, today)]
    standing = target.asked_on(today)
    if standing is None:
        return [DuePeriod(today, today)]
    opened = standing.open_periods
    middle = opened[OLDEST:-NEWEST]
    offered = [row for row in opened if row not in middle or str(row.first) == named]
    running = period_due(standing.requirement, [], today)
    return offered if running in offered else [*offered, running]


def chosen_period(
    request: SignedInRequest, target: Target, today: dt.date
) -> DuePeriod:
    """The period that `?period=` names by its first day, else the oldest open one."""
    named = request.GET.get("period", "")[:10]
    offered = periods_offered(target, today, named)
    return next((row for row in offered if str(row.first) == named), offered[0])


def upload_page(
    request: SignedInRequest,
    form: UploadForm,
    target: Target,
    today: dt.date,
    *,
    status: int = 200,
    twins: Sequence[Twin] = (),
) -> HttpResponse:
    """The form as somebody filled it in, beside what it is for and where it stands.

    `twins` were brought before with the same bytes: they are shown above it.
    """
    asked_part = str(request.htmx.target or "")  # type: ignore[attr-defined]
    if request.method == "GET" and asked_part.startswith(COUNTS):
        part = {"prospect": prospect_typed(form, target, today)}
        return render(request, "evidence/evidence/partials/counts_as.html", part)
    form.offer_rows()
    picker = _picker(request, form)
    if request.method == "GET" and asked_part == PART:
        return render(request, "evidence/partials/picked.html", {"picker": picker})
    named = str(form["period"].value() or "")[:10]
    offered = periods_offered(target, today, named)
    form.offer(offered)
    standing = target.asked_on(today)
    context = {
        "form": form,
        "target": target,
        "requirement": target.standing,
        "standing": standing,
        "item": target.item,
        "picker": picker,
        "periods": _beside_choices(form, offered, standing),
        "prospect": prospect_typed(form, target, today),
        "twins": [(twin, twin.sentence(request.user, today)) for twin in twins],
        "last": _last_accepted(target),
        "limit_bytes": settings.MAX_UPLOAD_BYTES,
        "ask_about_status": is_asked_for(
            target.implementation, expected_of_us=target.is_expected_of_us
        )
        and "implementation_status" not in form.fields,
    }
    status = 400 if form.errors and status == 200 else status
    return render(request, "evidence/evidence/upload.html", context, status=status)


def _beside_choices(
    form: UploadForm, offered: Sequence[DuePeriod], standing: Ask | None
) -> list[tuple[Any, str]]:
    """Each choice of a period with what stands beside it; the last one has nothing."""
    texts = []
    for period in offered:
        text = period.due_sentence
        if standing and standing.open_periods and period == standing.open_periods[0]:
            text = f"oldest open, {text}" if text else "oldest open"
        elif standing and period.due and period not in standing.open_periods:
            text = f"not over yet, {text}"
        texts.append(text)
    return list(zip(form["period"], [*texts, ""], strict=True))


def prospect_typed(form: UploadForm, target: Target, today: dt.date) -> Prospect | None:
    """What it would count as, by the days in the form; None where they are none yet."""
    if target.requirement is None or target.item is not None:
        return None
    standing = target.asked_on(today)
    days = UploadForm.days_of({name: form[name].value() for name in DAYS_TYPED})
    if days is None or standing is None:
        return None
    performed_on, period = days
    return prospect_of(
        standing.requirement,
        performed_on,
        period,
        today,
        open_periods=standing.open_periods,
        proven_to=standing.due if standing.requirement.proven_link else None,  # type: ignore[attr-defined]
    )


def _picker(request: SignedInRequest, form: UploadForm) -> Picker | None:
    if "also" not in form.fields:
        return None
    asks = form.fields["also"].queryset  # type: ignore[attr-defined]
    typed = request.POST if request.method == "POST" else request.GET
    return picker_of(asks, typed.get("q", ""), form["also"].value() or [])


def _last_accepted(target: Target) -> EvidenceLink | None:
    """The link whose proof reaches furthest, with its review; None for no such."""
    standing = target.standing
    if standing is None or target.item is not None:
        return None
    proven_link = standing.proven_link  # type: ignore[attr-defined]
    if proven_link is None:
        return None
    return (
        EvidenceLink.objects.select_related("revision__evidence")
        .prefetch_related("reviews")
        .get(pk=proven_link)
    )
