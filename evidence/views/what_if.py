"""What would other components change? Nothing is changed by looking (S9)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from controls.models import ControlImplementation, System
from controls.responsibility.derive import Derivation
from controls.responsibility.what_if import Difference
from controls.responsibility.what_if_system import suppose
from controls.service_names import variant_label
from evidence.charts import CLASSES, Segment, bar
from evidence.forms.what_if import WhatIfForm
from evidence.requirements.burden import burden_if
from evidence.status.control_status import today_of
from evidence.views.access import system_or_404
from srm_project.requests import SignedInRequest

OURS = ("shared", "customer")  # classes of which a half is ours


@require_GET
def what_if(request: SignedInRequest, slug: str) -> HttpResponse:
    """Classes before and after, and our duties dropped, kept and new."""
    system = system_or_404(request, slug)
    today = today_of(system)
    form = WhatIfForm(request.GET or None, system=system, day=today)
    context: dict[str, Any] = {"system": system, "form": form, "today": today}
    status = 200
    if form.is_bound and form.has_choice:
        difference = _supposed(form, system)
        status = 200 if difference else 422
        if difference:
            context |= (
                _shown(difference)
                | _work(system, today, difference)
                | {
                    "ending": [
                        variant_label(variant) for variant in form.chosen("end")
                    ],
                    "adding": [
                        variant_label(variant) for variant in form.chosen("add")
                    ],
                }
            )
    return render(request, "evidence/what_if/page.html", context, status=status)


def _work(
    system: System, today: dt.date, difference: Difference[ControlImplementation]
) -> dict[str, Any]:
    """A year's work of our halves, as it is and as it would be (R11)."""
    turned = [change for change in difference.changes if change.turns]
    gone = {row.control.pk for row in turned if _is_ours(row.before, row.after)}
    gained = sum(_is_ours(row.after, row.before) for row in turned)
    now, then = burden_if(system, today, no_longer_ours=gone, newly_ours=gained)
    return {"work_now": now, "work_then": then, "gained": gained}


def _is_ours(one: Derivation, other: Derivation) -> bool:
    """Whether our half is needed by the one class and not by the other."""
    return one.responsibility in OURS and other.responsibility not in OURS


def _supposed(
    form: WhatIfForm, system: System
) -> Difference[ControlImplementation] | None:
    if not form.is_valid():
        return None
    try:
        return suppose(
            system,
            today_of(system),
            ending=form.chosen("end"),
            adding=form.chosen("add"),
        )
    except ValidationError as refusal:
        form.add_error(None, refusal.messages)
        return None


def _shown(difference: Difference[ControlImplementation]) -> dict[str, Any]:
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
