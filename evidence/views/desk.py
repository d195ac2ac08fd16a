"""The reviewer's desk: what waits on the left, one submission with its files right."""

from __future__ import annotations

import uuid as uuids
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.decorators.http import require_GET, require_http_methods

from controls import clock
from controls.errors import NotPermitted, Refused
from evidence.forms.desk import REASONS_OFFERED, DeskFilter, SubmissionForm
from evidence.models import EvidenceLink
from evidence.models.link_queries import EvidenceLinkQuerySet
from evidence.models.links import require_independent_reviewer
from evidence.planning.my_work import populations_to_judge
from evidence.reviews import desk
from evidence.reviews.decide import Decision, SomeRefused, decide_all
from evidence.views.answers import explanation_page, refused
from srm_project.requests import SignedInRequest

PER_PAGE = 25
OF_ANOTHER = (
    "This form names a control that is not of this submission. Nothing was recorded:"
    " open the submission again."
)
FILTERS = ("system", "by", "q", "page")


@require_GET
def queue(request: SignedInRequest) -> HttpResponse:
    """What waits for my decision, and what does the first of it show?"""
    return _desk(request, SubmissionForm(), item=request.GET.get("item", ""))


@require_http_methods(["GET", "POST"])
def decide(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Record one decision for each control of a submission, or none of them."""
    if request.method == "GET":  # reloaded, or come back to after a sign-in
        return redirect(f"{reverse('evidence:queue')}?{urlencode({'item': uuid})}")
    form = SubmissionForm(request.POST)
    links = EvidenceLink.objects.visible_to(request.user).filter(
        revision__uuid=uuid, uuid__in=form.links
    )
    if not form.links and _revision_seen(request, uuid):
        return explanation_page(request, "Nothing was chosen.", 422)
    if not links.exists():
        raise Http404
    try:
        _require_reviewer(request, links)
    except NotPermitted as refusal:
        return refused(request, refusal)
    submission = next(iter(desk.submissions_of(links).values()))
    if len(submission.links) < len(form.links):
        return explanation_page(request, OF_ANOTHER, 409)
    errors: dict[uuids.UUID, str] = {}
    if question := form.unanswered(submission.links):
        return _desk(request, form, submission=submission, question=question)
    try:
        decisions = form.decisions()
        decide_all(decisions, by=request.user)
    except SomeRefused as refusal:
        errors = refusal.by_link
    except Refused as refusal:
        errors = dict.fromkeys(form.links, " ".join(refusal.messages))
    if errors:
        return _desk(request, form, submission=submission, errors=errors)
    messages.success(request, _sentence(submission, decisions))
    return redirect(_address(request, item=request.POST.get("next_item", "")))


def _revision_seen(request: SignedInRequest, uuid: Any) -> bool:
    mine = EvidenceLink.objects.visible_to(request.user)
    return mine.filter(revision__uuid=uuid).exists()


def _require_reviewer(request: SignedInRequest, links: Any) -> None:
    """Raise NotPermitted where this person may decide none of the links at all."""
    if links.reviewable_by(request.user).exists():
        return
    link = links.first()
    require_independent_reviewer(link, request.user, link.authors())


def _sentence(submission: desk.WaitingSubmission, decisions: list[Decision]) -> str:
    """What was decided, control by control."""
    labels = {
        row.link.uuid: row.link.implementation.control.label for row in submission.links
    }
    parts = [
        f"{word} for {', '.join(named)}"
        for word, accept in (("accepted", True), ("rejected", False))
        if (named := [labels[d.link] for d in decisions if d.accept == accept])
    ]
    title = submission.revision.evidence.title
    return f"“{title}”: {', '.join(parts)}."


def _address(request: SignedInRequest, item: str = "") -> str:
    """The desk with the filters of this request, and perhaps an item."""
    kept = {name: request.GET[name] for name in FILTERS if request.GET.get(name)}
    if item:
        kept["item"] = item
    return f"{reverse('evidence:queue')}?{urlencode(kept)}"


class WaitingPages(Paginator):
    """Submissions that wait, page by page; counted without putting them in order."""

    def __init__(self, links: EvidenceLinkQuerySet) -> None:
        super().__init__(desk.by_oldest_period(links), PER_PAGE)
        self.links = links

    @cached_property
    def count(self) -> int:  # type: ignore[override]
        """How many there are. One statement."""
        return desk.number_of(self.links)


def _desk(
    request: SignedInRequest,
    form: SubmissionForm,
    *,
    item: str = "",
    submission: desk.WaitingSubmission | None = None,
    errors: dict[uuids.UUID, str] | None = None,
    question: str = "",
) -> HttpResponse:
    """The desk; with a submission that was refused, that one and what was typed."""
    all_waiting = desk.waiting(request.user)
    narrowed = DeskFilter(request.GET, waiting=all_waiting)
    narrowing = narrowed.narrowing()
    links = all_waiting
    if any(narrowing.values()):
        links = desk.waiting(request.user, **narrowing)
    pages = WaitingPages(links)
    page = pages.get_page(request.GET.get("page"))
    keys = [row["revision"] for row in page]
    listed = desk.submissions_of(links.filter(revision__in=keys))
    in_order = [listed[key] for key in keys if key in listed]
    gone = False
    if submission is None:
        submission = _chosen(request, item, in_order)
        gone = bool(item) and submission is None
        submission = submission or next(iter(in_order), None)
    context: dict[str, Any] = {
        "page": page,
        "submissions": in_order,
        "filter": narrowed,
        "chosen": submission,
        "gone": gone,
        "populations": populations_to_judge(request.user).count(),
        "kept": urlencode(
            {name: request.GET[name] for name in FILTERS if request.GET.get(name)}
        ),
    }
    if pages.count:
        context["median_wait"] = desk.median_wait(links, pages.count, clock.now())
    if submission is not None:
        files = list(submission.revision.files.all())
        shown = request.GET.get("file", "")
        context |= {
            "form": form,
            "rows": form.rows(submission, errors or {}),
            "question": question,
            "files": files,
            "file": next((f for f in files if str(f.uuid) == shown), None)
            or next(iter(files), None),
            "reasons": REASONS_OFFERED,
            **_neighbours(submission, in_order),
        }
    status = 409 if errors else 422 if question else 200
    return render(request, "evidence/reviews/desk.html", context, status=status)


def _chosen(
    request: SignedInRequest, item: str, listed: list[desk.WaitingSubmission]
) -> desk.WaitingSubmission | None:
    """The submission of an address, on this page or not; None where none waits."""
    for submission in listed:
        if str(submission.revision.uuid) == item:
            return submission
    try:
        key = uuids.UUID(item)
    except ValueError:
        return None
    links = desk.waiting(request.user).filter(revision__uuid=key)
    return next(iter(desk.submissions_of(links).values()), None)


def _neighbours(
    chosen: desk.WaitingSubmission, listed: list[desk.WaitingSubmission]
) -> dict[str, desk.WaitingSubmission | None]:
    """What stands before and after the chosen one in the list, if anything."""
    keys = [submission.revision.pk for submission in listed]
    if chosen.revision.pk not in keys:
        return {"before": None, "after": next(iter(listed), None)}
    place = keys.index(chosen.revision.pk)
    return {
        "before": listed[place - 1] if place else None,
        "after": listed[place + 1] if place + 1 < len(listed) else None,
    }
