"""A small table as the answer to a request: CSV, or `?format=xlsx` a workbook."""

from __future__ import annotations

from django.http import HttpResponse

from evidence.exports.tables import CSV, XLSX, Rows, csv_of, workbook_of
from srm_project.requests import SignedInRequest


def table_file(
    request: SignedInRequest, rows: Rows, *, sheet: str, name: str
) -> HttpResponse:
    """The rows as an attachment; `name` is that of the file without its ending."""
    if request.GET.get("format") == "xlsx":
        answer = HttpResponse(workbook_of(rows, sheet), content_type=XLSX)
        name = f"{name}.xlsx"
    else:
        answer = HttpResponse(csv_of(rows), content_type=CSV)
        name = f"{name}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
