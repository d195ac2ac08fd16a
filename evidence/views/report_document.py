"""The page of a report's document: files held, by what right, what waits for whom."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render

from controls.models import Actor
from evidence.forms.report_files import ReleaseForm
from evidence.held_reports.opening import has_confirmed
from evidence.held_reports.removal import may_decide_report_removal
from evidence.held_reports.who_may import (
    engagements_to_release_to,
    is_keeper,
    is_released_to,
    may_clear_report,
    may_take_back,
)
from evidence.models import (
    ArtifactVersion,
    DisclosureRecord,
    ReportFetch,
    ReportFile,
    ReportFileRemoval,
    ReportRelease,
)
from evidence.models.removals import RemovalState
from srm_project.requests import SignedInRequest

SHOWN_FETCHES = 10
Refused = tuple[ReportFile, ReleaseForm]


def document_page(
    request: SignedInRequest,
    version: ArtifactVersion,
    *,
    release: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page; `release` is a form that was refused, with its file."""
    user = request.user
    keeper = is_keeper(version, user)
    files = list(version.files.for_opening())
    context: dict[str, Any] = {
        "version": version,
        "keeper": keeper,
        "files": [_file(file, user, keeper, release) for file in files],
        "disclosed": _counts(version) if keeper else {},
        "listed": version.listed.all() if keeper else (),
        "fetches": ReportFetch.objects.filter(listed__artifact_version=version)
        .select_related("listed", "asked_by", "accepted_by")
        .order_by("-pk")[:SHOWN_FETCHES]
        if keeper
        else (),
    }
    return render(
        request, "evidence/report_files/document.html", context, status=status
    )


def _counts(version: ArtifactVersion) -> dict[str, int]:
    rows = DisclosureRecord.objects.filter(artifact_version=version).order_by()
    return dict(rows.values_list("kind").annotate(Count("pk")))


def _file(
    file: ReportFile, user: Actor, keeper: bool, refused: Refused | None
) -> dict[str, Any]:
    """A held file as one person sees it. A report has few of them: a row asks for its
    own statements."""
    shown: dict[str, Any] = {
        "file": file,
        "obstacle": file.obstacle(),
        "may_open": keeper or is_released_to(file, user),
    }
    shown["confirmed"] = shown["may_open"] and has_confirmed(file, user)
    if not keeper:
        return shown
    engagements = engagements_to_release_to(file, user)
    form = ReleaseForm(engagements=engagements, auto_id=f"id_%s-{file.uuid}")
    if refused is not None and refused[0].pk == file.pk:
        form = refused[1]
    waiting = [r for r in file.removals.all() if r.state == RemovalState.REQUESTED]
    return shown | {
        "may_clear": bool(file.flags)
        and not hasattr(file, "clearance")
        and not file.is_removed
        and may_clear_report(file, user),
        "releases": _releases(file, user),
        "engagements": engagements if not file.is_removed else [],
        "release_form": form,
        "removals": [_removal(removal, user) for removal in file.removals.all()],
        "may_remove": not waiting and not file.is_removed,
    }


def _releases(file: ReportFile, user: Actor) -> list[dict[str, Any]]:
    rows = ReportRelease.objects.visible_to(user).filter(file=file).order_by("pk")
    return [
        {
            "release": row,
            "may_take_back": row.taken_back_by_id is None and may_take_back(row, user),
        }
        for row in rows.select_related(
            "engagement__system", "released_by", "taken_back_by"
        )
    ]


def _removal(removal: ReportFileRemoval, user: Actor) -> dict[str, Any]:
    waits = removal.state == RemovalState.REQUESTED
    return {
        "removal": removal,
        "may_decide": waits and may_decide_report_removal(removal, user),
        "may_withdraw": waits and removal.requested_by_id == user.pk,
    }
