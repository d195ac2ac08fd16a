"""Single reports of providers: registered, continued by letters, ended, relied on."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods

from controls.errors import NotPermitted
from controls.grammar import count_of, day_in_words
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
from evidence.models import ArtifactVersion, Citation
from evidence.models.reliance import RelianceConclusion
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

    def done() -> str:
        label = form.cleaned_data["label"]
        return (
            f"The report “{label}” is registered. It proves nothing yet: somebody else"
            " has to read it for each system and decide whether to rely on it."
        )

    return register_page(
        request, form, save, f"New report of {artifact_row}", OWN_WORDS, done=done
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

    def done() -> str:
        relied_on = version.reliance_reviews.exists()
        judged = (
            "a second person has accepted it"
            if relied_on
            else (f"somebody else has read {version} and relies on it")
        )
        return f"The letter is registered. It counts in a system once {judged}."

    return register_page(
        request, form, save, f"Letter that continues {version}", done=done
    )


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

    def done() -> str:
        day = day_in_words(form.cleaned_data["on"])
        return (
            f"The end of {version} on {day} is recorded. Days before stay as they are;"
            " register the report that follows it."
        )

    return register_page(request, form, save, f"End of {version}", done=done)


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
        done=lambda: _concluded(version, system, form.cleaned_data["conclusion"]),
    )


def _concluded(version: ArtifactVersion, system: System, conclusion: str) -> str:
    """What the review makes of the report, and what is next."""
    review = f"Your review of {version} for {system} is recorded:"
    if conclusion == RelianceConclusion.DO_NOT_RELY:
        return f"{review} it is not relied on, and proves nothing there."
    cited = Citation.objects.filter(artifact=version.artifact_id, system=system)
    number = cited.count()
    if not number:
        return f"{review} it is relied on. Next, cite it for the controls it speaks to."
    proves = f"it counts for {count_of(number, 'control')} that cite it"
    if number == 1:
        proves = "it counts for 1 control that cites it"
    return f"{review} {proves}. What it expects of us stands on this page."


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
