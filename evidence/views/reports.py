"""Single reports of providers: registered, continued by letters, ended."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods

from controls.grammar import day_in_words
from evidence.artifacts import register
from evidence.forms.artifacts import (
    OF_ASSESSMENTS,
    OWN_WORDS,
    EndForm,
    LetterForm,
    VersionForm,
)
from evidence.models import ArtifactVersion, RemarkKind
from evidence.models.artifacts import ArtifactVersionState, AssuranceKind
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
        registered = ArtifactVersion.objects.get(artifact=artifact_row, label=label)
        twins = "".join(
            f" “{other}” speaks of the same days: record which of them is superseded."
            for other in registered.same_days_as
        )
        return (
            f"The report “{label}” is registered. It proves nothing yet: somebody else"
            f" has to read it for each system and decide whether to rely on it.{twins}"
        )

    hint = OWN_WORDS
    if artifact_row.kind == AssuranceKind.ASSESSMENT:
        hint = f"{OF_ASSESSMENTS} {OWN_WORDS}"
    return register_page(
        request, form, save, f"New report of {artifact_row}", hint, done=done
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
        recorded = f"The end of {version} on {day} is recorded."
        if form.cleaned_data["state"] == ArtifactVersionState.WITHDRAWN:
            taken = (
                f"{recorded} None of its days counts any more, as known from now on."
            )
            if not version.remarks.filter(kind=RemarkKind.USER_CONTROL).exists():
                return taken
            return (
                f"{taken} What it expects of us stays asked in each system until"
                " somebody else says there that it is not relied on."
            )
        if form.cleaned_data["state"] == ArtifactVersionState.SUPERSEDED:
            return f"{recorded} It is no longer offered; what it covers stays covered."
        return (
            f"{recorded} Days from then on are open, and days before stay as they are."
            " Register the report that follows it."
        )

    return register_page(request, form, save, f"End of {version}", done=done)


def _version(request: SignedInRequest, uuid: Any) -> ArtifactVersion:
    return get_object_or_404(
        ArtifactVersion.objects.visible_to(request.user).for_listing(), uuid=uuid
    )
