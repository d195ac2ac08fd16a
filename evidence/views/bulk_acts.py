"""One act on many rows: chosen in a list, seen row by row, then done."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controls import clock
from controls.errors import NotPermitted
from controls.grammar import count_of
from controls.idempotency import was_confirmed
from controls.models import System, Team
from evidence.bulk_acts.act import (
    Act,
    ActRow,
    changing,
    opened_choice,
    sealed_act,
    sealed_choice,
)
from evidence.bulk_acts.acts import ACTS, OF_CONTROLS
from evidence.bulk_acts.ask_teams import asks_of_team
from evidence.bulk_acts.cadences import asks_of_controls
from evidence.bulk_acts.confirmation import confirm_act
from evidence.bulk_acts.runs import DONE
from evidence.forms.bulk_acts import FORMS, BulkActForm
from evidence.forms.controls import ControlFilter
from evidence.models import BulkActRun
from evidence.models.bulk_act_runs import BulkActState
from evidence.status.control_filter import keys_matching
from evidence.status.control_status import listed, moment_of
from evidence.views.access import system_or_404
from evidence.views.answers import refused
from evidence.views.once import SAME_AGAIN
from srm_project.requests import SignedInRequest

RESULT = ("label", "title", "outcome", "sentence")  # what a row of a run has become


def _act_or_404(request: SignedInRequest, slug: str, name: str) -> tuple[System, Act]:
    """The system and the act, where the person may do it of some row there."""
    system = system_or_404(request, slug)
    act = ACTS.get(name)
    if act is None:
        raise Http404("There is no such act.")
    try:
        act.require_right(system, by=request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    return system, act


@require_POST
def bulk_choose(request: SignedInRequest, slug: str, act: str = "") -> HttpResponse:
    """Take all controls of a filtered list, or those ticked, to the page of an act.

    The act is in the form, or in an address of before there was one for all acts.
    """
    name = act or request.POST.get("act", "owner")
    if name not in OF_CONTROLS:  # the keys of others are of other rows
        raise Http404("No act of that name is done of controls.")
    system, doing = _act_or_404(request, slug, name)
    moment = moment_of(system, system.day_of(clock.now()), None)
    rows = listed(system, moment)
    filters = ControlFilter(request.GET, rows=rows).filters()
    keys = keys_matching(system, moment, rows, filters)
    if ticked := set(request.POST.getlist("ticked")):
        named = {row["id"] for row in rows if row["ref_id"] in ticked}
        keys = [key for key in keys if key in named]
    if doing.name == "cadence":
        keys = asks_of_controls(system, keys, moment.on)
    back = reverse("evidence:controls", args=[system.slug])
    if query := request.GET.urlencode():
        back = f"{back}?{query}"
    try:
        chosen = sealed_choice(doing, system, keys, back, by=request.user)
    except ValidationError as refusal:
        return refused(request, refusal, back=back)
    place = reverse("evidence:bulk_act", args=[system.slug, doing.name])
    return redirect(f"{place}?chosen={chosen}")


def moves_of_team(
    request: SignedInRequest, system: System, team: Team
) -> list[tuple[str, str]]:
    """Where an officer gives what a team is asked, and what it owns, to another team:
    the words and the address of each."""
    today = system.day_of(clock.now())
    owned = system.implementations.filter(owner_team=team).order_by()
    choices = [
        ("team", "Move its asks to another team", asks_of_team(system, team, today)),
        (
            "owner",
            "Move its controls to another team",
            list(owned.values_list("pk", flat=True)),
        ),
    ]
    links = []
    for act, words, keys in choices:
        doing = ACTS[act]
        if 0 < len(keys) <= doing.max_rows:
            back = request.get_full_path()
            chosen = sealed_choice(doing, system, keys, back, by=request.user)
            page = reverse("evidence:bulk_act", args=[system.slug, act])
            links.append((words, f"{page}?chosen={chosen}"))
    return links


@require_http_methods(["GET", "POST"])
def bulk_act(request: SignedInRequest, slug: str, act: str) -> HttpResponse:
    """What an act says of the chosen rows; sent, what would become of each."""
    system, doing = _act_or_404(request, slug, act)
    token = request.GET.get("chosen", "")
    try:
        keys, back = opened_choice(doing.name, system, token, by=request.user)
    except ValidationError as refusal:
        return refused(request, refusal)
    today = system.day_of(clock.now())
    typed = request.POST if request.method == "POST" else None
    form = FORMS[doing.name](typed, system=system, today=today)
    page: dict[str, Any] = {"system": system, "form": form, "back": back}
    page |= {"act": doing.name, "chosen": token, "number": len(keys)}
    page["heading"] = form.title(len(keys))
    page["from_admin"] = back.startswith(reverse("admin:index"))
    if typed is None:
        return render(request, "evidence/bulk_acts/page.html", page)
    if not form.is_valid():
        return render(request, "evidence/bulk_acts/page.html", page, status=422)
    values = form.values()
    try:
        rows = doing.rows(system, keys, values, by=request.user, today=today)
        page |= _seen(form, rows)
        page["token"] = sealed_act(
            doing,
            system,
            rows,
            values,
            sentence=form.sentence(page["changing"]),
            back=back,
            by=request.user,
        )
    except ValidationError as refusal:
        page["refusal"] = " ".join(refusal.messages)
    return render(request, "evidence/bulk_acts/page.html", page)


def _seen(form: BulkActForm, rows: list[ActRow]) -> dict[str, Any]:
    """The rows with their numbers: those that change first, then the refused."""
    order = {"change": 0, "refused": 1, "same": 2}
    number = len(changing(rows))
    return {
        "rows": sorted(rows, key=lambda row: order[row.outcome]),
        "changing": number,
        "same": sum(row.outcome == "same" for row in rows),
        "refused": sum(row.outcome == "refused" for row in rows),
        "promise": form.promise(number),
        "heading": f"{form.promise(len(rows))}: preview",
    }


@require_POST
def bulk_act_confirm(request: SignedInRequest, slug: str, act: str) -> HttpResponse:
    """Do what the preview showed."""
    system, doing = _act_or_404(request, slug, act)
    token = request.POST.get("token", "")
    before = was_confirmed(request.user, token)
    today = system.day_of(clock.now())
    try:
        done = confirm_act(doing, system, token, by=request.user, today=today)
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except ValidationError as refusal:
        return refused(request, refusal)
    left = ""
    if done.refused:
        left = f" {count_of(done.refused, 'row', 'was')} left as before."
    messages.success(request, SAME_AGAIN if before else f"{done.sentence}{left}")
    return redirect(done.back)


@require_GET
def bulk_run(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """How far an act is that a worker carries out, with what became of each row."""
    system = system_or_404(request, slug)
    mine = BulkActRun.objects.visible_to(request.user).filter(system=system)
    run = get_object_or_404(mine, uuid=uuid)
    rows = [dict(zip(RESULT, result, strict=True)) for result in run.results]
    page = {
        "system": system,
        "run": run,
        "total": len(run.rows),
        "rows": rows,
        "changed": sum(row["outcome"] == DONE for row in rows),
        "left": [row for row in rows if row["outcome"] != DONE],
        "running": run.state in {BulkActState.QUEUED, BulkActState.RUNNING},
    }
    return render(request, "evidence/bulk_acts/run.html", page)
