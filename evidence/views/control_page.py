"""One control with both its halves, its record and what the person may do.

One file: the parts of one page are gathered and shown together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Set
from typing import Any, TypeVar

from django.db.models import Model, QuerySet, prefetch_related_objects
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from controls.access import is_installation_officer
from controls.control_parts import differing, parts_of
from controls.control_words import control_words
from controls.implementation_days import standing
from controls.models import (
    Actor,
    AuditEvent,
    Control,
    ControlImplementation,
    ControlLayer,
    ImplementationStatus,
    System,
)
from controls.models.decisions import DecisionSource
from controls.models.implementations import worst_of
from controls.responsibility.part_classes import (
    LayerReading,
    PartClass,
    classes_of_parts,
)
from controls.service_names import display_names
from evidence.engagements.after_closing import later_of_controls
from evidence.engagements.scope import audits_of_reader
from evidence.forms.clocks import clocks_of
from evidence.models import (
    Evidence,
    EvidenceRequest,
    Population,
    Sample,
)
from evidence.requests.who_may import may_request
from evidence.reviews.reconfirm import marks
from evidence.status.clocks import Clocks
from evidence.status.control_lists import lists_holding
from evidence.status.control_page import (
    RECENT,
    as_known,
    aws_days,
    basis_groups,
    duties,
    latest_evidence,
    our_requirements,
    touches,
)
from evidence.status.control_status import ControlStatus, control_statuses
from evidence.status.occurrences import lanes, occurrences
from evidence.status.unnamed_controls import series_not_naming
from evidence.submissions.withdrawals import withdrawn_from
from evidence.systems.provider_documents import statements_shown
from evidence.views.access import implementation_or_404
from evidence.views.control_findings import (
    findings_of_control,
    responses_of_control,
)
from evidence.views.control_forms import control_forms
from evidence.views.list_place import place_in_list
from srm_project.requests import SignedInRequest

M = TypeVar("M", bound=Model)


@require_GET
def control(request: SignedInRequest, slug: str, ref_id: str) -> HttpResponse:
    """Is this control proven, by whom, and what is missing?"""
    return control_page(request, implementation_or_404(request, slug, ref_id))


def control_page(
    request: SignedInRequest,
    implementation: ControlImplementation,
    *,
    status: int = 200,
    **forms: Any,
) -> HttpResponse:
    """The control page, with forms as somebody filled them in."""
    system = implementation.system
    clocks = clocks_of(request, system)
    page: dict[str, Any] = {
        "system": system,
        "implementation": implementation,
        "control": implementation.control,
        "clocks": clocks,
        "here": reverse(
            "evidence:control", args=[system.slug, implementation.control.ref_id]
        ),
        "part_classes": {},
    }
    page |= _words(request.user, implementation, clocks)
    audits = audits_of_reader(system, reader=request.user)
    page["own_audits"] = bool(audits)
    page["out_of_scope"] = [
        audit.title
        for audit in audits
        if implementation.control.ref_id not in audit.scope
    ]
    later = later_of_controls(system, clocks.moment, clocks.window, reader=request.user)
    page["later"] = later.get(implementation.pk, [])
    page["place"] = place_in_list(request, clocks, implementation.pk)
    page["kept_filters"] = page["place"].filters
    answer = _answer(system, clocks, implementation)
    if answer is not None:
        holding = lists_holding(implementation)
        page |= _halves(answer, clocks, holding)
        page["readable"] = _readable(request.user, page)
        page |= _record(request.user, implementation, clocks, holding)
        page["part_classes"] = _part_classes(
            implementation, answer, page["readings"], clocks.moment.known_at
        )
        page |= findings_of_control(request.user, implementation, clocks, holding)
        page |= responses_of_control(
            request.user, implementation, answer, clocks, page["service_names"]
        )
        page |= control_forms(
            request.user, implementation, clocks, page["marks"], holding
        )
        page |= forms
        if page["words"] and "describe_form" in page:
            page["describe_form"].explain_parts(page["words"].by_statement)
    return render(request, "evidence/controls/detail.html", page, status=status)


def _words(
    user: Actor, implementation: ControlImplementation, clocks: Clocks
) -> dict[str, Any]:
    """The official text as it was known, and whether the person may import one."""
    known_at = clocks.moment.known_at
    words = control_words(implementation.control, clocks.system.baseline, known_at)
    may_import = not (words or known_at) and is_installation_officer(user)
    return {"words": words, "may_import_text": may_import}


def _answer(
    system: System, clocks: Clocks, implementation: ControlImplementation
) -> ControlStatus | None:
    try:
        answers = control_statuses(
            system, clocks.moment, pks=[implementation.pk], window=clocks.window
        )
    except LookupError:
        return None
    if not answers:
        raise Http404("This control was not recorded at that time.")
    return answers[0]


def _halves(answer: ControlStatus, clocks: Clocks, holding: Set[str]) -> dict[str, Any]:
    """What the two columns show."""
    basis, names = answer.basis, display_names()
    expected = occurrences(answer, clocks.moment)
    return {
        "answer": answer,
        "service_names": names,
        "aws_duties": duties(basis, names, ours=False),
        "our_duties": duties(basis, names, ours=True),
        "basis": basis_groups(basis, names),
        **_reports(answer, clocks),
        "aws_timeline": aws_days(answer, clocks, names),
        "requirements": our_requirements(answer, clocks),
        "lanes": lanes(expected, clocks.window, clocks.moment.on),
        "marks": marks([answer.implementation["id"]], clocks.moment),
        "latest": latest_evidence(answer.implementation["id"], clocks),
        "withdrawn": withdrawn_from(
            answer.implementation["id"], clocks.moment.known_at, RECENT
        )
        if "withdrawn links" in holding
        else [],
    }


def _reports(answer: ControlStatus, clocks: Clocks) -> dict[str, Any]:
    """Reports cited that speak of the window or decide on the day; how many others."""
    versions = answer.facts.aws.versions if answer.facts.aws else ()
    days = (*clocks.window, clocks.moment.on)
    first = min(days) - dt.timedelta(days=clocks.system.currency_days)
    key = answer.implementation["id"]
    touching = [version for version in versions if touches(version, first, max(days))]
    return {
        "aws_versions": touching,
        "other_versions": [row for row in versions if row not in touching],
        "unnamed": series_not_naming([key], clocks.moment).get(key, {}).values(),
    }


def _readable(user: Actor, halves: Mapping[str, Any]) -> set[str]:
    """Of the evidence and populations shown, what the person may open, by uuid.

    Others see that it is there, not what it holds.
    """
    occurrences = [row for lane in halves["lanes"].rows for row in lane.occurrences]
    evidence = {row.uuid for row in halves["latest"]}
    evidence |= {link.revision.evidence.uuid for link, _ in halves["withdrawn"]}
    evidence |= {row.evidence for row in occurrences if row.evidence}
    results = [row.result for row in occurrences]
    results += [row for shown in halves["requirements"] for row in shown.results]
    populations = {events.uuid for row in results for events in row.populations}
    rows = (
        Evidence.objects.visible_to(user).filter(uuid__in=evidence),
        Population.objects.visible_to(user).filter(uuid__in=populations),
    )
    return {
        str(uuid)
        for visible in rows
        for uuid in visible.order_by().values_list("uuid", flat=True)
    }


def _record(
    user: Actor,
    implementation: ControlImplementation,
    clocks: Clocks,
    holding: Set[str],
) -> dict[str, Any]:
    """Decisions, requests and events about the control, up to what is known."""
    known = clocks.moment.known_at
    before = {"known_from__lt": known} if known else {}

    def held(name: str, rows: QuerySet[M], *people: str) -> list[M]:
        people = ("requested_by", "decided_by", *people)
        if name not in holding:
            return []
        return as_known(rows.select_related(*people), known)

    overrides = held("overrides", implementation.overrides.all())
    excused = held("exclusions", implementation.applicability_decisions.all())
    alternatives = held(
        "alternatives",
        implementation.alternatives.all(),
        "end_requested_by",
        "ended_by",
    )
    ends = held("end requests", implementation.end_requests.all())
    itself = ControlImplementation.objects.filter(pk=implementation.pk)
    description = as_known(itself, known)[0]
    statements = as_known(implementation.statements.all(), known)
    statements.sort(
        key=lambda statement: statement.days.lower or dt.date.min, reverse=True
    )
    prefetch_related_objects(statements, "stated_by")
    status, parts = standing(statements, clocks.moment.on)
    subjects = [implementation.uuid]
    subjects += [row.uuid for row in (*overrides, *excused, *alternatives)]
    subjects += implementation.links.values_list("uuid", flat=True)
    if "populations" in holding:
        subjects += _events_of(implementation)
    events = AuditEvent.objects.visible_to(user).filter(subject_uuid__in=subjects)
    readings = ControlLayer.objects.readings_of(implementation.control)
    return {
        "may_ask": may_request(implementation.system, user),
        "asked_for": _asked_for(user, implementation) if "requests" in holding else (),
        "readings": readings,
        "reasons": _reasons(implementation.control, readings),
        "decisions": implementation.decisions.newest_first().filter(**before)[:20],
        "said": description,
        "statements": statements,
        "said_status": ImplementationStatus(worst_of([status, *parts.values()])).label,
        "said_as_a_whole": ImplementationStatus(status).label,
        "parts": differing(implementation.control, parts),
        "overrides": overrides,
        "provided": statements_shown(implementation, clocks)
        if "provider statements" in holding
        else [],
        "excused": excused,
        "alternatives": alternatives,
        "ends": ends,
        "events": events.filter(**({"at__lt": known} if known else {})).order_by(
            "-at", "-seq"
        )[:30],
    }


def _reasons(control: Control, readings: Iterable[ControlLayer]) -> list[str]:
    """Why the control rests on its layers; of a part, with the part (R5)."""
    labels = {
        part.statement_id: f"({part.label.strip('()')})" for part in parts_of(control)
    }
    return list(
        dict.fromkeys(
            f"{labels.get(row.statement_id, '')} {row.reason}".strip()
            for row in readings
        )
    )


def _part_classes(
    implementation: ControlImplementation,
    answer: ControlStatus,
    readings: Iterable[ControlLayer],
    known_at: dt.datetime | None,
) -> dict[str, PartClass]:
    """The class of each part where they differ, as the services in use say (R5).

    Where an override or a provider's document says the class, it says it of the whole.
    A reading that was loaded after the instant asked about was not known then.
    """
    known = [
        LayerReading(row.statement_id, row.layer, row.reason)
        for row in readings
        if known_at is None or row.reference_version.loaded_at < known_at
    ]
    if answer.implementation["source"] != DecisionSource.DERIVED:
        return {}
    return classes_of_parts(
        parts_of(implementation.control),
        known,
        answer.basis,
    )


def _asked_for(
    user: Actor, implementation: ControlImplementation
) -> QuerySet[EvidenceRequest]:
    """Requests about the control that are not settled and that the person may see."""
    unsettled = EvidenceRequest.objects.matching(state="unsettled").filter(
        controls=implementation
    )
    if not unsettled.exists():
        return unsettled.none()
    return unsettled.visible_to(user).for_listing()


def _events_of(implementation: ControlImplementation) -> list[Any]:
    """Populations and samples of the control, for its history."""
    populations = Population.objects.filter(requirement__implementation=implementation)
    samples = Sample.objects.filter(population__in=populations)
    return [
        *populations.values_list("uuid", flat=True),
        *samples.order_by().values_list("uuid", flat=True),
    ]
