"""Bytes of a held report opened for somebody: behind its term, and recorded first."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, TypeVar

from django.db import transaction

from controls.errors import NotPermitted, TransitionNotAllowed
from controls.models import Actor, AuditEvent
from controls.models.audit import about
from evidence.files.download import NotInStore, OpenedFile
from evidence.files.names import clean_name
from evidence.held_reports.disclosures import record_disclosure
from evidence.held_reports.who_may import may_clear_report, require_report_opener
from evidence.models import ReportFile, TermConfirmation
from evidence.models.disclosures import DisclosureKind
from evidence.models.files import UNSCANNED
from evidence.storage import open_store

Shown = TypeVar("Shown")
NOT_CONFIRMED = "Read the term of this file first, and confirm it."


class TermNotConfirmed(NotPermitted):
    """The person may open the file once the term is confirmed."""


def has_confirmed(file: ReportFile, by: Actor) -> bool:
    """Whether this person confirmed the file's term."""
    return TermConfirmation.objects.filter(file=file, person=by.pk).exists()


@transaction.atomic
def confirm_term(file: ReportFile, *, by: Actor) -> TermConfirmation:
    """This person was shown the term and confirms it, before the first opening.

    Confirmed again, nothing is written. Raises NotPermitted for who may not open it.
    """
    require_report_opener(file, by)
    confirmation, made = TermConfirmation.objects.get_or_create(
        file=file, person_id=by.pk
    )
    if made:
        AuditEvent.objects.append(
            about(file, "report-file.term-confirmed", by=by, agreement=file.agreement)
        )
    return confirmation


def reason_not_opened(file: ReportFile, *, by: Actor) -> str:
    """Why `by` may not have the bytes now, as a sentence; empty where `by` may."""
    try:
        require_open(file, by=by)
    except (NotPermitted, TransitionNotAllowed) as refusal:
        return " ".join(refusal.messages)
    return ""


def require_open(file: ReportFile, *, by: Actor) -> None:
    """Raise unless `by` may have the bytes now.

    NotPermitted for who may not; TermNotConfirmed before the term; TransitionNotAllowed
    while it is withheld. Who has to clear a flagged file may look at it.
    """
    require_report_opener(file, by)
    if not has_confirmed(file, by):
        raise TermNotConfirmed(NOT_CONFIRMED)
    obstacle = file.obstacle()
    if not obstacle:
        return
    flagged_only = (
        file.flags and not file.is_removed and file.blob.scan_state not in UNSCANNED
    )
    if not (flagged_only and may_clear_report(file, by)):
        raise TransitionNotAllowed(obstacle)


def opened_report(file: ReportFile, *, by: Actor) -> OpenedFile:
    """The bytes of a report for downloading; who took them is recorded first.

    Raises what `require_open` raises, and NotInStore when the bytes are gone.
    """
    require_open(file, by=by)
    body = _body_of(file)
    try:
        record_disclosure(file, DisclosureKind.DOWNLOADED, by=by)
    except BaseException:
        body.close()
        raise
    return OpenedFile(
        body, clean_name(file.name), file.blob.media_type, file.blob.size_bytes
    )


def _body_of(file: ReportFile) -> BinaryIO:
    try:
        return open_store().open(file.blob.sha256)
    except FileNotFoundError as missing:
        sentence = "The record is here, but its bytes are not in the store."
        raise NotInStore(sentence) from missing


def read_report(
    file: ReportFile, draw: Callable[[BinaryIO, str], Shown], *, by: Actor
) -> Shown:
    """What `draw` makes of the bytes, for a page; it reads them in a confined process.

    Records nothing: whoever shows something of it calls `record_viewing` before that.
    Raises what `opened_report` raises, and what `draw` raises.
    """
    require_open(file, by=by)
    with _body_of(file) as body:
        return draw(body, file.blob.media_type)


def record_viewing(file: ReportFile, *, by: Actor, page: int = 0) -> None:
    """Somebody sees a page (from 1) of the file, or all of it (0)."""
    record_disclosure(file, DisclosureKind.VIEWED, by=by, page=page)
