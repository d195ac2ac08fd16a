"""AWS Artifact: what it lists, each reading of it, and what that needs at AWS."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from controls.errors import NotPermitted, Refused
from evidence.artifacts.aws_artifact import (
    as_text,
    policy_of_fetching,
    policy_of_role,
    trust_of_role,
)
from evidence.artifacts.listed_reports import place
from evidence.artifacts.sync import ask_for_sync, sync_access
from evidence.models import Artifact, ArtifactSync, ListedReport
from evidence.models.artifacts import AWS
from evidence.views.answers import answer_with
from evidence.views.register_page import artifact_or_404, require_registrar_page
from srm_project.requests import SignedInRequest

SHOWN_READINGS = 20
SHOWN_REPORTS = 300
WORKERS = "arn:aws:iam::<your account>:role/<the role of the workers>"


@require_http_methods(["GET", "POST"])
def artifact_sync(request: SignedInRequest) -> HttpResponse:
    """Which reports AWS lists and which wait for a series; POST asks for a reading."""
    require_registrar_page(request)
    if request.method == "POST":
        back = redirect("evidence:artifact_sync")
        try:
            ask_for_sync(by=request.user)
        except ValidationError as refusal:
            return answer_with(request, refusal, back)
        messages.success(
            request, "AWS Artifact will be read now. Reload this page in a minute."
        )
        return back
    reports = ListedReport.objects.select_related("artifact_version__artifact")
    context = {
        "readings": ArtifactSync.objects.select_related("asked_by")[:SHOWN_READINGS],
        "waiting": reports.filter(artifact_version=None)[:SHOWN_REPORTS],
        "placed": reports.exclude(artifact_version=None)[:SHOWN_REPORTS],
        "series": Artifact.objects.filter(provider_slug=AWS).order_by("title"),
        "nightly": settings.ARTIFACT_SYNC,
        "not_set": _not_set(),
        "policy": as_text(policy_of_role()),
        "policy_of_fetching": as_text(policy_of_fetching()),
        # the external id is a secret of the installation: it is shown to nobody
        "trust": as_text(trust_of_role("<ARTIFACT_SYNC_EXTERNAL_ID>", WORKERS)),
    }
    return render(request, "evidence/artifacts/aws_artifact.html", context)


def _not_set() -> str:
    """What has to be set before AWS can be read; empty for nothing."""
    try:
        sync_access()
    except Refused as refusal:
        return " ".join(refusal.messages)
    return ""


@require_POST
def listed_place(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Register a listed report in the series that a registrar chose."""
    mine = ListedReport.objects.visible_to(request.user)
    listed: ListedReport = get_object_or_404(mine, uuid=uuid)
    require_registrar_page(request)
    try:
        if not request.POST.get("artifact"):
            raise Refused("Choose the series that it belongs to.")
        artifact = artifact_or_404(request, request.POST["artifact"])
        version = place(listed, artifact, by=request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except ValidationError as refusal:
        return answer_with(request, refusal, redirect("evidence:artifact_sync"))
    messages.success(
        request,
        f"“{version.label}” is registered. Next, say its services and regions: until"
        " then, and until somebody else has read it, it proves nothing.",
    )
    return redirect("evidence:version_scope", uuid=version.uuid)
