"""Asks that name several controls: joined from what is offered, one of them, split."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controls import clock
from controls.access import is_officer
from controls.control_ids import normalised_id
from controls.errors import NotPermitted, TransitionNotAllowed
from controls.grammar import count_of
from controls.models import RetrospectiveChange, System
from evidence.forms.joins import AddForm, JoinForm, SplitForm
from evidence.models import EvidenceRequirement, RequirementControl
from evidence.requirements.burden import burden_on
from evidence.requirements.join_checks import NamedControl
from evidence.requirements.join_offers import (
    join_all,
    offers_in,
    standing_alone,
)
from evidence.requirements.joined import rows_under
from evidence.requirements.joining import (
    MAX_CONTROLS,
    add_control,
    join,
    join_to,
    split,
)
from evidence.status.asks_of_window import counts_of, periods_of_ask
from evidence.status.control_status import today_of, window_of
from evidence.status.rows import Moment
from evidence.views.access import require_officer_page, system_or_404
from evidence.views.answers import explain, refused, say_it_waits, status_of_form
from evidence.views.once import once
from evidence.views.requirements import WAITS
from srm_project.requests import SignedInRequest

STANDS_ALONE_NO_MORE = (
    "Some of these asks do not stand alone any more: somebody joined or ended them."
    " Look again."
)


@require_http_methods(["GET", "POST"])
def join_asks(request: SignedInRequest, slug: str) -> HttpResponse:
    """Which asks could be one, and what that takes off a year? POST joins all shown."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    today = today_of(system)
    offers = offers_in(system, today)
    if request.method == "POST":
        try:
            number = join_all(
                system, offers, from_day=today, by=request.user, today=today
            )
        except ValidationError as refusal:
            return refused(request, refusal)
        asks = sum(len(offer.rows) for offer in offers)
        messages.success(
            request, f"{count_of(asks, 'ask')} became {number} from {today} on."
        )
        return redirect("evidence:requirements", slug)
    named = {row.pk for offer in offers for row, _ in offer.rows}
    context = {
        "system": system,
        "today": today,
        "offers": offers,
        "offered": len(named),
        "burden": burden_on(system, today),
        "alone": standing_alone(system, today),
        "max_controls": MAX_CONTROLS,
    }
    return render(request, "evidence/requirements/join.html", context)


@require_http_methods(["GET", "POST"])
@once
def join_preview(request: SignedInRequest, slug: str) -> HttpResponse:
    """These asks become one: title, cadence, team, each control with its line."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    today = today_of(system)
    form = _join_form(request, system, today)
    if form is None:
        messages.info(request, "Tick at least two asks to join.")
        return redirect("evidence:join_asks", slug)
    if form.is_bound and len(form.rows) < len(set(request.POST.getlist("row"))):
        joined_meanwhile = TransitionNotAllowed(STANDS_ALONE_NO_MORE)
        back = reverse("evidence:join_asks", args=[slug])
        return refused(request, joined_meanwhile, back=back)
    status = 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            try:
                ask = join(
                    system,
                    form.terms(),
                    form.named(),
                    from_day=form.cleaned_data["from_day"],
                    by=request.user,
                    today=today,
                    reason=form.cleaned_data["reason"],
                )
            except ValidationError as refusal:
                if isinstance(refusal, NotPermitted):
                    return refused(request, refusal)
                status = status_of_form(refusal)
                explain(form, refusal)
            else:
                return _joined(request, system, ask)
    context = {"system": system, "form": form, "today": today}
    return render(
        request, "evidence/requirements/join_preview.html", context, status=status
    )


def _joined(
    request: SignedInRequest,
    system: System,
    ask: EvidenceRequirement | RetrospectiveChange,
) -> HttpResponse:
    if isinstance(ask, RetrospectiveChange):
        say_it_waits(request, system, WAITS)
        return redirect("evidence:requirements", system.slug)
    messages.success(request, "Joined. Days before stay as they are.")
    return redirect("evidence:ask", system.slug, ask.uuid)


def _join_form(
    request: SignedInRequest, system: System, today: dt.date
) -> JoinForm | None:
    """The form of an offer, or of rows that were ticked; None for fewer than two."""
    if request.method == "GET" and (key := request.GET.get("offer", "")):
        offers = {offer.key: offer for offer in offers_in(system, today)}
        if key not in offers:
            raise Http404(
                "This is not offered any more: somebody may have joined these asks."
            )
        return JoinForm.of_offer(offers[key], today)
    named = set((request.POST or request.GET).getlist("row"))
    rows = [row for row in standing_alone(system, today) if str(row.uuid) in named]
    if request.method == "POST":
        return JoinForm(request.POST, rows=rows)
    return JoinForm.of_rows(rows, today) if len(rows) > 1 else None


@require_GET
def ask(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """What does one ask name, and what in it proves each control?"""
    stored = _ask_or_404(request, slug, uuid)
    return _ask_page(request, stored)


@require_POST
@once
def ask_split(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Let controls stand alone again from a day on."""
    stored = _ask_or_404(request, slug, uuid)
    require_officer_page(request.user, stored.system)
    today = today_of(stored.system)
    form = SplitForm(request.POST, rows=_rows_from(stored, today))
    if not form.is_valid():
        return _ask_page(request, stored, split_form=form, status=422)
    try:
        waits = split(
            stored,
            form.named(),
            from_day=form.cleaned_data["from_day"],
            by=request.user,
            today=today,
            reason=form.cleaned_data["reason"],
        )
    except ValidationError as refusal:
        if isinstance(refusal, NotPermitted):
            return refused(request, refusal)
        explain(form, refusal)
        return _ask_page(
            request, stored, split_form=form, status=status_of_form(refusal)
        )
    if waits:
        say_it_waits(request, stored.system, WAITS)
    else:
        messages.success(request, "Taken out from that day on.")
    if not stored.joined_terms.exists():  # joined and taken out from the same day
        return redirect("evidence:requirements", slug)
    return redirect("evidence:ask", slug, uuid)


@require_POST
@once
def ask_add(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Name one more control in an ask."""
    stored = _ask_or_404(request, slug, uuid)
    require_officer_page(request.user, stored.system)
    today = today_of(stored.system)
    alone = standing_alone(stored.system, today)
    form = AddForm(request.POST, alone=alone)
    status, label = 422, ""
    if form.is_valid():
        try:
            label = _added(request, stored, form, today)
        except ValidationError as refusal:
            if isinstance(refusal, NotPermitted):
                return refused(request, refusal)
            status = status_of_form(refusal)
            explain(form, refusal)
    if not label:
        return _ask_page(request, stored, add_form=form, status=status)
    messages.success(request, f"{label} is one of its controls now.")
    return redirect("evidence:ask", slug, uuid)


def _added(
    request: SignedInRequest,
    stored: EvidenceRequirement,
    form: AddForm,
    today: dt.date,
) -> str:
    """The label of the control that was added; empty where the form says why not."""
    fields = form.cleaned_data
    how: dict[str, Any] = {"from_day": fields["from_day"], "by": request.user}
    how["today"] = today
    if fields["row"]:
        row, seen = fields["row"]
        named = NamedControl(row.uuid, fields["what_it_shows"], seen)
        join_to(stored, [named], **how)
        return str(row.implementation.control.label)
    controls = stored.system.implementations.select_related("control", "owner_team")
    control = controls.filter(control__ref_id=normalised_id(fields["control"])).first()
    if control is None:
        form.add_error("control", "That is no control of this system.")
        return ""
    add_control(stored, control, fields["what_it_shows"], **how)
    return str(control.control.label)


def _ask_or_404(request: SignedInRequest, slug: str, uuid: Any) -> EvidenceRequirement:
    mine = EvidenceRequirement.objects.visible_to(request.user).filter(
        joined_terms__isnull=False
    )
    rows = mine.select_related("system").distinct()
    return get_object_or_404(rows, system__slug=slug, uuid=uuid)


def _rows_from(stored: EvidenceRequirement, day: dt.date) -> list[RequirementControl]:
    """The rows that stand under an ask on a day, else those that will."""
    rows = rows_under(stored, day)
    if rows:
        return rows
    first = stored.joined_terms.order_by("days").first()
    return rows_under(stored, first.first_day or day) if first else []


def _ask_page(
    request: SignedInRequest,
    stored: EvidenceRequirement,
    *,
    split_form: SplitForm | None = None,
    add_form: AddForm | None = None,
    status: int = 200,
) -> HttpResponse:
    system = stored.system
    today = system.day_of(clock.now())
    rows = _rows_from(stored, today)
    periods = periods_of_ask(stored, Moment(today), window_of(system))
    terms = stored.joined_terms.order_by("days").select_related("owner_team")
    context = {
        "system": system,
        "ask": stored,
        "terms": terms.filter(days__contains=today).first() or terms.first(),
        "rows": rows,
        "periods": periods,
        "counts": counts_of(periods),
        "officer": is_officer(request.user, system),
        "split_form": split_form or SplitForm(rows=rows, initial={"from_day": today}),
        "add_form": add_form or _empty_add_form(request, system, today),
        "address": request.build_absolute_uri(f"/api/v1/asks/{stored.uuid}/evidence/"),
    }
    return render(request, "evidence/requirements/ask.html", context, status=status)


def _empty_add_form(
    request: SignedInRequest, system: System, today: dt.date
) -> AddForm | None:
    """For officers, who alone may send it."""
    if not is_officer(request.user, system):
        return None
    alone = standing_alone(system, today)
    return AddForm(initial={"from_day": today}, alone=alone)
