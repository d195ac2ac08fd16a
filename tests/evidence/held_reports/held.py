"""A report held, for the stories about held reports."""

from __future__ import annotations

from typing import Any

from django.test import Client

from evidence.held_reports.hold import hold_report
from evidence.models import ArtifactVersion, ReportFile
from evidence.submissions.uploads import store
from tests.hostile import PAGES, pdf_of, stream
from tests.sign_ins import sign_in_just_now

RIGHT = {
    "agreement": "NDA of 12 January 2026",
    "term": "Not to be passed on.",
    "confirmed": "on",
}


def report_pdf(text: bytes = b"SOC 2 Type II") -> bytes:
    """A page with one line of text."""
    page = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>"
    )
    words = stream(b"", b"BT /F1 12 Tf 20 100 Td (" + text + b") Tj ET")
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    return pdf_of([*PAGES, page, words, font])


def term_pdf() -> bytes:
    """AWS's term, as a file of its own."""
    return report_pdf(b"Terms and conditions")


def hold(
    report: ArtifactVersion,
    *,
    by: Any,
    name: str = "soc2.pdf",
    content: bytes | None = None,
) -> ReportFile:
    """A file held by a person who may."""
    upload = store(name, [report_pdf() if content is None else content])
    return hold_report(
        report, upload, agreement="NDA", term="Keep it.", confirmed=True, by=by
    )


def open_page(client: Client, person: Any, file: ReportFile) -> Any:
    """Its first page as a picture, once the person confirmed the term."""
    sign_in_just_now(client, person)
    client.post(f"/artifacts/files/{file.uuid}/term/")
    return client.get(f"/artifacts/files/{file.uuid}/page/")
