"""Which systems are mine, a new one, and the components one uses."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Page, Paginator
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controls import clock
from controls.access import is_officer, may_describe_systems, may_keep_register
from controls.errors import NotPermitted, Refused
from controls.grammar import count_of
from controls.models import AuditEvent, RetrospectiveChange, System, SystemComponent
from evidence.charts import CLASSES, Segment, bar
from evidence.forms.components import (
    AddComponentForm,
    EndComponentForm,
    OtherDaysForm,
)
from evidence.forms.systems import NewSystemForm
from evidence.models import RequirementControl
from evidence.status.many_systems import kept_tallies
from evidence.systems.component_days import ask_component, ask_end, ask_other_days
from evidence.systems.describe import require_creator
from evidence.systems.regions import without_region
from evidence.views.access import require_officer_page, system_or_404
from evidence.views.answers import answer_with, explain, say_it_waits
from evidence.views.once import once
from evidence.views.what_changed import controls_now, say_what_changed
from srm_project.requests import SignedInRequest

SYSTEMS_PER_PAGE = 25
ASKED_BACK = "Requested. It holds once another officer approves it."


@require_GET
def systems(request: SignedInRequest) -> HttpResponse:
    """Where do my systems stand today? Counts those of one page only."""
    page = systems_page(request)
    return render(
        request,
        "evidence/systems/list.html",
        {
            "page": page,
            "rows": kept_tallies(list(page.object_list), clock.now()),
            "may_create": may_describe_systems(request.user),
        },
    )


def systems_page(request: SignedInRequest) -> Page[System]:
    """The systems of the page that `?page=` names, by name."""
    mine = System.objects.visible_to(request.user).for_listing()
    paginator = Paginator(mine.order_by("name", "pk"), SYSTEMS_PER_PAGE)
    return paginator.get_page(request.GET.get("page"))


@require_http_methods(["GET", "POST"])
@once
def new(request: SignedInRequest) -> HttpResponse:
    """What is the system, what does it use, who owns what? All in one form."""
    try:
        require_creator(request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    today = clock.today()
    form = NewSystemForm(request.POST or None, today=today)
    if "show" in request.POST:
        return _shown_so_far(request, today)
    if request.method == "POST" and form.is_valid():
        try:
            system = form.save(by=request.user)
        except ValidationError as refusal:
            explain(form, refusal)
        else:
            messages.success(request, f"{system} is added. You are its officer.")
            return redirect("evidence:first_steps", system.slug)
    status = 422 if form.is_bound else 200
    context = _with_tally(form)
    return render(request, "evidence/systems/new.html", context, status=status)


def _shown_so_far(request: SignedInRequest, today: dt.date) -> HttpResponse:
    """The form as it is filled in so far, with what it would mean; nothing is made."""
    filled: dict[str, Any] = {name: request.POST.get(name) for name in request.POST}
    filled |= {name: name in filled for name in ("own_code", "joined")}
    form = NewSystemForm(initial=filled, today=today)
    return render(request, "evidence/systems/new.html", _with_tally(form))


def _with_tally(form: NewSystemForm) -> dict[str, Any]:
    tally = form.tally()
    counts = tally.classes if tally else {}
    segments = [
        Segment(code, title, counts.get(code, 0), note) for code, title, note in CLASSES
    ]
    return {"form": form, "tally": tally, "classes": bar(segments)}


@require_GET
def first_steps(request: SignedInRequest, slug: str) -> HttpResponse:
    """What did the services make of it, and what comes next?"""
    system = system_or_404(request, slug)
    classes = Counter(system.implementations.values_list("responsibility", flat=True))
    rows = RequirementControl.objects.filter(system=system, operates_until=None)
    context = {
        "system": system,
        "classes": bar(
            [Segment(code, title, classes[code], note) for code, title, note in CLASSES]
        ),
        "controls": classes.total(),
        "asks": rows.values(named=Coalesce("joined_id", "ask_id")).distinct().count(),
        "people": system.memberships.active().values("user").distinct().count(),
        "officer": is_officer(request.user, system),
        "registrar": may_keep_register(request.user),
    }
    return render(request, "evidence/systems/first_steps.html", context)


@require_GET
def components(request: SignedInRequest, slug: str) -> HttpResponse:
    """What does this system use, and since when?"""
    return _components_page(request, system_or_404(request, slug))


def _components_page(
    request: SignedInRequest,
    system: System,
    *,
    adding: AddComponentForm | None = None,
    status: int = 200,
) -> HttpResponse:
    rows = system.components.select_related("variant__service").order_by(
        "variant__service__name", "used_from", "pk"
    )
    page = {
        "system": system,
        "rows": [
            (
                component,
                _last_day(component),
                EndComponentForm(component=component),
                OtherDaysForm(component=component),
            )
            for component in rows
        ],
        "today": system.day_of(clock.now()),
        "officer": is_officer(request.user, system),
        "adding": adding or AddComponentForm(system=system),
        "changes": _changes(system),
        "without_region": without_region(System.objects.filter(pk=system.pk)).count(),
    }
    return render(request, "evidence/systems/components.html", page, status=status)


def _last_day(component: SystemComponent) -> dt.date | None:
    """The last day of use, inclusive; None while it is in use."""
    until = component.used_until
    return until - dt.timedelta(days=1) if until else None


def _changes(system: System) -> list[tuple[AuditEvent, str]]:
    """The last changes of components and classes, newest first, with their reason."""
    events = AuditEvent.objects.filter(
        chain=str(system.uuid),
        verb__in=[
            "component.added",
            "component.ended",
            "component.planned-anew",
            "component.regions-stated",
            "services.changed",
            "responsibility.decided",
        ],
    ).order_by("-seq")[:12]
    return [(event, _summary_of(json.loads(event.body))) for event in events]


def _summary_of(body: dict[str, Any]) -> str:
    """What the event's body adds, in words."""
    if "controls" in body:
        decided = count_of(body["controls"], "control")
        return f"{body.get('reason', '')}: {decided} decided anew"
    if "first_day" in body:
        names = ", ".join(
            f"{name} in {' and '.join(regions)}"
            for name, regions in body["components"].values()
        )
        return f"{names} from {body['first_day']} on"
    return f"last day {body['last_day']}" if "last_day" in body else ""


@require_POST
@once
def component_add(request: SignedInRequest, slug: str) -> HttpResponse:
    """Take a component into use and say which controls changed."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    form = AddComponentForm(request.POST, system=system)
    if not form.is_valid():
        return _components_page(request, system, adding=form, status=422)
    before, today = controls_now(system), system.day_of(clock.now())
    reason = form.cleaned_data["reason"]
    try:
        made = ask_component(
            system, form.use(), reason=reason, by=request.user, today=today
        )
    except ValidationError as refusal:
        explain(form, refusal)
        return _components_page(request, system, adding=form, status=422)
    if isinstance(made, RetrospectiveChange):
        say_it_waits(request, system, ASKED_BACK)
        return redirect("evidence:retrospective", made.uuid)
    say_what_changed(request, system, before)
    return redirect("evidence:components", system.slug)


@require_POST
def component_end(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """End the use of a component and say which controls changed."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    component = get_object_or_404(
        SystemComponent.objects.select_related("system"), system=system, uuid=uuid
    )
    form = EndComponentForm(request.POST)
    back = redirect("evidence:components", system.slug)
    if not form.is_valid():
        sentence = "Say the last day on which it is in use."
        return answer_with(request, Refused(sentence), back)
    before, today = controls_now(system), system.day_of(clock.now())
    try:
        change = ask_end(component, by=request.user, today=today, **form.cleaned_data)
    except ValidationError as refusal:
        return answer_with(request, refusal, back)
    if change is not None:
        say_it_waits(request, system, ASKED_BACK)
        return redirect("evidence:retrospective", change.uuid)
    say_what_changed(request, system, before)
    return back


@require_POST
def component_days(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Ask that a component was in use on other days; where some lie before today
    another officer decides."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    rows = SystemComponent.objects.select_related("system")
    component = get_object_or_404(rows, system=system, uuid=uuid)
    form = OtherDaysForm(request.POST)
    back = redirect("evidence:components", system.slug)
    if not form.is_valid():
        return answer_with(request, Refused("Say the days, and why."), back)
    before, today = controls_now(system), system.day_of(clock.now())
    try:
        change = ask_other_days(
            component, by=request.user, today=today, **form.days_and_reason()
        )
    except ValidationError as refusal:
        return answer_with(request, refusal, back)
    if change is None:  # of a component that has not begun
        say_what_changed(request, system, before)
        return back
    say_it_waits(request, system, ASKED_BACK)
    return redirect("evidence:retrospective", change.uuid)
