"""The scope of a report by a list: sent, reviewed line by line, confirmed once."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from controls.errors import NotPermitted
from controls.grammar import count_of
from controls.idempotency import was_confirmed
from controls.models import System
from evidence.artifacts.reliance_scope import sites_not_in_use
from evidence.artifacts.scope import (
    confirm_scope,
    propose_scope,
    require_open_scope,
    sealed_scope,
)
from evidence.forms.scope import ScopeListForm
from evidence.models import ArtifactVersion
from evidence.views.answers import explain, refused
from evidence.views.once import SAME_AGAIN
from srm_project.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
def version_scope(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Take a list, and show what each line of it means; writes nothing."""
    version = _version_or_404(request, uuid)
    sent = request.method == "POST"
    form = ScopeListForm(request.POST, request.FILES) if sent else ScopeListForm()
    page: dict[str, Any] = {"version": version, "form": form}
    status = 200
    try:
        require_open_scope(version, by=request.user)
        if sent and form.is_valid():
            how = form.cleaned_data["how"]
            proposal = propose_scope(version, form.lines, how, by=request.user)
            page["proposal"] = proposal
            systems = list(System.objects.visible_to(request.user))
            page["not_in_use"] = sites_not_in_use(
                version, proposal.after["sites"], systems
            )
            page["token"] = sealed_scope(version, proposal, by=request.user)
            return render(request, "evidence/artifacts/scope_review.html", page)
        status = 400 if sent else 200
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except ValidationError as refusal:
        if not sent:
            return refused(request, refusal)
        explain(form, refusal)
        status = getattr(refusal, "status_code", 400)
    return render(request, "evidence/artifacts/scope.html", page, status=status)


@require_POST
def version_scope_confirm(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Make the scope what the review showed."""
    version = _version_or_404(request, uuid)
    token = request.POST.get("token", "")
    before = was_confirmed(request.user, token)
    try:
        changed = confirm_scope(
            version, token, also=request.POST.getlist("also"), by=request.user
        )
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except ValidationError as refusal:
        return refused(request, refusal)
    done = (
        f"The scope of {version} is recorded, {count_of(changed, 'change')}. It proves"
        " nothing until somebody else has read the report."
    )
    messages.success(request, SAME_AGAIN if before else done)
    return redirect("evidence:artifact", uuid=version.artifact.uuid)


def _version_or_404(request: SignedInRequest, uuid: Any) -> ArtifactVersion:
    mine = ArtifactVersion.objects.visible_to(request.user).for_listing()
    version: ArtifactVersion = get_object_or_404(mine, uuid=uuid)
    return version
