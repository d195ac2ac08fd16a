"""One version of a report fetched from AWS Artifact, as a job in two steps.

A keeper asks; the job brings AWS's term and stops. A keeper reads the term, says under
which agreement the file may be held and accepts; the job brings the report and holds it
as `hold.py` holds what is uploaded. No reading of the list and no nightly task does it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, ClassVar

from celery import shared_task
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from controls.errors import Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent
from controls.models.audit import Event, about
from evidence.artifacts.aws_artifact import FETCHING, ReadingFailed, client_of
from evidence.artifacts.aws_documents import DocumentReader, TermOfReport
from evidence.artifacts.listed_reports import refusal_text
from evidence.artifacts.sync import sync_access
from evidence.files.scan import ask_for_scan
from evidence.held_reports.hold import (
    bring_report,
    hold_report,
    refuse_without_right,
)
from evidence.held_reports.who_may import require_keeper
from evidence.jobs.kinds import AttemptFailed, Backoff, CannotBeDone, JobKind, MustWait
from evidence.jobs.leases import Lease
from evidence.jobs.wake import wake
from evidence.jobs.work import work_on
from evidence.models import ArtifactVersion, FetchState, ListedReport, ReportFetch
from evidence.models.blobs import ScanState
from evidence.models.files import UNSCANNED
from evidence.storage import StoreUnreachable, open_store
from evidence.submissions.uploads import (
    Upload,
    checked_upload,
    lock_blobs,
    refuse_empty,
    refuse_removed,
    settle_all,
)

RUNNING = (FetchState.QUEUED, FetchState.RUNNING, FetchState.TERM)
PDF = "application/pdf"
CHANGED = "AWS has another term since: read it before you accept it."


def report_of(listed: ListedReport) -> ArtifactVersion:
    """The report of the register that stands for it. Raises Refused for none."""
    if listed.artifact_version is None:
        raise Refused("Register it in its series first: a file is held for a report.")
    return listed.artifact_version


@transaction.atomic
def ask_for_fetch(listed: ListedReport, *, by: Actor) -> ReportFetch:
    """Queue the fetching of AWS's term; the report waits until somebody accepts it.

    Raises NotPermitted, Refused where AWS cannot be reached as things are set, and
    TransitionNotAllowed while another fetch of the same version is not over.
    """
    locked = ListedReport.objects.select_for_update(of=("self",)).get(pk=listed.pk)
    version = report_of(locked)
    require_keeper(version, by)
    sync_access()
    if locked.fetches.filter(state__in=RUNNING).exists():
        raise TransitionNotAllowed("It is being fetched already.")
    fetch = ReportFetch.objects.create(listed=locked, asked_by_id=by.pk)
    body = {"report": str(version.uuid), "aws_id": locked.aws_id}
    AuditEvent.objects.append(about(fetch, "report-fetch.asked", by=by, **body))
    wake(fetch_report, fetch.pk)
    return fetch


@transaction.atomic
def accept_term(
    fetch: ReportFetch, *, agreement: str, term: str, confirmed: bool, by: Actor
) -> None:
    """Accept AWS's term as it was shown, and have the report fetched and held.

    `term` is what it asks of whoever opens the file, in own words. Raises NotPermitted,
    Refused by field, TransitionNotAllowed while no term waits to be read.
    """
    stored = (
        ReportFetch.objects.select_for_update(of=("self",))
        .select_related("listed__artifact_version")
        .get(pk=fetch.pk)
    )
    require_keeper(report_of(stored.listed), by)
    if stored.state != FetchState.TERM:
        raise TransitionNotAllowed("No term waits to be read.")
    refuse_without_right(agreement, term, confirmed)
    stored.accepted_by_id = by.pk
    stored.agreement, stored.term = agreement.strip(), term.strip()
    stored.state, stored.error = FetchState.QUEUED, ""
    stored.save(update_fields=["accepted_by", "agreement", "term", "state", "error"])
    body = {"term": stored.term_arn, "agreement": stored.agreement}
    if stored.term_blob is not None:
        body["sha256"] = stored.term_blob.sha256
    AuditEvent.objects.append(
        about(stored, "report-fetch.term-accepted", by=by, **body)
    )
    wake(fetch_report, stored.pk)
    fetch.refresh_from_db()


def term_of(fetch: ReportFetch, *, by: Actor) -> BinaryIO:
    """The bytes of AWS's term, to be shown to a keeper before it is accepted.

    Raises NotPermitted, TransitionNotAllowed while there is none to be shown, and
    FileNotFoundError when its bytes are gone.
    """
    require_keeper(report_of(fetch.listed), by)
    blob = fetch.term_blob
    if blob is None or blob.purged_at is not None:
        raise TransitionNotAllowed("AWS's term did not come yet.")
    state = blob.scan_state
    if state in UNSCANNED and (settings.CLAMAV_URL or state == ScanState.INFECTED):
        raise TransitionNotAllowed(f"AWS's term {UNSCANNED[ScanState(state)]}.")
    return open_store().open(blob.sha256)


class FetchJob(JobKind[ReportFetch]):
    """Brings AWS's term; once a person accepted it, the report."""

    lease = dt.timedelta(minutes=5)  # more than one call and one pause of its file take
    max_attempts = 6  # of both steps together
    backoff = Backoff(dt.timedelta(minutes=2), dt.timedelta(minutes=30))
    patience_backoff = Backoff(dt.timedelta(minutes=2), dt.timedelta(minutes=30))
    max_wait = dt.timedelta(hours=6)
    while_leased: ClassVar[dict[str, Any]] = {"state": FetchState.RUNNING}
    while_waiting: ClassVar[dict[str, Any]] = {"state": FetchState.QUEUED}
    after_failure: ClassVar[dict[str, Any]] = {"state": FetchState.QUEUED}
    when_given_up: ClassVar[dict[str, Any]] = {"state": FetchState.FAILED}

    @property
    def task(self) -> Any:
        """See `fetch_report`."""
        return fetch_report

    def unfinished(self) -> QuerySet[ReportFetch]:
        """Neither done nor waiting for a person; what failed is over."""
        rows: QuerySet[ReportFetch] = ReportFetch.objects.exclude(
            state__in=(FetchState.DONE, FetchState.TERM)
        )
        return rows.select_related("listed__artifact_version__artifact", "accepted_by")

    def perform(self, lease: Lease[ReportFetch]) -> None:
        """The term, or the report, in the store and on record."""
        try:
            reader = DocumentReader(
                client_of(sync_access()), settings.ARTIFACT_SYNC_ENDPOINT
            )
            listed = lease.job.listed
            term = reader.term(listed.aws_id, listed.aws_version)
            is_accepted = lease.job.accepted_by_id and term.arn == lease.job.term_arn
            if is_accepted:
                _hold(lease, reader, term)
            else:
                _show(lease, reader, term)
        except ReadingFailed as failure:
            sentence = f"{failure.action}: {failure}"
            if failure.is_denied or failure.is_over:
                raise CannotBeDone(sentence) from failure
            raise AttemptFailed(sentence) from failure
        except StoreUnreachable as away:
            raise MustWait(" ".join(away.messages)) from away
        except ValidationError as refusal:
            raise CannotBeDone(refusal_text(refusal)) from refusal

    def event_of_giving_up(self, job: ReportFetch) -> Event | None:
        """That nothing was fetched, and why."""
        return about(job, "report-fetch.failed", by=None, reason=job.error)

    def event_of_beginning_anew(self, job: ReportFetch) -> Event | None:
        """That it is tried anew."""
        return about(job, "report-fetch.begun-anew", by=None)


FETCHES = FetchJob()


@contextmanager
def _fetched(
    lease: Lease[ReportFetch],
    reader: DocumentReader,
    address: str,
    action: str,
    name: str,
) -> Iterator[Upload]:
    """The bytes of an address, sealed and checked as an upload of a person is."""
    incoming = open_store().begin(limit=settings.MAX_UPLOAD_BYTES)
    try:
        for piece in reader.pieces(address, action):
            incoming.write(piece)
            lease.renew_at_half()
        upload = checked_upload(name, incoming)
        refuse_empty([upload])
        yield upload
    finally:
        incoming.close()


def _show(
    lease: Lease[ReportFetch], reader: DocumentReader, term: TermOfReport
) -> None:
    """Keep AWS's term for somebody to read; nothing is accepted."""
    name, action = f"Term of {lease.job.listed}.pdf", FETCHING["get_term_for_report"]
    with _fetched(lease, reader, term.address, action, name) as upload:
        if upload.checked.media_type != PDF or upload.checked.flags:
            raise Refused("AWS's term came as something that is not shown here.")
        refuse_removed([upload])
        settle_all([upload])
        with transaction.atomic():
            lease.lock()
            blob = lock_blobs([upload])[upload.stored.sha256]
            ask_for_scan(blob)
            lease.finish(
                state=FetchState.TERM,
                term_blob=blob,
                term_arn=term.arn,
                accepted_by=None,
                error=CHANGED if lease.job.accepted_by_id else "",
            )
            body = {"term": term.arn, "sha256": blob.sha256}
            AuditEvent.objects.append(
                about(lease.job, "report-fetch.term-came", by=None, **body)
            )


def _hold(
    lease: Lease[ReportFetch], reader: DocumentReader, term: TermOfReport
) -> None:
    """Fetch the report under the term that was accepted, and hold it."""
    fetch, listed = lease.job, lease.job.listed
    version, by = report_of(listed), fetch.accepted_by
    if by is None:
        raise Refused("Nobody has accepted AWS's term.")
    right: dict[str, Any] = {
        "agreement": fetch.agreement,
        "term": fetch.term,
        "confirmed": True,
        "by": by,
    }
    require_keeper(version, by)
    address = reader.report(listed.aws_id, listed.aws_version, term)
    action = FETCHING["get_report"]
    with _fetched(lease, reader, address, action, f"{listed}.pdf") as upload:
        bring_report(version, upload, **right)
        with transaction.atomic():
            lease.lock()
            held = hold_report(version, upload, **right)
            lease.finish(state=FetchState.DONE, file=held, ended_at=lease.now())
            AuditEvent.objects.append(
                about(fetch, "report-fetch.done", by=by, file=str(held.uuid))
            )


@shared_task(name="evidence.tasks.fetch_report", ignore_result=True, acks_late=True)
def fetch_report(fetch_pk: int) -> None:
    """Do one step of a fetch; may run twice, holds the file once."""
    work_on(FETCHES, fetch_pk)


def fetch_now(fetch: ReportFetch) -> ReportFetch:
    """Do the step that waits here, for the command line."""
    work_on(FETCHES, fetch.pk)
    fetch.refresh_from_db()
    return fetch
