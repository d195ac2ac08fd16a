"""The register of AWS's reports: what they cover, and whether we rely on them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controls.access import may_keep_register
from controls.errors import SrmError
from controls.grammar import count_of
from controls.models import Actor, Role, System
from evidence.artifacts import register
from evidence.forms.artifacts import ArtifactForm, CiteForm, EndForm
from evidence.models import Artifact, ArtifactCoverage, ArtifactVersion
from evidence.views.answers import refused
from evidence.views.letters import letter_rows
from evidence.views.once import once
from evidence.views.register_page import (
    artifact_or_404,
    register_page,
    require_registrar_page,
)
from srm_project.requests import SignedInRequest


@require_GET
def artifacts(request: SignedInRequest) -> HttpResponse:
    """All reports: kind, days, scope, letters, and each system's reliance."""
    artifacts = list(
        Artifact.objects.visible_to(request.user)
        .for_listing()
        .annotate(citations=Count("coverage"))
    )
    systems = list(System.objects.visible_to(request.user))
    rows = [
        (artifact, _reports(list(artifact.versions.all()), systems, request.user))
        for artifact in artifacts
    ]
    context = {
        "rows": rows,
        "may_register": may_keep_register(request.user),
    }
    return render(request, "evidence/artifacts/list.html", context)


@require_GET
def artifact(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """One series with its reports, reviews and citations."""
    artifact = artifact_or_404(request, uuid)
    systems = list(System.objects.visible_to(request.user))
    versions = list(
        artifact.versions.prefetch_related(
            "letters", "reliance_reviews"
        ).select_related("registered_by")
    )
    context = {
        "artifact": artifact,
        "reports": _reports(versions, systems, request.user),
        "letters": letter_rows(artifact, systems, request.user),
        "coverage": artifact.coverage.select_related("control").order_by(
            "control__sort_order"
        ),
        "may_register": may_keep_register(request.user),
        "end_form": EndForm(),
    }
    return render(request, "evidence/artifacts/detail.html", context)


def _reports(
    versions: list[ArtifactVersion],
    systems: list[System],
    user: Actor,
) -> list[dict[str, Any]]:
    """Each report with one row per system: the newest review, or none yet."""
    held = System.objects.held_as(user, [Role.REVIEWER, Role.OFFICER])
    reviewed = set(held.order_by().values_list("pk", flat=True))
    newest = {
        (review.artifact_version_id, review.system_id): review
        for version in versions
        for review in sorted(version.reliance_reviews.all(), key=lambda row: row.pk)
    }
    return [
        {
            "version": version,
            "mine": version.registered_by_id == user.pk,
            "reliance": [
                {
                    "system": system,
                    "review": newest.get((version.pk, system.pk)),
                    "may_review": system.pk in reviewed
                    and version.registered_by_id != user.pk,
                }
                for system in systems
            ],
        }
        for version in versions
    ]


@require_http_methods(["GET", "POST"])
@once
def artifact_new(request: SignedInRequest) -> HttpResponse:
    """Register a series of reports."""
    require_registrar_page(request)
    form = ArtifactForm(request.POST or None)

    def save() -> str:
        made = register.register_artifact(by=request.user, **form.cleaned_data)
        return str(made.uuid)

    return register_page(request, form, save, "Register an artifact")


@require_http_methods(["GET", "POST"])
@once
def cite(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Offer a series as proof of many controls at once."""
    artifact_row = artifact_or_404(request, uuid)
    require_registrar_page(request)
    form = CiteForm(request.POST or None, user=request.user)

    def save() -> str:
        form_data = form.cleaned_data
        controls = register.controls_of_aws(form_data["system"], form_data["family"])
        number = register.cite(
            artifact_row, controls, citation=form_data["citation"], by=request.user
        )
        messages.success(
            request, f"Cited for {number} more of {count_of(len(controls), 'control')}."
        )
        return str(artifact_row.uuid)

    return register_page(request, form, save, f"Cite {artifact_row}")


@require_POST
def citation_remove(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Stop offering a series for one control."""
    coverage = get_object_or_404(
        ArtifactCoverage.objects.visible_to(request.user).for_listing(), uuid=uuid
    )
    try:
        register.remove_citation(coverage, by=request.user)
    except SrmError as refusal:
        return refused(request, refusal)
    messages.success(request, "The citation was removed.")
    return redirect("evidence:artifact", uuid=coverage.artifact.uuid)
