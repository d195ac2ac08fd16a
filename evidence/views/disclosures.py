"""Who has seen a report: the list to print, its CSV, and recipients by hand."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from controls.errors import NotPermitted
from evidence.exports.rows.cells import EXCEL_MARK, inert
from evidence.forms.report_files import RecipientForm
from evidence.held_reports.disclosures import (
    COLUMNS,
    disclosure_cells,
    disclosures_of,
    record_recipient,
)
from evidence.held_reports.who_may import require_keeper
from evidence.models import ArtifactVersion
from evidence.views.answers import explain, refused
from evidence.views.once import once
from evidence.views.report_files import version_or_404
from srm_project.requests import SignedInRequest

PER_PAGE = 200


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


@require_GET
def disclosures(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Everybody who has seen this report, or was given a copy."""
    version = version_or_404(request, uuid)
    try:
        require_keeper(version, request.user)
    except NotPermitted as refusal:
        return refused(request, refusal)
    rows = disclosures_of(version).order_by("-pk")
    context = {
        "version": version,
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "evidence/report_files/disclosures.html", context)


@require_GET
def disclosures_csv(
    request: SignedInRequest, uuid: Any
) -> HttpResponse | StreamingHttpResponse:
    """The same list as CSV, oldest first."""
    version = version_or_404(request, uuid)
    try:
        require_keeper(version, request.user)
    except NotPermitted as refusal:
        return refused(request, refusal)
    answer = StreamingHttpResponse(
        _lines(version), content_type="text/csv; charset=utf-8"
    )
    name = f"disclosures-{version.artifact.series}-{version.uuid}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _lines(version: ArtifactVersion) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield EXCEL_MARK + writer.writerow(COLUMNS)  # type: ignore[operator]
    for cells in disclosure_cells(version):
        yield writer.writerow(map(inert, cells))  # type: ignore[misc]


@require_http_methods(["GET", "POST"])
@once
def disclosure_new(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Write down who was given a copy outside of this company."""
    version = version_or_404(request, uuid)
    try:
        require_keeper(version, request.user)
    except NotPermitted as refusal:
        return refused(request, refusal)
    sent = request.POST if request.method == "POST" else None
    form = RecipientForm(sent, files=version.files.order_by("pk"))
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                row = record_recipient(version, **form.cleaned_data, by=request.user)
            except ValidationError as refusal:
                explain(form, refusal)
            else:
                messages.success(
                    request,
                    f"It is written down that {row.recipient} was given a copy. The row"
                    " stays as it is.",
                )
                return redirect("evidence:disclosures", uuid=version.uuid)
    context = {"form": form, "version": version}
    return render(
        request, "evidence/report_files/recipient.html", context, status=status
    )
