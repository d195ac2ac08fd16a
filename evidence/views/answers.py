"""Answers to a person whose request could not be done, with the right status."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render

from controls.errors import (
    NotPermitted,
    Refused,
    StaleVersion,
    TransitionNotAllowed,
)
from controls.models import Membership, System
from evidence.forms.reasons import ReasonField
from srm_project.requests import SignedInRequest
from srm_project.typed import typed_texts

NO_SECOND_OFFICER = (
    "Nobody can decide on it yet: {} has no second officer. Invite one under People."
)


def refused(
    request: SignedInRequest, refusal: ValidationError, *, back: str = ""
) -> HttpResponse:
    """A page that says why, under the refusal's own status (403, 409, 413 ...), with
    what was typed, to copy, and a link to `back`, an address."""
    status = getattr(refusal, "status_code", 400)
    page = explanation_page(request, " ".join(refusal.messages), status, back=back)
    return told_to_come_back(page, refusal)


def told_to_come_back(
    page: HttpResponse, refusal: ValidationError | None
) -> HttpResponse:
    """The page, with the seconds after which the refusal may be over, if it says so."""
    retry_after = getattr(refusal, "retry_after", None)
    if retry_after is not None:
        page["Retry-After"] = str(retry_after)
    return page


def explanation_page(
    request: SignedInRequest, sentence: str, status: int, *, back: str = ""
) -> HttpResponse:
    """A page with one sentence, what was typed, and a way back."""
    context = {"sentence": sentence, "status": status, "back": back}
    return render(request, "evidence/refused.html", context, status=status)


def answer_with(
    request: SignedInRequest, refusal: ValidationError, back: HttpResponse
) -> HttpResponse:
    """The redirect `back`, whose page says why; where something was typed, a page that
    keeps it. Raises PermissionDenied for what is not permitted."""
    if isinstance(refusal, NotPermitted):
        raise PermissionDenied(" ".join(refusal.messages))
    if typed_texts(request):
        return refused(request, refusal, back=back["Location"])
    messages.error(request, " ".join(refusal.messages))
    return back


def say_it_waits(request: SignedInRequest, system: System, sentence: str) -> None:
    """What waits for a second officer from now on, and that there is none, if so."""
    messages.success(request, sentence)
    if not Membership.objects.of_other_officers(system, request.user).exists():
        messages.warning(request, NO_SECOND_OFFICER.format(system))


def return_to_work(request: SignedInRequest) -> HttpResponse | None:
    """To the person's work where the step was taken from there (`next=work`)."""
    return redirect("evidence:work") if request.POST.get("next") == "work" else None


def redirect_for_upload(
    request: SignedInRequest, response: HttpResponse
) -> HttpResponse:
    """A redirect; told to the upload script instead, which goes there by itself.

    A script cannot see a redirect, only what lies behind it: the message for the next
    page would be shown to nobody.
    """
    if "X-Upload-Script" not in request.headers:
        return response
    return HttpResponse(status=201, headers={"Location": response["Location"]})


def status_of_form(refusal: ValidationError) -> int:
    """Of a form that is shown again: 409 where something changed meanwhile."""
    stale = isinstance(refusal, StaleVersion | TransitionNotAllowed)
    return 409 if stale else 422


def explain(form: Any, refusal: ValidationError) -> None:
    """Put each message at its field; those of fields not shown go to the top."""
    by_field = getattr(refusal, "error_dict", {"__all__": [refusal]})
    for name, errors in by_field.items():
        form.add_error(name if name in form.fields else None, errors)


def typed_reason(request: SignedInRequest, field: str = "reason") -> str:
    """The reason that a person typed, empty for none.

    Raises Refused, at the field, for one of more than MAX_REASON characters.
    """
    try:
        reason: str = ReasonField(required=False).clean(request.POST.get(field))
    except ValidationError as too_long:
        raise Refused({field: too_long.messages}) from too_long
    return reason


TAKEN_BACK = "Taken back: nobody decides on it any more, and nothing changes."


def withdraws(request: SignedInRequest) -> bool:
    """Whether a person takes back what they asked for, at the door of its decision."""
    return request.POST.get("decision") == "withdraw"


def approves(request: SignedInRequest) -> bool:
    """Whether a person said approve, or refuse. Raises Refused for neither."""
    decision = request.POST.get("decision")
    if decision not in {"approve", "refuse"}:
        raise Refused({"decision": "Say whether you approve or refuse."})
    return decision == "approve"
