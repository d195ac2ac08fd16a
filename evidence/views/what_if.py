"""What would other components change? Nothing is changed by looking (S9).

An officer may make it so: what follows is shown first, and confirmed with a reason.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from controls.access import is_officer
from controls.errors import NotPermitted
from controls.grammar import count_of
from controls.idempotency import was_confirmed
from controls.models import ControlImplementation, System
from controls.responsibility.derive import Derivation
from controls.responsibility.what_if import Difference
from controls.responsibility.what_if_system import suppose
from controls.service_names import display_names, variant_label
from evidence.charts import CLASSES, Segment, bar
from evidence.exports.rows.cells import EXCEL_MARK
from evidence.exports.sheets.what_if import COLUMNS, what_if_lines
from evidence.forms.what_if import ConfirmForm, WhatIfForm, first_day_in
from evidence.requirements.burden import asks_freed, burden_if
from evidence.status.control_status import today_of
from evidence.systems.service_changes import confirm, preview
from evidence.systems.what_if_reports import unproven_services
from evidence.views.access import require_officer_page, system_or_404
from evidence.views.answers import explain, refused, say_it_waits
from evidence.views.once import SAME_AGAIN
from evidence.views.systems import ASKED_BACK
from srm_project.requests import SignedInRequest

OURS = ("shared", "customer")  # classes of which a half is ours
Found = Difference[ControlImplementation]


@require_GET
def what_if(request: SignedInRequest, slug: str) -> HttpResponse:
    """Classes before and after, our duties dropped, moved, carried over and new, the
    work of a year, and the reports that would not speak for what begins."""
    system = system_or_404(request, slug)
    today = today_of(system)
    form = _form(request.GET, system, today)
    context: dict[str, Any] = {"system": system, "form": form, "day": form.day}
    context["officer"] = is_officer(request.user, system)
    status = 200
    if form.is_bound and form.has_choice:
        difference = _supposed(form)
        status = 200 if difference else 422
        if difference:
            context |= _shown(difference) | _work(form, difference) | _chosen(form)
            context["unproven"] = unproven_services(
                system, form.change(), difference.after, display_names()
            )
    elif form.is_bound and not form.is_valid():
        status = 422
    return render(request, "evidence/what_if/page.html", context, status=status)


@require_GET
def what_if_csv(request: SignedInRequest, slug: str) -> HttpResponse:
    """The same as a file, a line for each control that changes."""
    system = system_or_404(request, slug)
    form = _form(request.GET, system, today_of(system))
    if not form.is_bound:
        return redirect(_page(system))
    difference = _supposed(form)
    if difference is None:  # the page says what is wrong with the address
        page = {"system": system, "form": form, "day": form.day}
        return render(request, "evidence/what_if/page.html", page, status=422)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"{system.slug}-what-if-{form.day}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.write(EXCEL_MARK)
    lines = what_if_lines(difference, display_names())
    csv.writer(answer).writerows([COLUMNS, *lines])
    return answer


@require_POST
def services_change(request: SignedInRequest, slug: str) -> HttpResponse:
    """What would follow from the comparison made real; with the token of that preview
    and a reason: make it so."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    today = today_of(system)
    form = _form(request.POST, system, today)
    confirming = ConfirmForm()
    token, status = request.POST.get("token", ""), 200
    refusal: ValidationError | None = None
    context: dict[str, Any] = {"system": system, "form": form, "day": form.day}
    if token:
        confirming = ConfirmForm(request.POST)
        before = was_confirmed(request.user, token)
        try:
            confirming.full_clean()
            reason = confirming.cleaned_data.get("reason", "")
            if not confirming.errors:
                done = confirm(
                    system, token, reason=reason, by=request.user, today=today
                )
                return _to_what_was_made(request, system, done, before=before)
            status = 422
        except NotPermitted as forbidden:
            raise PermissionDenied(" ".join(forbidden.messages)) from forbidden
        except ValidationError as changed:
            status, refusal = _status_of(changed), changed
            explain(confirming, changed)
    if refusal and not form.is_valid():  # there is no preview to type the reason at
        return refused(request, refusal, back=_page(system))
    if not form.is_valid():
        return render(request, "evidence/what_if/page.html", context, status=422)
    try:
        consequences, fresh = preview(
            system, form.change(), by=request.user, today=today
        )
    except ValidationError as impossible:
        if refusal:
            return refused(request, refusal, back=_page(system))
        form.add_error(None, impossible.messages)
        context["officer"] = True
        return render(request, "evidence/what_if/page.html", context, status=422)
    context |= {"found": consequences, "token": fresh, "confirming": confirming}
    return render(request, "evidence/what_if/change.html", context, status=status)


def _status_of(refusal: ValidationError) -> int:
    """409 of what is not so any more; 422 of what was typed."""
    status = getattr(refusal, "status_code", 422)
    return 409 if status == 409 else 422


def _to_what_was_made(
    request: SignedInRequest, system: System, done: Any, *, before: bool
) -> HttpResponse:
    if done.retrospective:
        say_it_waits(request, system, SAME_AGAIN if before else ASKED_BACK)
        return redirect("evidence:retrospective", done.retrospective)
    decided = count_of(done.controls, "control", "was")
    sentence = f"The services are changed. {decided} decided anew."
    messages.success(request, SAME_AGAIN if before else sentence)
    return redirect("evidence:components", system.slug)


def _page(system: System) -> str:
    return redirect("evidence:what_if", system.slug)["Location"]


def _form(data: Any, system: System, today: dt.date) -> WhatIfForm:
    """The form of a query or of a body; of an empty one unbound."""
    return WhatIfForm(data or None, system=system, day=first_day_in(data, today))


def _chosen(form: WhatIfForm) -> dict[str, Any]:
    change = form.change()
    return {
        "ending": [variant_label(variant) for variant in change.ending],
        "adding": [variant_label(variant) for variant in change.starting],
    }


def _work(form: WhatIfForm, difference: Found) -> dict[str, Any]:
    """A year's work of our halves, as it is and as it would be (R11)."""
    turned = [change for change in difference.changes if change.turns]
    gone = {row.control.pk for row in turned if _is_ours(row.before, row.after)}
    gained = [row for row in turned if _is_ours(row.after, row.before)]
    day = form.day
    now, then = burden_if(form.system, day, no_longer_ours=gone, newly_ours=len(gained))
    return {
        "work_now": now,
        "work_then": then,
        "saved": now.asks - then.asks,
        "saved_uploads": now.uploads - then.uploads,
        "freed": asks_freed(form.system, day, gone),
        "needed": gained,
    }


def _is_ours(one: Derivation, other: Derivation) -> bool:
    """Whether our half is needed by the one class and not by the other."""
    return one.responsibility in OURS and other.responsibility not in OURS


def _supposed(form: WhatIfForm) -> Found | None:
    if not form.is_valid():
        return None
    change = form.change()
    try:
        return suppose(
            form.system,
            change.first_day,
            ending=change.ending,
            adding=change.starting,
        )
    except ValidationError as refusal:
        form.add_error(None, refusal.messages)
        return None


def _shown(difference: Found) -> dict[str, Any]:
    return {
        "found": difference,
        "turning": [change for change in difference.changes if change.turns],
        "rows": sorted(difference.changes, key=lambda change: not change.turns),
        "before": _classes(difference.classes_before),
        "after": _classes(difference.classes_after),
        "classes": [
            (code, title, *_counts(difference, code))
            for code, title, _ in CLASSES
            if any(_counts(difference, code))
        ],
    }


def _counts(difference: Difference[Any], code: str) -> tuple[int, int, int]:
    """Controls of a class before, after, and the difference."""
    before = difference.classes_before.get(code, 0)
    after = difference.classes_after.get(code, 0)
    return before, after, after - before


def _classes(counts: Mapping[str, int]) -> list[Segment]:
    return bar(
        [Segment(c, title, counts.get(c, 0), note) for c, title, note in CLASSES]
    )
