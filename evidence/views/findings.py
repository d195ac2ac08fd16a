"""Failing observations and findings: listed, written down, disposed of, decided.

One file: the pages of both share their form, their page and their refusals.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import BaseForm
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controls.errors import NotPermitted, Refused, SrmError
from controls.models import AuditEvent, ControlImplementation
from evidence.findings.dispositions import (
    Subject,
    decide_disposition,
    request_disposition,
    standing_of,
)
from evidence.findings.recording import record_finding, record_observation
from evidence.findings.standing import (
    finding_standings,
    known,
    observation_standings,
    passed_in_source,
    reports_of,
)
from evidence.findings.who_may import (
    may_ask_for,
    may_decide,
    may_record,
    require_asker,
    require_decider,
    require_recorder,
)
from evidence.forms.clocks import clocks_of
from evidence.forms.findings import (
    DispositionDecisionForm,
    DispositionForm,
    FindingForm,
    ObservationForm,
)
from evidence.models import Disposition, FailingObservation, Finding
from evidence.status.rows import Moment
from evidence.views.access import implementation_or_404, system_or_404
from evidence.views.answers import explain, explanation_page, refused, return_to_work
from evidence.views.once import once
from srm_project.requests import SignedInRequest

SHOWN = 500  # failing observations of a page
WORST_FIRST = ("overdue", "open", "closed", "false-positive")
OBSERVED = (
    "It is recorded: the control is not proven until a finding takes its place, or a"
    " second person accepts an explanation."
)
SEEN_LATER = "This was seen on {day}: of a day before it there is nothing to say."
FOUND = "The finding is open, and is to be closed by {due}."
ASKED = (
    "It is recorded. It counts once somebody who had no hand in it has accepted it: it"
    " waits in the work of the reviewers and the other officers."
)


@require_GET
def findings(request: SignedInRequest, slug: str) -> HttpResponse:
    """What was found in this system, how old it is, and what is overdue?"""
    system = system_or_404(request, slug)
    clocks = clocks_of(request, system)
    moment = clocks.moment
    found_by_then = Finding.objects.matching(system=slug).filter(
        found_on__lte=moment.on
    )
    observed = FailingObservation.objects.matching(system=slug).filter(
        observed_on__lte=moment.on
    )
    rows = finding_standings(known(found_by_then, moment).for_listing(), moment)
    rows.sort(key=lambda row: (WORST_FIRST.index(row.state), -row.days))
    seen = observation_standings(known(observed, moment).for_listing(), moment)
    failing = [row for row in seen if row.state == "open"]
    page = {
        "system": system,
        "clocks": clocks,
        "here": reverse("evidence:findings", args=[slug]),
        "findings": rows,
        "observations": failing[:SHOWN],
        "more": max(0, len(failing) - SHOWN),
        "passed": passed_in_source(failing[:SHOWN], moment),
        "explained": [row for row in seen if row.state == "explained"],
        "overdue": sum(row.state == "overdue" for row in rows),
        "open": sum(not row.over for row in rows),
    }
    return render(request, "evidence/findings/list.html", page)


@require_http_methods(["GET", "POST"])
@once
def observation_new(request: SignedInRequest, slug: str, ref_id: str) -> HttpResponse:
    """Write down that a control was seen to fail."""
    implementation = implementation_or_404(request, slug, ref_id)
    _permit(lambda: require_recorder(implementation.system, request.user))
    control = implementation.control
    form = ObservationForm(request.POST or None, control=control)

    def save() -> str:
        made = record_observation(implementation, by=request.user, **form.cleaned_data)
        messages.success(request, OBSERVED)
        return reverse("evidence:observation", args=[made.uuid])

    heading = f"{control.label} was seen to fail"
    return form_page(request, form, save, implementation, heading, "Record it")


@require_http_methods(["GET", "POST"])
@once
def finding_new(request: SignedInRequest, slug: str, ref_id: str) -> HttpResponse:
    """Write a finding, of an observation where the address names one."""
    implementation = implementation_or_404(request, slug, ref_id)
    _permit(lambda: require_recorder(implementation.system, request.user))
    observation = None
    if named := request.GET.get("observation"):
        observation = _observation_of(implementation, named)
    form = FindingForm(
        request.POST or None,
        control=implementation.control,
        observed=observation is not None,
        initial={
            "source": observation.source,
            "part": observation.part,
            "text": observation.text,
        }
        if observation
        else None,
    )

    def save() -> str:
        made = record_finding(
            implementation,
            observation=observation,
            by=request.user,
            **form.cleaned_data,
        )
        (standing,) = finding_standings([made], Moment(made.found_on))
        messages.success(request, FOUND.format(due=standing.due_on))
        return reverse("evidence:finding", args=[made.uuid])

    heading = f"A finding about {implementation.control.label}"
    return form_page(request, form, save, implementation, heading, "Write the finding")


def _observation_of(
    implementation: ControlImplementation, uuid: str
) -> FailingObservation:
    rows = FailingObservation.objects.filter(implementation=implementation)
    try:
        return rows.get(uuid=uuid)
    except (FailingObservation.DoesNotExist, ValidationError):
        raise Http404("This control has no such observation.") from None


@require_GET
def observation(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """What failed, and what was made of it?"""
    return _subject_page(request, _subject(request, FailingObservation, uuid))


@require_GET
def finding(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """What was found, how old is it, and what was made of it?"""
    return _subject_page(request, _subject(request, Finding, uuid))


@require_http_methods(["GET", "POST"])
@once
def observation_dispose(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Explain an observation; a second person decides."""
    return _dispose(request, _subject(request, FailingObservation, uuid))


@require_http_methods(["GET", "POST"])
@once
def finding_dispose(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Ask to close a finding, or for a deviation; a second person decides."""
    return _dispose(request, _subject(request, Finding, uuid))


def _subject(request: SignedInRequest, model: Any, uuid: Any) -> Any:
    rows = model.objects.visible_to(request.user).select_related(
        "implementation__control",
        "implementation__owner_team",
        "implementation__system",
        "system",
    )
    return get_object_or_404(rows, uuid=uuid)


def _address(subject: Subject) -> str:
    view = "finding" if isinstance(subject, Finding) else "observation"
    return reverse(f"evidence:{view}", args=[subject.uuid])


def _subject_page(request: SignedInRequest, subject: Subject) -> HttpResponse:
    """A finding or an observation, on the day that is asked about."""
    clocks = clocks_of(request, subject.system)
    if clocks.moment.known_at and subject.known_from >= clocks.moment.known_at:
        raise Http404("This was not recorded at that time.")
    if clocks.moment.on < subject.first_day:
        raise Http404(SEEN_LATER.format(day=subject.first_day))
    standing = standing_of(subject, clocks.moment)
    waiting = standing.waiting
    subjects = [subject.uuid, *(row.uuid for row in standing.dispositions)]
    page = {
        "system": subject.system,
        "control": subject.implementation.control,
        "clocks": clocks,
        "here": _address(subject),
        "subject": subject,
        "standing": standing,
        "is_finding": isinstance(subject, Finding),
        "reports": reports_of(subject, clocks.moment),
        "may_ask": clocks.now
        and not standing.over
        and not waiting
        and may_ask_for(subject, request.user),
        "may_find": clocks.now
        and not isinstance(subject, Finding)
        and standing.state != "finding"
        and may_record(subject.system, request.user),
        "may_decide": clocks.now
        and waiting is not None
        and may_decide(waiting, by=request.user),
        "events": AuditEvent.objects.visible_to(request.user)
        .filter(subject_uuid__in=subjects)
        .order_by("at", "seq"),
    }
    return render(request, "evidence/findings/detail.html", page)


def _dispose(request: SignedInRequest, subject: Subject) -> HttpResponse:
    _permit(lambda: require_asker(subject, request.user))
    form = DispositionForm(request.POST or None, subject=subject)

    def save() -> str:
        request_disposition(subject, by=request.user, **form.cleaned_data)
        messages.success(request, ASKED)
        return _address(subject)

    implementation = subject.implementation
    heading = f"What is to be made of “{subject}”"
    return form_page(
        request, form, save, implementation, heading, "Ask a second person"
    )


@require_POST
def disposition_decide(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Accept or reject what is asked for, as a second person."""
    rows = Disposition.objects.visible_to(request.user).select_related(
        "system",
        "finding__implementation",
        "finding__observation",
        "observation__implementation",
        "link__revision__evidence",
    )
    disposition: Disposition = get_object_or_404(rows, uuid=uuid)
    form = DispositionDecisionForm(request.POST)
    back = _address(disposition.subject)
    try:
        require_decider(disposition, by=request.user)
        for field in ("reason", "official"):
            if field in form.errors:
                raise Refused({field: list(form.errors[field])})
        if not form.is_valid():
            sentence = "Say whether you accept or reject."
            return explanation_page(request, sentence, 400, back=back)
        decide_disposition(disposition, by=request.user, **form.cleaned_data)
    except SrmError as refusal:
        return refused(request, refusal, back=back)
    messages.success(request, "Your decision is recorded.")
    return return_to_work(request) or redirect(back)


def _permit(require: Callable[[], None]) -> None:
    """Raise PermissionDenied (403) with the rule's own sentence."""
    try:
        require()
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal


def form_page(
    request: SignedInRequest,
    form: BaseForm,
    save: Callable[[], str],
    implementation: ControlImplementation,
    heading: str,
    button: str,
) -> HttpResponse:
    """Show the form, or save it and go where `save` says; refusals stay on the form."""
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                return redirect(save())
            except ValidationError as refusal:
                explain(form, refusal)
                status = getattr(refusal, "status_code", 400)
    page = {
        "form": form,
        "heading": heading,
        "button": button,
        "system": implementation.system,
        "control": implementation.control,
    }
    return render(request, "evidence/findings/form.html", page, status=status)
