"""The register of providers' reports: what they cover, whether we rely on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from controls.access import may_keep_register
from controls.models import Actor, Role, System
from evidence.artifacts import register
from evidence.artifacts.citation_decisions import (
    citations_by_series,
    citations_to_decide,
)
from evidence.artifacts.citations import systems_to_cite_in
from evidence.artifacts.remark_answers import RemarkStanding, answers_to_decide
from evidence.artifacts.second_person import reports_with_a_hand_of
from evidence.artifacts.withdrawn import withdrawn_and_expecting
from evidence.forms.artifacts import ArtifactForm, EndForm
from evidence.models import (
    Artifact,
    ArtifactVersion,
    Citation,
    RemarkKind,
    ReportRemark,
)
from evidence.views.citations import citation_rows
from evidence.views.letters import letter_rows
from evidence.views.once import once
from evidence.views.register_page import (
    artifact_or_404,
    register_page,
    require_registrar_page,
)
from evidence.views.remarks import remark_rows
from srm_project.requests import SignedInRequest


@require_GET
def artifacts(request: SignedInRequest) -> HttpResponse:
    """All reports by series: days, scope, letters, and what each system uses it for."""
    systems = list(System.objects.visible_to(request.user))
    artifacts = list(Artifact.objects.visible_to(request.user).for_listing())
    of_series = _cited_for(systems)
    rows = [
        (
            artifact,
            _reports(list(artifact.versions.all()), systems, request.user),
            of_series[artifact.pk],
        )
        for artifact in artifacts
    ]
    context = {
        "rows": rows,
        "sees_systems": bool(systems),
        "may_register": may_keep_register(request.user),
    }
    return render(request, "evidence/artifacts/list.html", context)


def _cited_for(systems: Iterable[System]) -> Mapping[int, list[tuple[str, int]]]:
    """For how many controls of which system each series is cited, by its key."""
    cited = (
        Citation.objects.filter(system__in=systems)
        .order_by("system__name")
        .values_list("artifact_id", "system__name")
        .annotate(number=Count("pk"))
    )
    of_series: defaultdict[int, list[tuple[str, int]]] = defaultdict(list)
    for artifact, system, number in cited:
        of_series[artifact].append((system, number))
    return of_series


@require_GET
def artifact(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """One series with its reports, reviews and citations."""
    artifact = artifact_or_404(request, uuid)
    systems = list(System.objects.visible_to(request.user))
    versions = list(
        artifact.versions.prefetch_related(
            "letters", "reliance_reviews", "files", "artifact__versions"
        ).select_related("registered_by")
    )
    letters = letter_rows(artifact, systems, request.user)
    context = {
        "artifact": artifact,
        "sees_systems": bool(systems),
        "reports": _reports(versions, systems, request.user),
        "letters": sorted(letters, key=_waiting_first),
        "letter_waits": any(row["standing"].state == "waiting" for row in letters),
        "citations": citation_rows(artifact, request.user),
        "to_decide": citations_by_series(
            row
            for row in citations_to_decide(request.user)
            if row.citation.artifact_id == artifact.pk
        ).items(),
        "answer_in": set(
            System.objects.held_as(request.user, [Role.OFFICER])
            .order_by()
            .values_list("slug", flat=True)
        ),
        "deciding": {answer.uuid for answer in answers_to_decide(request.user)},
        "may_register": may_keep_register(request.user),
        "may_cite": systems_to_cite_in(request.user).exists(),
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
    remarks = remark_rows(versions, systems)
    mine = reports_with_a_hand_of(user)
    reviewed = set(held.order_by().values_list("pk", flat=True))
    noted: defaultdict[int, list[ReportRemark]] = defaultdict(list)
    if not systems:  # a registrar who sees none still sees what reports say
        of_these = ReportRemark.objects.filter(artifact_version__in=versions)
        for remark in of_these.for_listing():
            noted[remark.artifact_version_id].append(remark)
    expecting: defaultdict[int, list[int]] = defaultdict(list)
    for version, key in withdrawn_and_expecting(systems):
        expecting[version.pk].append(key)
    newest = {
        (review.artifact_version_id, review.system_id): review
        for version in versions
        for review in sorted(version.reliance_reviews.all(), key=lambda row: row.pk)
    }
    reports: list[dict[str, Any]] = [
        {
            "version": version,
            "mine": version.pk in mine,
            # by any system, also one that the person may not read
            "is_reviewed": bool(version.reliance_reviews.all()),
            "still_expected_in": [
                system.name for system in systems if system.pk in expecting[version.pk]
            ],
            "noted": [] if systems else noted[version.pk],
            "remarks": sorted(remarks.get(version.pk, []), key=_open_first),
            "reliance": [
                {
                    "system": system,
                    "review": newest.get((version.pk, system.pk)),
                    "may_review": system.pk in reviewed and version.pk not in mine,
                }
                for system in systems
            ],
        }
        for version in versions
    ]
    for place, report in enumerate(reports):
        waits = [row["may_review"] and not row["review"] for row in report["reliance"]]
        report["reviewed"] = sum(bool(row["review"]) for row in report["reliance"])
        report["is_open"] = (
            place == 0 or any(waits) or bool(report["remarks"] or report["noted"])
        )
    return reports


def _waiting_first(row: dict[str, Any]) -> tuple[bool, int]:
    """A letter that waits stands above those decided, and those newest first."""
    standing = row["standing"]
    return standing.state != "waiting", -standing.letter.issued_on.toordinal()


def _open_first(row: RemarkStanding) -> int:
    """What nobody has answered stands above what asks for no answer, and that above
    what is answered."""
    if row.remark.kind == RemarkKind.USER_CONTROL:
        return 1
    return 2 if row.accepted else 0


@require_http_methods(["GET", "POST"])
@once
def artifact_new(request: SignedInRequest) -> HttpResponse:
    """Register a series of reports."""
    require_registrar_page(request)
    form = ArtifactForm(request.POST or None)

    def save() -> str:
        made = register.register_artifact(by=request.user, **form.cleaned_data)
        return str(made.uuid)

    def done() -> str:
        title = form.cleaned_data["title"]
        return f"“{title}” is registered. Next, register its newest report."

    return register_page(request, form, save, "Register a series of reports", done=done)
