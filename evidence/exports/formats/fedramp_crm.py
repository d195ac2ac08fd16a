"""FedRAMP's CIS and CRM worksheets as one workbook, in the shape of SSP Appendix J.

Our own importer reads its CRM worksheet back (`controls.provider_documents`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from controls.service_names import display_names
from evidence.exports.formats.xlsx import Workbook, opened
from evidence.exports.rows.heading import heading_of
from evidence.exports.rows.scope import ExportScope, Progress
from evidence.exports.sheets.fedramp import CRM, ORIGINS, STATUSES, PartRow, part_rows

NOTES = (
    ("One row", "is one part of a control, such as AC-2(a)"),
    ("CSP", "is who this system inherits from; “Customer” is its own organisation"),
    (
        "Implemented",
        "of what is wholly inherited: the provider's proof holds on the day",
    ),
    ("No mark", "of implementation: nobody has stated any"),
    ("N/A", "left out as two people decided, or no layer of it is there"),
)
GUIDANCE = (
    "Yes: inherited as a whole, nothing is left to do. Partial: the text says what is"
    " inherited and what the customer does. No: the customer carries it."
)
TITLES = {
    "CIS": "Control Implementation Summary (CIS) Worksheet",
    "CRM": "Customer Responsibility Matrix (CRM) Worksheet",
}


def write(scope: ExportScope, file: BinaryIO, progress: Progress) -> None:
    """The whole workbook. As `xlsx.write`."""
    heading = heading_of(scope)
    with opened(file, scope, heading) as book:
        book.about("CIS and CRM workbook", heading, NOTES)
        worksheets = _Worksheets(book, heading.impact_level)
        total, controls = part_rows(scope, display_names())
        for done, rows in enumerate(controls, start=1):
            for row in rows:
                worksheets.add(row)
            progress(done, total)
        worksheets.end()


class _Worksheets:
    """Both worksheets, each as far as it is written."""

    def __init__(self, book: Workbook, level: str) -> None:
        self.book = book
        self.cis = book.worksheet(f"{level} CIS Worksheet")
        self.crm = book.worksheet(f"{level} CRM Worksheet")
        self._begin_cis(level)
        self._begin_crm(level)
        self.rows = 0

    def _begin_cis(self, level: str) -> None:
        page, head = self.cis, self.book.head
        page.set_column(0, 0, 14)
        page.set_column(1, len(STATUSES) + len(ORIGINS), 16)
        page.write_string(0, 0, f"FedRAMP {level} {TITLES['CIS']}", head)
        page.write_string(1, 0, "Control ID", head)
        page.write_string(1, 1, "Implementation Status", head)
        page.write_string(1, 1 + len(STATUSES), "Control Origination", head)
        for place, name in enumerate((*STATUSES, *ORIGINS), start=1):
            page.write_string(2, place, name, head)
        page.freeze_panes(3, 1)

    def _begin_crm(self, level: str) -> None:
        page, head = self.crm, self.book.head
        for place, width in enumerate((14, 20, 110)):
            page.set_column(place, place, width)
        page.write_string(0, 0, f"FedRAMP {level} {TITLES['CRM']}", head)
        page.write_string(1, 0, GUIDANCE)
        for place, name in enumerate(CRM):
            page.write_string(2, place, name, head)
        page.freeze_panes(3, 1)

    def add(self, row: PartRow) -> None:
        """The next part, on both."""
        number = 3 + self.rows
        self.book.text(self.cis, number, 0, row.label)
        marked = {row.status, *row.origins}
        for place, name in enumerate((*STATUSES, *ORIGINS), start=1):
            if name in marked:
                self.book.text(self.cis, number, place, "X")
        cells: Mapping[int, Any] = {0: row.label, 1: row.inheritance, 2: row.text}
        for place, text in cells.items():
            if text:
                self.book.text(self.crm, number, place, text, kind="long")
        self.rows += 1

    def end(self) -> None:
        """Filters, and the three answers to choose from, as in FedRAMP's own."""
        last = 2 + self.rows
        self.cis.autofilter(2, 0, last, len(STATUSES) + len(ORIGINS))
        self.crm.autofilter(2, 0, last, len(CRM) - 1)
        choice = {"validate": "list", "source": ["No", "Partial", "Yes"]}
        self.crm.data_validation(3, 1, max(last, 3), 1, choice)
