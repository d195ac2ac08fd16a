"""Answers to a person whose request could not be done, with the right status."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render

from controls.errors import Refused
from srm_project.requests import SignedInRequest


def refused(request: SignedInRequest, refusal: ValidationError) -> HttpResponse:
    """A page that says why, under the refusal's own status (403, 409, 413 ...)."""
    status = getattr(refusal, "status_code", 400)
    page = explanation_page(request, " ".join(refusal.messages), status)
    if hasattr(refusal, "retry_after"):
        page["Retry-After"] = str(refusal.retry_after)
    return page


def explanation_page(
    request: SignedInRequest, sentence: str, status: int
) -> HttpResponse:
    """A page with one sentence and a way back."""
    context = {"sentence": sentence, "status": status}
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


def approves(request: SignedInRequest) -> bool:
    """Whether a person said approve, or refuse. Raises Refused for neither."""
    decision = request.POST.get("decision")
    if decision not in {"approve", "refuse"}:
        raise Refused({"decision": "Say whether you approve or refuse."})
    return decision == "approve"
