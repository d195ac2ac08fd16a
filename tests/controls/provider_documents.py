"""The provider's own document in the stories: its text, sent and adopted."""

from __future__ import annotations

import datetime as dt
import io

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from controls.provider_documents.adopt import adopt
from controls.provider_documents.rows import read_statements
from evidence.status.control_status import control_statuses, moment_of
from tests import factories

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
    return read_statements(io.BytesIO(text.encode()), name)


def sheet(rows, title="CRM"):
    """The bytes of a workbook of one sheet with these rows."""
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def adopted(system, by, today, text=TABLE, **changes):
    """A document in force since ten days before `today`."""
    facts = {
        "title": "Responsibility matrix",
        "reference": "v1",
        "starts_on": today - 10 * DAY,
    } | changes
    return adopt(system, read(text), **facts, by=by, today=today)


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
