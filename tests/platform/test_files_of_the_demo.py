"""Evidence of the demo looks like the real thing, and its preview opens.

A report, a screenshot, a list, an archive: each names its system, its period and who
made it, and the fault that a reviewer names stands in the file.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from dataclasses import replace

import pypdfium2
import pytest

from evidence.demo.clock import workday_by, workday_from
from evidence.demo.files import (
    FileSubject,
    acting_report,
    configuration,
    evidence_file,
    fault_of,
    ticket,
)
from evidence.files.checks import check
from evidence.files.previews import kind_of, render_preview

SUBJECT = FileSubject(
    title="Access review (monthly), September 2026",
    label="AC-2(1)",
    system="Payments platform",
    maker="Paul Platform",
    performed_on=dt.date(2026, 9, 29),
    start=dt.date(2026, 9, 1),
    end=dt.date(2026, 9, 30),
)
LABELS = {"csv": "AC-2(1)", "png": "SC-7", "zip": "AU-6", "pdf": "SI-2"}
MIN_BYTES = 1_000


def of_kind(kind, **changes):
    return replace(SUBJECT, label=LABELS[kind], **changes)


def text_of(kind, content):
    """What a file says in words; a picture says its pixels."""
    if kind == "pdf":
        with pypdfium2.PdfDocument(content) as document:
            return document[0].get_textpage().get_text_bounded()
    if kind == "zip":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "\n".join(archive.read(n).decode() for n in archive.namelist())
    return content.decode()


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("flawed", [False, True])
def test_each_kind_may_be_uploaded_and_its_preview_opens(kind, flawed):
    name, content = evidence_file(of_kind(kind, flawed=flawed))
    assert name.endswith(f".{kind}")
    assert len(content) >= MIN_BYTES
    checked = check(io.BytesIO(content), name)
    assert checked.flags == ()
    if kind == "zip":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                inside = archive.read(member)
                kept = check(io.BytesIO(inside), member)
                page = render_preview(io.BytesIO(inside), kept.media_type)
                assert page.rows or page.text
            listed = render_preview(io.BytesIO(content), checked.media_type)
            assert [name for name, *_ in listed.files] == archive.namelist()
        return
    assert kind_of(checked.media_type)
    page = render_preview(io.BytesIO(content), checked.media_type)
    assert page.png or page.rows


@pytest.mark.parametrize("kind", ["csv", "zip", "pdf"])
def test_each_names_system_period_and_maker(kind):
    _, content = evidence_file(of_kind(kind))
    words = text_of(kind, content)
    for name in (SUBJECT.system, SUBJECT.maker, "2026-09-01 to 2026-09-30"):
        assert name in words


@pytest.mark.parametrize(
    "change",
    [{"system": "Ledger"}, {"maker": "Sara"}, {"start": dt.date(2026, 8, 1)}],
)
def test_a_screenshot_shows_them_too(change):
    _, before = evidence_file(of_kind("png"))
    _, after = evidence_file(of_kind("png", **change))
    assert before != after


@pytest.mark.parametrize("kind", LABELS)
def test_the_same_subject_gives_the_same_bytes(kind):
    assert evidence_file(of_kind(kind)) == evidence_file(of_kind(kind))


def test_what_a_reviewer_names_stands_in_the_file():
    good, bad = of_kind("csv"), of_kind("csv", flawed=True)
    undecided = [
        line.split(",")[2]
        for line in text_of("csv", evidence_file(bad)[1]).splitlines()
        if line.endswith(",,")
    ]
    assert undecided == ["d.moreau", "svc-batch"]
    assert all(account in fault_of(bad) for account in undecided)
    assert ",,\r\n" not in text_of("csv", evidence_file(good)[1])

    assert "2026-09-30" in text_of("zip", evidence_file(of_kind("zip"))[1])
    cut = text_of("zip", evidence_file(of_kind("zip", flawed=True))[1])
    assert "\n2026-09-30," not in cut
    assert "last file is missing" in fault_of(of_kind("zip"))

    signed = text_of("pdf", evidence_file(of_kind("pdf"))[1])
    unsigned = text_of("pdf", evidence_file(of_kind("pdf", flawed=True))[1])
    assert "team lead" in signed
    assert "team lead" not in unsigned
    assert "Approved by" in fault_of(of_kind("pdf"))


def test_tickets_and_what_is_flagged_look_real_too():
    printed = ticket(SUBJECT, "CHG-2001", "deployment")
    for content in (printed, acting_report(SUBJECT), configuration(SUBJECT)):
        assert len(content) >= MIN_BYTES
    assert check(io.BytesIO(acting_report(SUBJECT)), "a.pdf").flags
    assert configuration(SUBJECT).splitlines()[1] == b"key = REDACT ME"
    assert "CHG-2001" in text_of("pdf", printed)


def test_nobody_works_on_a_weekend():
    saturday = dt.date(2026, 9, 26)
    assert workday_by(saturday) == dt.date(2026, 9, 25)
    assert workday_by(dt.date(2026, 9, 28)) == dt.date(2026, 9, 28)
    evening = dt.datetime(2026, 9, 27, 18, tzinfo=dt.UTC)
    assert workday_from(evening) == dt.datetime(2026, 9, 28, 18, tzinfo=dt.UTC)
