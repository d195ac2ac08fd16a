"""The formats a system's status is taken home in: a name, a media type, a writer.

Pages, the API and `manage.py export` offer what stands in FORMATS, in its order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from evidence.exports.formats import (
    fedramp_crm,
    matrix,
    package,
    pdf,
    status_csv,
    xlsx,
)
from evidence.exports.formats.oscal import components, milestones, plan, results
from evidence.exports.rows.scope import ExportScope, Progress
from evidence.models import ExportKind

Writer = Callable[[ExportScope, BinaryIO, Progress], None]


@dataclass(frozen=True)
class Format:
    """One format. `name` is what people and programs ask for; it is never renamed.

    `write` reads the scope in the caller's snapshot and writes the whole file, tells
    the progress in rows, and gives the same bytes for the same scope. Its file only
    has `write` and `flush`. Raises LookupError when the system was not recorded by the
    scope's instant, StoreFull when there is no room for its own temporary files.
    """

    name: str
    kind: ExportKind
    title: str
    ending: str
    media_type: str
    write: Writer
    stem: str = "control-status"

    def file_name(self, slug: str, on: object) -> str:
        """What the file is called on the machine of whoever takes it."""
        return f"{slug}-{self.stem}-{on}{self.ending}"


JSON = "application/json"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS = {
    made.name: made
    for made in (
        Format(
            name="csv",
            kind=ExportKind.STATUS_CSV,
            title="CSV: one row per control",
            ending=".csv",
            media_type="text/csv; charset=utf-8",
            write=status_csv.write,
        ),
        Format(
            name="xlsx",
            kind=ExportKind.STATUS_XLSX,
            title="XLSX: status, period, gaps, evidence and records on sheets",
            ending=".xlsx",
            media_type=WORKBOOK,
            write=xlsx.write,
        ),
        Format(
            name="pdf",
            kind=ExportKind.STATUS_PDF,
            title="PDF: a status report to read and to print",
            ending=".pdf",
            media_type="application/pdf",
            write=pdf.write,
            stem="status-report",
        ),
        Format(
            name="fedramp-crm",
            kind=ExportKind.FEDRAMP_CRM,
            title="FedRAMP CIS/CRM workbook: one row per part of a control",
            ending=".xlsx",
            media_type=WORKBOOK,
            write=fedramp_crm.write,
            stem="cis-crm",
        ),
        Format(
            name="oscal-ssp",
            kind=ExportKind.OSCAL_SSP,
            title="OSCAL system security plan: both halves of each control",
            ending=".json",
            media_type=JSON,
            write=plan.write,
            stem="oscal-ssp",
        ),
        Format(
            name="oscal-component",
            kind=ExportKind.OSCAL_COMPONENT,
            title="OSCAL component definition: the customer's side by service",
            ending=".json",
            media_type=JSON,
            write=components.write,
            stem="oscal-component",
        ),
        Format(
            name="oscal-assessment-results",
            kind=ExportKind.OSCAL_ASSESSMENT_RESULTS,
            title="OSCAL assessment results: evidence with its hashes",
            ending=".json",
            media_type=JSON,
            write=results.write,
            stem="oscal-assessment-results",
        ),
        Format(
            name="oscal-poam",
            kind=ExportKind.OSCAL_POAM,
            title="OSCAL plan of action and milestones: findings and their due days",
            ending=".json",
            media_type=JSON,
            write=milestones.write,
            stem="oscal-poam",
        ),
        Format(
            name="matrix-csv",
            kind=ExportKind.MATRIX_CSV,
            title="Responsibility matrix, CSV: one row per control and service",
            ending=".csv",
            media_type="text/csv; charset=utf-8",
            write=matrix.write_csv,
            stem="responsibility-matrix",
        ),
        Format(
            name="matrix-xlsx",
            kind=ExportKind.MATRIX_XLSX,
            title="Responsibility matrix, XLSX: one row per control and service",
            ending=".xlsx",
            media_type=WORKBOOK,
            write=matrix.write_xlsx,
            stem="responsibility-matrix",
        ),
        Format(
            name="package",
            kind=ExportKind.PACKAGE,
            title="Evidence package: files, lists, exports and audit log, signed",
            ending=".zip",
            media_type="application/zip",
            write=package.write,
            stem="evidence-package",
        ),
    )
}
DEFAULT = "csv"
CHOICES = [(made.name, made.title) for made in FORMATS.values()]
_BY_KIND = {str(made.kind): made for made in FORMATS.values()}


def format_of_kind(kind: str) -> Format:
    """The format of a stored export."""
    return _BY_KIND[kind]
