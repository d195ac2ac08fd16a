"""The provider's own document in the stories: its text, sent and adopted."""

from __future__ import annotations

import datetime as dt
import io

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from controls.control_parts import parts_of
from controls.models import Membership, Role
from controls.provider_documents.adopt import request_adoption, request_end
from controls.provider_documents.compare import preview
from controls.provider_documents.rows import read_statements
from controls.retrospect import approve
from evidence.status.control_status import control_statuses, moment_of
from tests import factories
from tests.sheets import xlsx_bytes

DAY = dt.timedelta(days=1)
HEAD = "Control ID,Responsibility,Description\n"
# The template says: ac-4 customer, pe-3 inherited, si-2 shared.
TABLE = HEAD + (
    "AC-04,Shared,We filter what passes between tenants.\n"
    "PE-3,Inherited,We guard the halls.\n"
    "si-2,Customer,Patch what you run.\n"
)
FEDRAMP = [
    "Control ID",
    "Can Be Inherited from CSP",
    "Specific Inheritance and Customer Agency/CSP Responsibilities",
]


def read(text, name="matrix.csv"):
    """The statements of a document of that text. Raises Refused."""
    content = text if isinstance(text, bytes) else text.encode()
    return read_statements(io.BytesIO(content), name)


def sheet(rows, title="CRM"):
    """The bytes of a workbook of one sheet with these rows."""
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def waiting(system, by, today, text=TABLE, **changes):
    """A document asked for since ten days before `today`; nobody has approved it."""
    facts = {
        "title": "Responsibility matrix",
        "reference": "v1",
        "starts_on": today - 10 * DAY,
    } | changes
    return request_adoption(system, read(text), **facts, by=by, today=today)


def second_officer(system, first):
    """An officer of the system other than `first`, brought where there is none."""
    held = Membership.objects.active().filter(system=system, role=Role.OFFICER)
    if other := held.exclude(user=first).select_related("user").first():
        return other.user
    user = factories.make_user("second")
    factories.give_role(user, system, Role.OFFICER)
    return user


def adopted(system, by, today, text=TABLE, **changes):
    """The same, approved by another officer: it is in force."""
    document = waiting(system, by, today, text, **changes)
    approve(document.change, by=second_officer(system, by), today=today)
    document.refresh_from_db()
    return document


def ended(document, by, today, **changes):
    """The document ended by two officers from `today` on."""
    facts = {"ended_on": today, "reason": "They withdrew it."} | changes
    change = request_end(document, **facts, by=by, today=today)
    approve(change, by=second_officer(document.system, by), today=today)
    document.refresh_from_db()


def class_of(system, ref_id, day):
    """The status of a control on a day as known now."""
    pks = [factories.implementation(system, ref_id).pk]
    return control_statuses(system, moment_of(system, day, None), pks=pks)[0]


def form(text=TABLE, name="matrix.csv", **changes):
    """What the page and the API take, with some of it changed."""
    content = text.encode() if isinstance(text, str) else text
    return {
        "title": "Responsibility matrix",
        "reference": "v1",
        "starts_on": "2026-06-01",
        "file": SimpleUploadedFile(name, content),
    } | changes


def send(browser, system, **changes):
    """The answer to a document sent by the page."""
    url = reverse("evidence:provider_upload", args=[system.slug])
    return browser.post(url, form(**changes))


ORIGINS = [
    "Service Provider Corporate",
    "Service Provider System Specific",
    "Service Provider Hybrid (Corporate and System Specific)",
    "Configured by Customer (Customer System Specific)",
    "Provided by Customer (Customer System Specific)",
    "Shared (Service Provider and Customer Responsibility)",
    "Inherited from Pre-Existing  Authorization",
]
STATES = ["Implemented", "Partially Implemented", "Planned", "Alternative", "N/A"]
LEVELS = ["High", "Moderate", "Low", "LI-SaaS"]


def ids_of_parts(baseline, *, padded=False):
    """One id per lettered part, or of the control without parts, as FedRAMP lists."""
    ids = []
    for control in baseline.controls.order_by("sort_order"):
        family, _, number = control.ref_id.upper().partition("-")
        number, _, enhancement = number.partition(".")
        label = f"{family}-{number.zfill(2) if padded else number}"
        if enhancement:
            digits = enhancement.zfill(2) if padded else enhancement
            label += f" ({digits})" if padded else f"({digits})"
        labels = [part.label.strip("()") for part in parts_of(control)]
        letters = [label for label in labels if len(label) == 1]
        space = " " if padded else ""
        ids += [f"{label}{space}({letter})" for letter in letters] or [label]
    return ids


def fedramp_workbook(ids, said=None, marks=None, *, level="Moderate", head=FEDRAMP):
    """A workbook in the shape of FedRAMP's CIS and CRM workbook, in our own words.

    `said` are (class, text) by id, for the matrix of that level; `marks` the origins
    by id, for its summary. All other sheets are as nobody filled them in.
    """
    sheets = {
        "Instructions": [["", "Appendix J"], ["", "CSP", "System Name"], ["", "Acme"]],
        "Example CRM Worksheet Responses": [
            ["Example CRM Worksheet Responses"],
            FEDRAMP,
            ["AC-2(a)", "Partial", "How an answer reads."],
            ["PE-3", "Yes"],
        ],
    }
    for name in LEVELS:
        mine = name == level
        answers, crosses = (said or {}, marks or {}) if mine else ({}, {})
        summary = [
            [f"{name} summary"],
            ["Control ID", "Implementation Status", *[""] * 4, "Control Origination"],
            ["", *STATES, *ORIGINS],
        ]
        for each in ids:
            row = [each, *[""] * 12]
            for origin in crosses.get(each, ()):
                row[6 + ORIGINS.index(origin)] = "X"
            summary.append(row)
        matrix = [[f"{name} matrix"], ["GUIDANCE:\n\nAnswer Yes, Partial or No."]]
        matrix += [[]] if name != "High" else []  # the headings stand one line lower
        matrix.append(head if mine else FEDRAMP)
        matrix += [[each, *answers.get(each, ())] for each in ids]
        sheets |= {f"{name} CIS Worksheet": summary, f"{name} CRM Worksheet": matrix}
    sheets["Record of Change"] = [["", "Date", "Description", "Version"]]
    return xlsx_bytes(sheets=sheets)


def stated(system, content, name="matrix.xlsx"):
    """What adopting a file would say: class and text by control.

    Raises AssertionError for a line that could not be placed.
    """
    read = read_statements(io.BytesIO(content), name)
    compared = preview(system, read, today=system.window_start)
    assert not compared.errors, [str(error) for error in compared.errors]
    return {
        comparison.implementation.control.ref_id: (
            comparison.responsibility,
            comparison.text,
        )
        for comparison in compared.stated
    }
