"""The register of AWS's reports: what they cover, and whether we rely on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count
from django.forms import BaseForm
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from controls.access import may_keep_register
from controls.errors import NotPermitted, SrmError
from controls.grammar import count_of
from controls.models import Actor, Role, System
from evidence.artifacts import register
from evidence.artifacts.reliance import record_reliance, require_reliance_reviewer
from evidence.forms.artifacts import (
    OWN_WORDS,
    ArtifactForm,
    CiteForm,
    EndForm,
    LetterForm,
    RelianceForm,
    VersionForm,
)
from evidence.models import (
    Artifact,
    ArtifactCoverage,
    ArtifactVersion,
)
from evidence.views.answers import explain, refused
from evidence.views.letters import letter_rows, undecided_letters
from evidence.views.once import once
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
    artifact = _artifact(request, uuid)
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
    _require_register(request)
    form = ArtifactForm(request.POST or None)

    def save() -> str:
        made = register.register_artifact(by=request.user, **form.cleaned_data)
        return str(made.uuid)

    return _form_page(request, form, save, "Register an artifact")


@require_http_methods(["GET", "POST"])
@once
def version_new(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Register one report of a series."""
    artifact_row = _artifact(request, uuid)
    _require_register(request)
    form = VersionForm(request.POST or None)

    def save() -> str:
        register.register_version(
            artifact_row, by=request.user, **form.version_fields()
        )
        return str(artifact_row.uuid)

    return _form_page(request, form, save, f"New report of {artifact_row}", OWN_WORDS)


@require_http_methods(["GET", "POST"])
@once
def letter_new(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Register a letter that continues a report."""
    version = _version(request, uuid)
    _require_register(request)
    form = LetterForm(request.POST or None)

    def save() -> str:
        register.add_letter(version, by=request.user, **form.cleaned_data)
        return str(version.artifact.uuid)

    return _form_page(request, form, save, f"Letter that continues {version}")


@require_http_methods(["GET", "POST"])
def version_end(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Record that AWS withdrew or revoked a report."""
    version = _version(request, uuid)
    _require_register(request)
    form = EndForm(request.POST or None, initial={"version": version.version})

    def save() -> str:
        form_data = form.cleaned_data
        register.end_version(
            version,
            state=form_data["state"],
            on=form_data["on"],
            by=request.user,
            seen_version=form_data["version"],
        )
        return str(version.artifact.uuid)

    return _form_page(request, form, save, f"End of {version}")


@require_http_methods(["GET", "POST"])
@once
def cite(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Offer a series as proof of many controls at once."""
    artifact_row = _artifact(request, uuid)
    _require_register(request)
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

    return _form_page(request, form, save, f"Cite {artifact_row}")


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


@require_http_methods(["GET", "POST"])
@once
def reliance(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Read one report for one system and say whether to rely on it."""
    system = get_object_or_404(System.objects.visible_to(request.user), slug=slug)
    version = _version(request, uuid)
    try:
        require_reliance_reviewer(system, version, by=request.user)
    except NotPermitted as refusal:
        return refused(request, refusal)
    form = RelianceForm(request.POST or None)

    def save() -> str:
        record_reliance(version, system, by=request.user, **form.cleaned_data)
        return str(version.artifact.uuid)

    return _form_page(
        request,
        form,
        save,
        f"Rely on {version}?",
        OWN_WORDS,
        {
            "version": version,
            "system": system,
            "services": _in_use(system, version),
            "letters": undecided_letters(system, version),
        },
        page="evidence/artifacts/reliance.html",
    )


def _in_use(system: System, version: ArtifactVersion) -> list[dict[str, Any]]:
    """The system's AWS services, each with whether the report speaks of it."""
    components = system.components.select_related("variant__service").order_by(
        "variant__service__name"
    )
    services = {component.variant.service for component in components}
    scope = set(version.service_slugs)
    return [
        {"name": service.name, "covered": service.slug in scope or "*" in scope}
        for service in sorted(services, key=lambda service: service.name)
        if service.provider == "aws"
    ]


def _form_page(
    request: SignedInRequest,
    form: BaseForm,
    save: Callable[[], str],
    heading: str,
    hint: str = "",
    context: dict[str, Any] | None = None,
    *,
    page: str = "evidence/artifacts/form.html",
) -> HttpResponse:
    """Show the form, or save it and go to the artifact; refusals stay on the form."""
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                return redirect("evidence:artifact", uuid=save())
            except ValidationError as refusal:
                explain(form, refusal)
                status = getattr(refusal, "status_code", 400)
        else:
            status = 400
    shown = {"form": form, "heading": heading, "hint": hint, **(context or {})}
    return render(request, page, shown, status=status)


def _artifact(request: SignedInRequest, uuid: Any) -> Artifact:
    return get_object_or_404(Artifact.objects.visible_to(request.user), uuid=uuid)


def _version(request: SignedInRequest, uuid: Any) -> ArtifactVersion:
    return get_object_or_404(
        ArtifactVersion.objects.visible_to(request.user).for_listing(), uuid=uuid
    )


def _require_register(request: SignedInRequest) -> None:
    try:
        register.require_registrar(request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
