"""Upload for a requirement, or for a control that nothing asks it of."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from controls.access import may_describe
from controls.errors import NotPermitted, SrmError
from controls.implementation import is_asked_for, state_with_proof
from controls.models import ControlImplementation
from controls.models.held_roles import roles_read_once
from evidence.forms.upload_body import read_into_store
from evidence.forms.uploads import UploadForm
from evidence.models import (
    EvidenceLink,
    LinkState,
    RequirementControl,
)
from evidence.requests.answers import answer_by_upload, bring_answer
from evidence.requests.who_may import require_answerer
from evidence.status.control_status import today_of
from evidence.submissions.submission import Submission
from evidence.submissions.submit import Proving, bring, provable_by, submit
from evidence.submissions.twins import Twin, twins_of
from evidence.submissions.uploads import Upload
from evidence.submissions.waiting_files import uploads_of
from evidence.submissions.who_may import require_submitter
from evidence.views.answers import (
    explain,
    redirect_for_upload,
    refused,
    return_to_work,
    told_to_come_back,
)
from evidence.views.once import once, was_sent
from evidence.views.picker import SEARCH
from evidence.views.upload_page import initial_values, typed_values, upload_page
from evidence.views.upload_target import Target, item_shown, request_answered
from srm_project.requests import SignedInRequest

AGAIN = "again"  # the button that submits the same file a second time


@csrf_exempt  # checked by `_answer`: the handler must be set before the body is read
@require_http_methods(["GET", "POST"])
def upload(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Files for a requirement; rights are checked before a byte of them is read."""
    with roles_read_once() as roles:
        visible = RequirementControl.objects.visible_to(request.user).for_upload()
        requirement = get_object_or_404(visible, uuid=uuid, system__slug=slug)
        requirement.implementation.system = requirement.system
        target = Target(
            requirement.implementation,
            requirement,
            answers=request_answered(request, slug),
            item=item_shown(request, requirement),
            roles=roles,
        )
        refusal = _refused_at_the_door(request, target)
    return refusal or _received(request, target)


@csrf_exempt  # as above
@require_http_methods(["GET", "POST"])
def upload_supplementary(
    request: SignedInRequest, slug: str, ref_id: str
) -> HttpResponse:
    """Files for a control that no requirement asks for (R19)."""
    with roles_read_once() as roles:
        visible = ControlImplementation.objects.visible_to(request.user).for_listing()
        control = get_object_or_404(visible, system__slug=slug, control__ref_id=ref_id)
        answers = request_answered(request, slug)
        target = Target(control, answers=answers, roles=roles)
        refusal = _refused_at_the_door(request, target)
    return refusal or _received(request, target)


def _refused_at_the_door(
    request: SignedInRequest, target: Target
) -> HttpResponse | None:
    try:
        require_submitter(target.implementation, target.team, by=request.user)
        if target.answers:
            require_answerer(target.answers, request.user)
    except NotPermitted as refusal:
        return refused(request, refusal)
    return None


def _received(request: SignedInRequest, target: Target) -> HttpResponse:
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
def _answer(request: SignedInRequest, target: Target) -> HttpResponse:
    today = today_of(target.system)
    form = _form(request, target, today)
    if request.method == "GET" or SEARCH in request.POST:
        return upload_page(request, form, target, today)
    if not was_sent(request):
        if not form.is_valid():
            return upload_page(request, form, target, today)
        try:
            if twins := _twins(request, form, target):
                return upload_page(
                    request, form, target, today, status=409, twins=twins
                )
            # the store may be slow: nobody waits for us yet
            with roles_read_once(target.roles):  # the transaction asks for them again
                _bring(request, form, target, today)
        except ValidationError as refusal:
            return _refusal(request, form, target, today, refusal)
    answer: HttpResponse = _submit(request, form, target, today)
    return answer


def _form(request: SignedInRequest, target: Target, today: dt.date) -> UploadForm:
    about: dict[str, Any] = {
        "today": today,
        "called": target.called,
        "cadence": target.cadence,
        "others": lambda: provable_by(
            target.team, target.system, today, besides=target.requirement
        ),
        "system": target.system,
        "asks_status": is_asked_for(
            target.implementation, expected_of_us=target.is_expected_of_us
        )
        and may_describe(target.implementation, request.user),
    }
    if request.method == "GET":
        return UploadForm(initial=initial_values(request, target, today), **about)
    if SEARCH in request.POST:
        return UploadForm(initial=typed_values(request), **about)
    return UploadForm(request.POST, request.FILES, **about)


def _refusal(
    request: SignedInRequest,
    form: UploadForm,
    target: Target,
    today: dt.date,
    refusal: ValidationError,
) -> HttpResponse:
    if isinstance(refusal, NotPermitted):
        return refused(request, refusal)
    explain(form, refusal)
    status = getattr(refusal, "status_code", 400)
    page = upload_page(request, form, target, today, status=status)
    return told_to_come_back(page, refusal)


@once
def _submit(
    request: SignedInRequest, form: UploadForm, target: Target, today: dt.date
) -> HttpResponse:
    if not form.is_valid():
        return upload_page(request, form, target, today)
    try:
        link = _submitted(request, form, target, today)
    except ValidationError as refusal:
        return _refusal(request, form, target, today, refusal)
    messages.success(request, _outcome(target, link))
    return redirect_for_upload(request, return_to_work(request) or _next(target, link))


def _outcome(target: Target, link: EvidenceLink) -> str:
    """What became of it, by its title; and whose request it answers."""
    title = f"“{link.revision.evidence.title}”"
    if link.state == LinkState.DRAFT:
        done = f"{title} is kept as a draft."
    else:
        done = f"{title} was submitted. Somebody else reviews it now."
    if target.answers is None:
        return done
    asked_by = target.answers.asked_by
    return f"{done} It answers “{target.answers.title}”, which {asked_by} asked for."


def _next(target: Target, link: EvidenceLink) -> HttpResponse:
    """To what the upload was for, or to the evidence it became."""
    if target.answers:
        return redirect("evidence:request", uuid=target.answers.uuid)
    if target.item is not None:
        return redirect("evidence:sample", uuid=target.item.sample.uuid)
    return redirect("evidence:evidence", uuid=link.revision.evidence.uuid)


def _twins(request: SignedInRequest, form: UploadForm, target: Target) -> list[Twin]:
    """What stands for the same ask and period with the same bytes; none on purpose."""
    if AGAIN in request.POST or target.requirement is None:
        return []
    submission, uploads, proving = _brought(form, target)
    return twins_of(submission, uploads, [target.requirement, *proving.further()])


def _bring(
    request: SignedInRequest, form: UploadForm, target: Target, today: dt.date
) -> None:
    by, brought = request.user, _brought(form, target)
    if target.answers:
        bring_answer(target.answers, *brought, by=by, today=today)
    else:
        bring(*brought, by=by, today=today)


def _submitted(
    request: SignedInRequest, form: UploadForm, target: Target, today: dt.date
) -> EvidenceLink:
    """The link, and with it how far the control is where that was asked."""
    status = form.cleaned_data.get("implementation_status")
    if not status:
        return _link(request, form, target, today)  # a transaction of its own
    with transaction.atomic():
        state_with_proof(
            target.implementation,
            status,
            performed_on=form.cleaned_data["performed_on"],
            by=request.user,
            today=today,
        )
        return _link(request, form, target, today)


def _link(
    request: SignedInRequest, form: UploadForm, target: Target, today: dt.date
) -> EvidenceLink:
    by = request.user
    submission, uploads, proving = _brought(form, target)
    if target.answers:
        return answer_by_upload(
            target.answers, submission, uploads, proving, by=by, today=today
        )
    return submit(
        submission,
        uploads,
        requirement=proving.requirement,
        implementation=proving.implementation,
        also=proving.also,
        item=proving.item,
        by=by,
        today=today,
    )


def _brought(
    form: UploadForm, target: Target
) -> tuple[Submission, list[Upload], Proving]:
    """What a valid form says. Raises Refused for files that are not what they say."""
    also = form.cleaned_data["also"]
    proving = Proving(target.requirement, target.implementation, also, target.item)
    return form.submission(), uploads_of(form.cleaned_data["files"]), proving
