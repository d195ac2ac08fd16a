"""Upload for a requirement, or for a control that nothing asks it of."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import cached_property
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from controls.errors import NotPermitted, SrmError
from controls.models import ControlImplementation, System, Team
from evidence.forms.upload_body import read_into_store
from evidence.forms.uploads import UploadForm, first_values
from evidence.models import (
    Evidence,
    EvidenceLink,
    EvidenceRequest,
    EvidenceRequirement,
    LinkState,
    SampleItem,
)
from evidence.planning.my_work import Ask, ask, with_newest_links
from evidence.requests.answers import answer_by_upload
from evidence.requests.who_may import require_answerer
from evidence.status.cadence import occurrence_of, proof_end
from evidence.status.control_status import today_of
from evidence.submissions.same_again import again_values
from evidence.submissions.submit import Proving, provable_by, submit
from evidence.submissions.waiting_files import uploads_of
from evidence.submissions.who_may import require_submitter
from evidence.views.answers import redirect_for_upload, refused, return_to_work
from evidence.views.once import once
from srm_project.requests import SignedInRequest


@dataclass
class Target:
    """What an upload is for: a requirement, or (supplementary) a control alone.

    `item` is the sampled event that it shows, where the requirement is per event.
    """

    implementation: ControlImplementation
    requirement: EvidenceRequirement | None = None
    answers: EvidenceRequest | None = None
    item: SampleItem | None = None

    @cached_property
    def standing(self) -> EvidenceRequirement | None:
        """The requirement with its newest links, asked for when a page shows them."""
        if self.requirement is None:
            return None
        asked = EvidenceRequirement.objects.for_listing()
        return with_newest_links(asked).get(pk=self.requirement.pk)

    @property
    def system(self) -> System:
        """The system it belongs to."""
        return self.implementation.system

    @property
    def team(self) -> Team | None:
        """Who proves it."""
        asked = self.requirement
        return (asked and asked.owner_team) or self.implementation.owner_team


@csrf_exempt  # checked by `_answer`: the handler must be set before the body is read
@require_http_methods(["GET", "POST"])
def upload(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Files for a requirement; rights are checked before a byte of them is read."""
    asked = EvidenceRequirement.objects.visible_to(request.user).for_listing()
    requirement = get_object_or_404(asked, uuid=uuid, system__slug=slug)
    target = Target(
        requirement.implementation,
        requirement,
        answers=_answers(request, slug),
        item=_item(request, requirement),
    )
    return _received(request, target)


def _item(
    request: SignedInRequest, requirement: EvidenceRequirement
) -> SampleItem | None:
    """The sampled event named by `?item=`; 404 for one of another requirement."""
    named = request.GET.get("item", "")
    if not named:
        return None
    mine = SampleItem.objects.visible_to(request.user).for_upload()
    mine = mine.filter(sample__population__requirement=requirement)
    return get_object_or_404(mine, uuid=uuid_or_404(named))


def uuid_or_404(text: str) -> UUID:
    """The text as a uuid; what is none names nothing."""
    try:
        return UUID(text)
    except ValueError:
        raise Http404("There is no such thing.") from None


@csrf_exempt  # as above
@require_http_methods(["GET", "POST"])
def upload_supplementary(
    request: SignedInRequest, slug: str, ref_id: str
) -> HttpResponse:
    """Files for a control that no requirement asks for (R19)."""
    mine = ControlImplementation.objects.visible_to(request.user).for_listing()
    found = get_object_or_404(mine, system__slug=slug, control__ref_id=ref_id)
    return _received(request, Target(found, answers=_answers(request, slug)))


def _answers(request: SignedInRequest, slug: str) -> EvidenceRequest | None:
    """The request for evidence that `?request=` names, which the upload answers."""
    named = request.GET.get("request", "")
    if not named:
        return None
    mine = EvidenceRequest.objects.visible_to(request.user).for_listing()
    return get_object_or_404(mine, uuid=uuid_or_404(named), system__slug=slug)


def _received(request: SignedInRequest, target: Target) -> HttpResponse:
    try:
        require_submitter(target.implementation, target.team, by=request.user)
        if target.answers:
            require_answerer(target.answers, request.user)
    except NotPermitted as refusal:
        return refused(request, refusal)
    unread = unreadable(request)
    if unread is not None:
        return unread
    response: HttpResponse = _answer(request, target)
    return response


def unreadable(request: SignedInRequest) -> HttpResponse | None:
    """Stream the body into the store; the refusal where it was too long or cut off."""
    try:
        read_into_store(request)
    except SrmError as refusal:
        return refused(request, refusal)
    return None


@csrf_protect
@once
def _answer(request: SignedInRequest, target: Target) -> HttpResponse:
    today = today_of(target.system)
    others = provable_by(target.team, target.system, today, besides=target.requirement)
    if request.method == "POST":
        form = UploadForm(
            request.POST, request.FILES, others=others, system=target.system
        )
        if form.is_valid():
            return _submit(request, form, target, today)
    else:
        form = UploadForm(
            initial=_first(request, target, today), others=others, system=target.system
        )
    return _page(request, form, target, today)


def _first(request: SignedInRequest, target: Target, today: dt.date) -> dict[str, Any]:
    """What the form begins with: the days due; with `again`, the last time's words."""
    asked = target.standing
    if asked is None:
        return first_values("", today, today, today)
    if target.item is not None:
        return _first_of_item(target.item, asked, today)
    period = ask(asked, today).period
    first = first_values(asked.title, period.first, period.last, today)
    again = request.GET.get("again", "")
    if not again:
        return first
    mine = Evidence.objects.visible_to(request.user)
    return first | again_values(mine, again, asked, period.first)


def _first_of_item(
    sampled: SampleItem, asked: EvidenceRequirement, today: dt.date
) -> dict[str, Any]:
    """The event's own day; the period from then to today, when it was handled."""
    event = sampled.item
    title = f"{asked.title}: {event.key}"[:200]
    first = first_values(title, event.happened_on, today, today)
    return first | {"performed_on": event.happened_on}


def _submit(
    request: SignedInRequest, form: UploadForm, target: Target, today: dt.date
) -> HttpResponse:
    try:
        link = _submitted(request, form, target, today)
    except NotPermitted as refusal:
        return refused(request, refusal)
    except ValidationError as refusal:
        form.add_error(None, refusal)
        status = getattr(refusal, "status_code", 400)
        return _page(request, form, target, today, status=status)
    draft = link.state == LinkState.DRAFT
    said = "Kept as a draft." if draft else "Submitted. Somebody else reviews it now."
    messages.success(request, said)
    return redirect_for_upload(request, return_to_work(request) or _next(target, link))


def _next(target: Target, link: EvidenceLink) -> HttpResponse:
    """To what the upload was for, or to the evidence it became."""
    if target.answers:
        return redirect("evidence:request", uuid=target.answers.uuid)
    if target.item is not None:
        return redirect("evidence:sample", uuid=target.item.sample.uuid)
    return redirect("evidence:evidence", uuid=link.revision.evidence.uuid)


def _submitted(
    request: SignedInRequest, form: UploadForm, target: Target, today: dt.date
) -> EvidenceLink:
    said, by = form.said(), request.user
    uploads = uploads_of(form.cleaned_data["files"])
    also = form.cleaned_data["also"]
    proving = Proving(target.requirement, target.implementation, also, target.item)
    if target.answers:
        return answer_by_upload(
            target.answers, said, uploads, proving, by=by, today=today
        )
    return submit(
        said,
        uploads,
        requirement=proving.requirement,
        implementation=proving.implementation,
        also=also,
        item=target.item,
        by=by,
        today=today,
    )


def _page(
    request: SignedInRequest,
    form: UploadForm,
    target: Target,
    today: dt.date,
    *,
    status: int = 200,
) -> HttpResponse:
    asked = target.standing
    context = {
        "form": form,
        "target": target,
        "requirement": asked,
        "item": target.item,
        "limit_bytes": settings.MAX_UPLOAD_BYTES,
    }
    if asked:
        standing = ask(asked, today)
        context |= {
            "standing": standing,
            "carries_from": today,
            "carries_to": _carries_to(asked, standing, today),
            "last": asked.proven_evidence,  # type: ignore[attr-defined]
        }
    status = 400 if form.errors and status == 200 else status
    return render(request, "evidence/evidence/upload.html", context, status=status)


def _carries_to(
    asked: EvidenceRequirement, standing: Ask, today: dt.date
) -> dt.date | None:
    occurrence = occurrence_of(asked.cadence, standing.period.last)
    return proof_end(asked.cadence, occurrence, today, asked.grace_days)
