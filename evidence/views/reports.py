"""Single reports of providers: registered, continued by letters, ended, relied on."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods

from controls.errors import NotPermitted
from controls.models import System
from controls.provider_names import AWS, provider_slug
from evidence.artifacts import register
from evidence.artifacts.letters import undecided_letters
from evidence.artifacts.reliance import record_reliance, require_reliance_reviewer
from evidence.forms.artifacts import (
    OWN_WORDS,
    EndForm,
    LetterForm,
    RelianceForm,
    VersionForm,
)
from evidence.models import ArtifactVersion
from evidence.views.answers import refused
from evidence.views.once import once
from evidence.views.register_page import (
    artifact_or_404,
    register_page,
    require_registrar_page,
)
from srm_project.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
@once
def version_new(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Register one report of a series."""
    artifact_row = artifact_or_404(request, uuid)
    require_registrar_page(request)
    form = VersionForm(request.POST or None, artifact=artifact_row)

    def save() -> str:
        register.register_version(
            artifact_row, by=request.user, **form.version_fields()
        )
        return str(artifact_row.uuid)

    return register_page(
        request, form, save, f"New report of {artifact_row}", OWN_WORDS
    )


@require_http_methods(["GET", "POST"])
@once
def letter_new(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Register a letter that continues a report."""
    version = _version(request, uuid)
    require_registrar_page(request)
    form = LetterForm(request.POST or None)

    def save() -> str:
        register.add_letter(version, by=request.user, **form.cleaned_data)
        return str(version.artifact.uuid)

    return register_page(request, form, save, f"Letter that continues {version}")


@require_http_methods(["GET", "POST"])
def version_end(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Record which of three ends a report met."""
    version = _version(request, uuid)
    require_registrar_page(request)
    form = EndForm(request.POST or None, initial={"version": version.version})

    def save() -> str:
        form_data = form.cleaned_data
        register.end_version(
            version,
            state=form_data["state"],
            on=form_data["on"],
            reason=form_data["reason"],
            by=request.user,
            seen_version=form_data["version"],
        )
        return str(version.artifact.uuid)

    return register_page(request, form, save, f"End of {version}")


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
        record_reliance(
            version,
            system,
            by=request.user,
            letters_shown=request.POST.getlist("letters"),
            **form.cleaned_data,
        )
        return str(version.artifact.uuid)

    return register_page(
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
    """What the system uses of the report's provider, each with whether it is in scope.

    Services of AWS; of another provider its components with their sites.
    """
    components = list(
        system.components.select_related("variant__service").order_by(
            "variant__service__name"
        )
    )
    if version.artifact.provider_slug != AWS:
        scope = {site.casefold() for site in version.sites}
        return [
            {
                "name": ", ".join((str(component), *component.regions)),
                "covered": "*" in scope
                or {site.casefold() for site in component.regions} <= scope,
            }
            for component in components
            if provider_slug(component.provided_by or component.variant.service.slug)
            == version.artifact.provider_slug
        ]
    services = {component.variant.service for component in components}
    scope = set(version.service_slugs)
    return [
        {"name": service.name, "covered": service.slug in scope or "*" in scope}
        for service in sorted(services, key=lambda service: service.name)
        if service.provider == AWS
    ]


def _version(request: SignedInRequest, uuid: Any) -> ArtifactVersion:
    return get_object_or_404(
        ArtifactVersion.objects.visible_to(request.user).for_listing(), uuid=uuid
    )
