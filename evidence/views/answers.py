"""Answers to a person whose request could not be done, with the right status."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render

from controls.errors import Refused
from evidence.forms.reasons import ReasonField
from srm_project.requests import SignedInRequest


def refused(
    request: SignedInRequest, refusal: ValidationError, *, typed: str = ""
) -> HttpResponse:
    """A page that says why, under the refusal's own status (403, 409, 413 ...).

    `typed` is a reason that would be lost otherwise; the page shows it.
    """
    status = getattr(refusal, "status_code", 400)
    page = explanation_page(request, " ".join(refusal.messages), status, typed=typed)
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
    request: SignedInRequest, sentence: str, status: int, *, typed: str = ""
) -> HttpResponse:
    """A page with one sentence, a reason that was typed, and a way back."""
    context = {"sentence": sentence, "status": status, "typed": typed}
    return render(request, "evidence/refused.html", context, status=status)


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


def approves(request: SignedInRequest) -> bool:
    """Whether a person said approve, or refuse. Raises Refused for neither."""
    decision = request.POST.get("decision")
    if decision not in {"approve", "refuse"}:
        raise Refused({"decision": "Say whether you approve or refuse."})
    return decision == "approve"
