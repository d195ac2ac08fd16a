"""What the pages share that write in the register of AWS's reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import BaseForm
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from controls.errors import NotPermitted
from evidence.artifacts import register
from evidence.models import Artifact
from evidence.views.answers import explain
from srm_project.requests import SignedInRequest


def register_page(
    request: SignedInRequest,
    form: BaseForm,
    save: Callable[[], str],
    heading: str,
    hint: str = "",
    context: dict[str, Any] | None = None,
    *,
    page: str = "evidence/artifacts/form.html",
    done: Callable[[], str] | None = None,
) -> HttpResponse:
    """Show the form, or save it and go to the artifact; refusals stay on the form.

    `done`, asked once it is saved, says what was done and what is next; None where
    `save` has said it.
    """
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                place = redirect("evidence:artifact", uuid=save())
                if done is not None:
                    messages.success(request, done())
                return place
            except ValidationError as refusal:
                explain(form, refusal)
                status = getattr(refusal, "status_code", 400)
        else:
            status = 400
    shown = {"form": form, "heading": heading, "hint": hint, **(context or {})}
    return render(request, page, shown, status=status)


def artifact_or_404(request: SignedInRequest, uuid: Any) -> Artifact:
    """The series if the person may read it; to all others it does not exist."""
    return get_object_or_404(Artifact.objects.visible_to(request.user), uuid=uuid)


def require_registrar_page(request: SignedInRequest) -> None:
    """Raises PermissionDenied (403) for all who do not keep the register."""
    try:
        register.require_registrar(request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
