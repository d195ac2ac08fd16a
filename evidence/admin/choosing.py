"""Rows chosen in a list of the admin, taken to the page of an act on many rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from controls import clock
from controls.models import Actor, ControlImplementation, System
from evidence.bulk_acts.act import sealed_choice
from evidence.bulk_acts.acts import ACTS
from evidence.bulk_acts.cadences import asks_of_controls
from srm_project.requests import actor_of

ONE_SYSTEM = "Choose rows of one system: filter the list by system first."
Chooser = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]
# The words of the button that leads to an act.
BUTTONS: Mapping[str, str] = {
    "owner": "Assign an owner",
    "status": "State implementation",
    "cadence": "Change how often",
    "team": "Change the team",
    "request": "Request evidence",
    "not-applicable": "Mark as not applicable",
    "citations": "Confirm or reject",
}


def choosers(names: Iterable[str]) -> list[Chooser]:
    """The actions of a list for these acts, in their order."""
    return [_chooser(name) for name in names]


def _chooser(act: str) -> Chooser:
    @admin.action(description=BUTTONS[act])
    def choose(
        model_admin: Any, request: HttpRequest, rows: QuerySet[Any]
    ) -> HttpResponse | None:
        """To the page of the act; a refusal stands above the list."""
        try:
            return redirect(
                _page(act, rows, request.get_full_path(), actor_of(request))
            )
        except ValidationError as refusal:
            sentence = " ".join(refusal.messages)
            model_admin.message_user(request, sentence, messages.ERROR)
            return None

    choose.__name__ = act.replace("-", "_")
    return choose


def _page(act: str, rows: QuerySet[Any], back: str, by: Actor) -> str:
    """The address of the act's page for these rows."""
    systems = set(rows.order_by().values_list("system", flat=True).distinct()[:2])
    if len(systems) != 1:
        raise ValidationError(ONE_SYSTEM)
    system = System.objects.get(pk=systems.pop())
    ACTS[act].require_right(system, by=by)
    keys = list(rows.order_by().values_list("pk", flat=True))
    if act == "cadence" and rows.model is ControlImplementation:
        keys = asks_of_controls(system, keys, system.day_of(clock.now()))
    chosen = sealed_choice(ACTS[act], system, keys, back, by=by)
    page = reverse("evidence:bulk_act", args=[system.slug, act])
    return f"{page}?{urlencode({'chosen': chosen})}"
