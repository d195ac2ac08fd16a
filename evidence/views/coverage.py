"""What a report speaks to: picked, listed, copied, proposed, confirmed line by line."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controls.access import may_keep_register
from controls.errors import NotPermitted, TransitionNotAllowed
from controls.grammar import count_of
from controls.idempotency import was_confirmed
from controls.models import Control
from evidence.artifacts import coverage
from evidence.artifacts.coverage_list import (
    import_coverage,
    preview_coverage,
    read_coverage,
    sealed_coverage,
    template_rows,
)
from evidence.artifacts.coverage_proposals import proposals_for, propose_coverage
from evidence.artifacts.coverage_targets import label_of_line
from evidence.forms.coverage import (
    ConfirmCoverageForm,
    CoverageForm,
    ListFileForm,
    shown_versions,
)
from evidence.models import ArtifactVersion
from evidence.models.artifacts import ArtifactVersionState
from evidence.views.answers import explain, refused
from evidence.views.once import SAME_AGAIN, once
from evidence.views.table_files import table_file
from srm_project.requests import SignedInRequest

NEXT = "A line proves nothing by itself: a system cites the report for its controls."


@require_http_methods(["GET", "POST"])
@once
def version_coverage(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """The lines of a report, those to confirm first; a registrar adds to them."""
    version = _version_or_404(request, uuid)
    if request.method != "POST":
        return _page(request, version)
    form = CoverageForm(request.POST, family=_family(request))
    try:
        coverage.require_open_coverage(version, by=request.user)
        if form.is_valid():
            change = coverage.record_coverage(version, form.entries(), by=request.user)
            messages.success(request, _recorded(change))
            return redirect("evidence:version_coverage", version.uuid)
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except TransitionNotAllowed as refusal:  # the page has no form to put it on
        return refused(request, refusal, back=_address(version))
    except ValidationError as refusal:
        explain(form, refusal)
    return _page(request, version, status=422, form=form)


def _recorded(change: coverage.CoverageChange) -> str:
    if not change.added + change.changed:
        return "These lines said that already: nothing was changed."
    came = f"{count_of(change.added, 'line', 'was')} added"
    others = f" and {change.changed} changed" if change.changed else ""
    return f"{came}{others}. {NEXT}"


def _family(request: SignedInRequest) -> str:
    """The family whose controls are offered; what is no code of letters is none."""
    typed = request.POST.get("family") or request.GET.get("family", "")
    return typed if typed.isalpha() else ""


def _page(
    request: SignedInRequest,
    version: ArtifactVersion,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    family = _family(request)
    lines = list(version.coverage_lines.for_listing())
    may_change = (
        may_keep_register(request.user)
        and version.state != ArtifactVersionState.WITHDRAWN
    )
    page = {
        "version": version,
        "lines": [{"line": line, "label": label_of_line(line)} for line in lines],
        "to_confirm": sum(line.confirmed_by_id is None for line in lines),
        "may_change": may_change,
        "family": family,
    }
    if may_change:
        page |= {
            "families": Control.objects.live()
            .order_by("family")
            .values_list("family", "family_title")
            .distinct(),
            "before": coverage.version_before(version),
            "proposals": proposals_for(version),
            "form": CoverageForm(family=family),
            "file_form": ListFileForm(),
            "confirm_form": ConfirmCoverageForm(),
        }
    return render(
        request, "evidence/artifacts/coverage.html", page | more, status=status
    )


@require_GET
def version_coverage_template(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """The lines as a file to fill in and send back: CSV, or `?format=xlsx`."""
    version = _version_or_404(request, uuid)
    proposed = [c.label for row in proposals_for(version) for c in row.controls]
    rows = template_rows(version, proposed)
    name = f"coverage-{version.artifact.series}-{version.starts}"
    return table_file(request, rows, sheet="Coverage", name=name)


@require_POST
def version_coverage_preview(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Read a list and show what each line would do; writes nothing."""
    version = _version_or_404(request, uuid)
    form = ListFileForm(request.POST, request.FILES)
    page: dict[str, Any] = {"version": version}
    try:
        coverage.require_open_coverage(version, by=request.user)
        if not form.is_valid():
            return _page(request, version, status=422, file_form=form)
        file = form.cleaned_data["file"]
        preview = preview_coverage(
            version, read_coverage(file, file.name), by=request.user
        )
        page["preview"] = preview
        if not preview.errors:
            page["token"] = sealed_coverage(version, preview, by=request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except TransitionNotAllowed as refusal:
        return refused(request, refusal, back=_address(version))
    except ValidationError as refusal:
        form.add_error("file", refusal.messages)
        return _page(request, version, status=422, file_form=form)
    status = 422 if preview.errors else 200
    return render(
        request, "evidence/artifacts/coverage_preview.html", page, status=status
    )


@require_POST
def version_coverage_import(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Record what the preview showed."""
    version = _version_or_404(request, uuid)
    token = request.POST.get("token", "")
    before = was_confirmed(request.user, token)
    try:
        change = import_coverage(version, token, by=request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except ValidationError as refusal:
        return refused(request, refusal, back=_address(version))
    messages.success(request, SAME_AGAIN if before else _recorded(change))
    return redirect("evidence:version_coverage", version.uuid)


@require_POST
def version_coverage_begin(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Copy the lines of the report before, or add proposals; all to be confirmed."""
    version = _version_or_404(request, uuid)
    try:
        if request.POST.get("how") == "copy":
            number = coverage.copy_coverage(version, by=request.user)
        else:
            families = request.POST.getlist("families")
            number = propose_coverage(version, families, by=request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except ValidationError as refusal:
        return refused(request, refusal, back=_address(version))
    messages.success(
        request,
        f"{count_of(number, 'line', 'was')} added, to be confirmed."
        " Until a person has confirmed a line, no system is offered it to cite.",
    )
    return redirect("evidence:version_coverage", version.uuid)


@require_POST
def version_coverage_lines(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Confirm the ticked lines with a reason, or take them out."""
    version = _version_or_404(request, uuid)
    form = ConfirmCoverageForm(request.POST)
    try:
        coverage.require_open_coverage(version, by=request.user)
        form.full_clean()
        if form.errors:
            raise ValidationError(form.errors.as_data())
        lines = shown_versions(request.POST.getlist("lines"))
        if request.POST.get("act") == "remove":
            number = coverage.remove_coverage(version, lines, by=request.user)
            done = (
                f"{count_of(number, 'line', 'was')} taken out. What"
                " systems cite stays as it is."
            )
        else:
            reason = form.cleaned_data["reason"]
            number = coverage.confirm_coverage(
                version, lines, reason=reason, by=request.user
            )
            done = f"{count_of(number, 'line', 'was')} confirmed. {NEXT}"
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except ValidationError as refusal:
        return refused(request, refusal, back=_address(version))
    messages.success(request, done)
    return redirect("evidence:version_coverage", version.uuid)


def _address(version: ArtifactVersion) -> str:
    return str(redirect("evidence:version_coverage", version.uuid)["Location"])


def _version_or_404(request: SignedInRequest, uuid: Any) -> ArtifactVersion:
    mine = ArtifactVersion.objects.visible_to(request.user).for_listing()
    version: ArtifactVersion = get_object_or_404(mine, uuid=uuid)
    return version
