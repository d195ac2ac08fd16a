"""Requests for evidence: the list, a new one, one with its answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import get_text_list
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controls import clock
from controls.errors import NotPermitted, Refused
from controls.grammar import day_in_words
from controls.models import ControlImplementation, Role, System
from evidence.forms.keys import keys_among
from evidence.forms.requests import (
    AnswerDecisionForm,
    AnswerForm,
    OfferedFilter,
    RequestDraftForm,
    RequestFilter,
)
from evidence.models import (
    Evidence,
    EvidenceLink,
    EvidenceRequest,
    RequirementControl,
)
from evidence.models.requests import UNSETTLED, EvidenceRequestState
from evidence.requests.answers import answer, decide_answer
from evidence.requests.offered import MAX_OFFERED, answerable, offered
from evidence.requests.requests import cancel, request_evidence
from evidence.requests.who_may import (
    may_answer,
    may_cancel,
    may_decide_answer,
    require_answerer,
    require_canceller,
    require_requester,
)
from evidence.submissions.withdrawals import withdrawals_of
from evidence.views.access import system_or_404
from evidence.views.answers import explain, refused, return_to_work
from evidence.views.once import once
from evidence.views.picker import SEARCH
from srm_project.requests import SignedInRequest

PER_PAGE = 100
MAX_SYSTEMS = 3  # in which something may be asked right from the list
OFFERED = "offered"  # the id of the part that a search fetches again


@require_GET
def requests(request: SignedInRequest) -> HttpResponse:
    """What is asked of whom, and what is overdue?"""
    chosen = RequestFilter(request.GET, user=request.user)
    mine = EvidenceRequest.objects.visible_to(request.user).for_table()
    rows = mine.matching(**chosen.filters(), now=clock.now())
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    asking = System.objects.held_as(request.user, [Role.OFFICER, Role.AUDITOR])
    context = {
        "page": page,
        "filter": chosen,
        "asking": asking.order_by("name", "pk")[:MAX_SYSTEMS],
    }
    return render(request, "evidence/requests/list.html", context)


@require_http_methods(["GET", "POST"])
@once
def request_new(request: SignedInRequest, slug: str) -> HttpResponse:
    """Ask a team of a system to show something by a day."""
    system = system_or_404(request, slug)
    first = {"control_ids": request.GET.get("control", "").upper()}
    form = RequestDraftForm(request.POST or None, system=system, initial=first)
    try:
        require_requester(system, request.user)
        if form.is_valid():
            made = request_evidence(system, form.draft(), by=request.user)
            day = day_in_words(made.due_on)
            messages.success(
                request,
                f"Asked of {made.team}, to be shown by {day}. You are told when it is"
                " answered.",
            )
            return redirect("evidence:request", uuid=made.uuid)
    except NotPermitted as refusal:
        return refused(request, refusal)
    except ValidationError as refusal:
        explain(form, refusal)
    status = 400 if form.errors else 200
    context = {"form": form, "system": system}
    return render(request, "evidence/requests/new.html", context, status=status)


@require_GET
def one(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """What is asked, how it was answered, what came of it."""
    return _page(request, _request_or_404(request, uuid))


@require_POST
@once
def request_answer(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Answer with evidence that is here already."""
    evidence_request = _request_or_404(request, uuid)
    if SEARCH in request.POST:
        return _page(request, evidence_request)
    form = _answer_form(request, evidence_request, request.POST)

    if may_answer(evidence_request, request.user) and not form.is_valid():
        return _page(request, evidence_request, status=400, answer_form=form)

    def act() -> str:
        require_answerer(evidence_request, request.user)
        if not form.is_valid():
            raise Refused(dict(form.errors))
        fields = dict(form.cleaned_data)
        chosen = list(fields.pop("evidence"))
        answer(evidence_request, chosen, **fields, by=request.user)
        titles = get_text_list([f"“{row.title}”" for row in chosen], "and")
        verb = "answers" if len(chosen) == 1 else "answer"
        asked_by = evidence_request.asked_by
        return (
            f"{titles} {verb} “{evidence_request.title}”. {asked_by} asked for it and"
            " decides whether it is enough."
        )

    return _done(request, evidence_request, act, answer_form=form)


@require_POST
def request_judge(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Accept the answer, return it, or take the request back."""
    evidence_request = _request_or_404(request, uuid)
    form = AnswerDecisionForm(request.POST)
    steps = {"accept": "Accepted.", "return": "Returned.", "cancel": "Taken back."}

    def act() -> str:
        require_canceller(evidence_request, request.user)
        step = request.POST.get("decision", "")
        if "reason" in form.errors:
            raise Refused({"reason": list(form.errors["reason"])})
        if not form.is_valid() or step not in steps:
            raise Refused("Say whether you accept, return or take it back.")
        fields = form.cleaned_data | {"by": request.user}
        if step == "cancel":
            cancel(evidence_request, **fields)
        else:
            decide_answer(evidence_request, accept=step == "accept", **fields)
        return steps[step]

    return _done(
        request, evidence_request, act, kept_reason=request.POST.get("reason", "")
    )


def _done(
    request: SignedInRequest,
    evidence_request: EvidenceRequest,
    act: Callable[[], str],
    **kept: Any,
) -> HttpResponse:
    """Do it; refused, the same page with what was typed and why."""
    try:
        messages.success(request, act())
    except NotPermitted as refusal:
        return refused(request, refusal)
    except ValidationError as refusal:
        status = getattr(refusal, "status_code", 400)
        evidence_request = _request_or_404(request, evidence_request.uuid)
        context = {**kept, "refusal": " ".join(refusal.messages)}
        return _page(request, evidence_request, status=status, **context)
    return return_to_work(request) or redirect(
        "evidence:request", uuid=evidence_request.uuid
    )


def _page(
    request: SignedInRequest,
    evidence_request: EvidenceRequest,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    unsettled = evidence_request.state in UNSETTLED
    answering = unsettled and may_answer(evidence_request, request.user)
    rows = ControlImplementation.objects.filter(
        requests=evidence_request
    ).in_catalog_order()
    submittable = RequirementControl.objects.submittable_by(request.user)
    controls = rows.select_related("control").prefetch_related(
        Prefetch("requirements", submittable.order_by("pk"), to_attr="submittable")
    )
    answers = list(
        evidence_request.answers.select_related(
            "revision__evidence", "answered_by"
        ).prefetch_related(
            Prefetch("revision__links", EvidenceLink.objects.for_listing())
        )
    )
    links = [link for answer in answers for link in answer.revision.links.all()]
    context = {
        "asked": evidence_request,
        "controls": list(controls),
        "answers": answers,
        "withdrawals": withdrawals_of(links),
        "judgements": evidence_request.judgements.select_related("judged_by"),
        "may_answer": answering,
        "describable": set(
            rows.describable_by(request.user).values_list("pk", flat=True)
        ),
        "may_decide": evidence_request.state == EvidenceRequestState.ANSWERED
        and may_decide_answer(evidence_request, request.user),
        "may_cancel": unsettled and may_cancel(evidence_request, request.user),
    }
    if answering:
        context["answer_form"] = _answer_form(request, evidence_request, None)
        context |= _offers(request, evidence_request)
    if request.htmx.target == OFFERED:  # type: ignore[attr-defined]
        return render(request, "evidence/requests/partials/offered.html", context)
    return render(
        request, "evidence/requests/detail.html", context | more, status=status
    )


def _answer_form(
    request: SignedInRequest, evidence_request: EvidenceRequest, data: Any
) -> AnswerForm:
    choices = answerable(evidence_request, _here(request, evidence_request))
    initial: dict[str, Any] = {"version": evidence_request.version}
    if SEARCH in request.POST:  # sent only to search: what was typed stays
        initial |= {"note": request.POST.get("note", "")}
        data = None
    return AnswerForm(data, answerable=choices, initial=initial)


def _here(
    request: SignedInRequest, evidence_request: EvidenceRequest
) -> QuerySet[Evidence]:
    visible = Evidence.objects.visible_to(request.user)
    return visible.filter(system=evidence_request.system_id)


def _offers(
    request: SignedInRequest, evidence_request: EvidenceRequest
) -> dict[str, Any]:
    """What was chosen, and what else may be chosen by the search."""
    typed = request.POST if request.method == "POST" else request.GET
    narrowed = OfferedFilter(typed)
    here = _here(request, evidence_request)
    keys = keys_among(typed.getlist("evidence"))
    matching = offered(evidence_request, here, **narrowed.narrowing())
    rows = list(matching.exclude(pk__in=keys)[: MAX_OFFERED + 1])
    chosen = offered(evidence_request, here).filter(pk__in=keys) if keys else []
    return {
        "narrowed": narrowed,
        "chosen": chosen,
        "offered": rows[:MAX_OFFERED],
        "more_offered": len(rows) > MAX_OFFERED,
    }


def _request_or_404(request: SignedInRequest, uuid: Any) -> EvidenceRequest:
    mine = EvidenceRequest.objects.visible_to(request.user).for_table()
    return get_object_or_404(mine, uuid=uuid)
