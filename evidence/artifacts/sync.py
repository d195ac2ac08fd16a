"""Readings of AWS Artifact: asked for by a registrar or at night, done under a lease.

What was read before an error stays, and the reading says what is missing.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from celery import shared_task
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from controls.access import may_keep_register
from controls.errors import Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent, User
from controls.models.audit import Event, about
from evidence.artifacts.aws_artifact import (
    Access,
    ArtifactReader,
    ReadingFailed,
    ReportFacts,
    client_of,
)
from evidence.artifacts.listed_reports import refusal_text, take_in
from evidence.artifacts.register import require_registrar
from evidence.jobs.kinds import AttemptFailed, Backoff, CannotBeDone, JobKind
from evidence.jobs.leases import Lease
from evidence.jobs.wake import wake
from evidence.jobs.work import work_on
from evidence.models import ArtifactSync, ListedReport
from evidence.models.artifact_syncs import MAX_SYNC_ERRORS, SyncState

OVER = (SyncState.DONE, SyncState.PARTIAL, SyncState.FAILED)


def sync_access() -> Access:
    """How AWS is reached, by the settings. Raises Refused, naming what is missing."""
    missing = [
        name
        for name in ("ARTIFACT_SYNC_ROLE", "ARTIFACT_SYNC_EXTERNAL_ID")
        if not getattr(settings, name)
    ]
    if missing:
        raise Refused(f"AWS Artifact cannot be read: {' and '.join(missing)} not set.")
    return Access(
        role=settings.ARTIFACT_SYNC_ROLE,
        external_id=settings.ARTIFACT_SYNC_EXTERNAL_ID,
        region=settings.ARTIFACT_SYNC_REGION,
        endpoint=settings.ARTIFACT_SYNC_ENDPOINT,
    )


def sync_registrar() -> User:
    """Who answers for what is registered at night. Raises Refused for nobody."""
    address = settings.ARTIFACT_SYNC_AS
    person = User.objects.filter(email__iexact=address).first() if address else None
    if person is None or not may_keep_register(person):
        raise Refused(
            "AWS Artifact cannot be read by itself: ARTIFACT_SYNC_AS has to be the"
            " address of a registrar of reports."
        )
    return person


@transaction.atomic
def ask_for_sync(*, by: Actor | None) -> ArtifactSync:
    """Queue a reading; `by` None: by itself, in the name of ARTIFACT_SYNC_AS.

    Raises NotPermitted, Refused while it cannot be done as things are set, and
    TransitionNotAllowed while another one is not over.
    """
    if by is None:
        sync_registrar()
    else:
        require_registrar(by)
    sync_access()
    open_ones = ArtifactSync.objects.select_for_update(of=("self",))
    if open_ones.exclude(state__in=OVER).exists():
        raise TransitionNotAllowed("AWS Artifact is being read already.")
    sync = ArtifactSync.objects.create(asked_by=by if by and by.pk else None)
    AuditEvent.objects.append(about(sync, "artifact-sync.asked", by=by))
    wake(sync_artifacts, sync.pk)
    return sync


class SyncJob(JobKind[ArtifactSync]):
    """Reads AWS Artifact's list and takes in each report in its own transaction."""

    lease = dt.timedelta(minutes=5)  # more than the four tries of one call take
    max_attempts = 3
    backoff = Backoff(dt.timedelta(minutes=2), dt.timedelta(minutes=30))
    patience_backoff = Backoff(dt.timedelta(minutes=2), dt.timedelta(minutes=30))
    max_wait = dt.timedelta(hours=6)
    while_leased: ClassVar[dict[str, Any]] = {"state": SyncState.RUNNING}
    while_waiting: ClassVar[dict[str, Any]] = {"state": SyncState.QUEUED}
    after_failure: ClassVar[dict[str, Any]] = {"state": SyncState.QUEUED}
    when_given_up: ClassVar[dict[str, Any]] = {"state": SyncState.FAILED}

    @property
    def task(self) -> Any:
        """See `sync_artifacts`."""
        return sync_artifacts

    def unfinished(self) -> QuerySet[ArtifactSync]:
        """Neither done, in part or whole, nor so failed that it is over."""
        ended = (SyncState.DONE, SyncState.PARTIAL)
        return ArtifactSync.objects.exclude(state__in=ended).select_related("asked_by")

    def perform(self, lease: Lease[ArtifactSync]) -> None:
        """Read and take in; the outcome is written with its event."""
        try:
            by = lease.job.asked_by or sync_registrar()
            require_registrar(by)
            reader = ArtifactReader(client_of(sync_access()))
        except ReadingFailed as failure:
            raise _failed(failure) from failure
        except ValidationError as refusal:
            raise CannotBeDone(refusal_text(refusal)) from refusal
        reading = Reading(reader, lease, by)
        reading.run()
        if not reading.counts["read"] and reading.failures:
            raise _failed(reading.failures[0])
        state = SyncState.PARTIAL if reading.errors else SyncState.DONE
        with transaction.atomic():
            lease.finish(
                state=state,
                ended_at=lease.now(),
                calls=reader.calls,
                failed=len(reading.errors),
                errors=reading.errors[:MAX_SYNC_ERRORS],
                **reading.counts,
            )
            body = {"state": state, "failed": len(reading.errors), **reading.counts}
            AuditEvent.objects.append(
                about(lease.job, "artifact-sync.ended", by=by, **body)
            )

    def event_of_giving_up(self, job: ArtifactSync) -> Event | None:
        """That nothing was read, and why."""
        return about(job, "artifact-sync.failed", by=None, reason=job.error)

    def event_of_beginning_anew(self, job: ArtifactSync) -> Event | None:
        """That it is tried anew."""
        return about(job, "artifact-sync.begun-anew", by=None)


def _failed(failure: ReadingFailed) -> Exception:
    """Of nothing that was read: tried again, unless that cannot help."""
    sentence = f"{failure.action}: {failure}"
    if failure.is_denied or failure.is_over:
        return CannotBeDone(sentence)
    return AttemptFailed(sentence)


class Reading:
    """One pass over AWS's list: counts and errors, and what was taken in."""

    def __init__(
        self, reader: ArtifactReader, lease: Lease[ArtifactSync], by: Actor
    ) -> None:
        self.reader, self.lease, self.by = reader, lease, by
        self.counts = dict.fromkeys(("read", "registered", "changed", "not_placed"), 0)
        self.errors: list[dict[str, str]] = []
        self.failures: list[ReadingFailed] = []

    def run(self) -> None:
        """Take in every report that can be read; errors are kept, none is raised."""
        seen: set[str] = set()
        try:
            for facts in self.reader.reports():
                if facts.aws_id not in seen:
                    seen.add(facts.aws_id)
                    self._take_in_report(facts)
                self.lease.renew_at_half()
        except ReadingFailed as failure:
            self._note("", failure)

    def _take_in_report(self, listed: ReportFacts) -> None:
        """Its newest version, and those that are in the register already."""
        versions = [listed]
        try:
            versions = self.reader.versions(listed.aws_id) or versions
        except ReadingFailed as failure:
            self._note_once(listed.aws_id, failure)
        newest = max(versions, key=lambda facts: facts.aws_version)
        try:
            newest = self.reader.details(newest)
        except ReadingFailed as failure:
            self._note_once(listed.aws_id, failure)
        for facts in versions:
            if facts.aws_version == newest.aws_version:
                self._take_in(newest)
            elif is_registered(facts):
                self._take_in(facts)

    def _take_in(self, facts: ReportFacts) -> None:
        self.counts["read"] += 1
        try:
            with transaction.atomic():
                self.lease.lock()
                outcome = take_in(facts, by=self.by)
        except ValidationError as refusal:
            self._keep(facts.aws_id, "", f"{facts.name}: {refusal_text(refusal)}")
            return
        if outcome != "same":
            self.counts[outcome.replace(" ", "_")] += 1

    def _note_once(self, report: str, failure: ReadingFailed) -> None:
        """An action that is not permitted is told once; what ends all is raised."""
        if failure.is_over:
            raise failure
        is_known = any(e["action"] == failure.action for e in self.errors)
        if not (failure.is_denied and is_known):
            self._note(report, failure)

    def _note(self, report: str, failure: ReadingFailed) -> None:
        self.failures.append(failure)
        self._keep(report, failure.action, str(failure))

    def _keep(self, report: str, action: str, sentence: str) -> None:
        error = {"report": report, "action": action, "sentence": sentence}
        self.errors.append(error)


def is_registered(facts: ReportFacts) -> bool:
    """Whether a version of AWS's list stands in the register."""
    return ListedReport.objects.filter(
        aws_id=facts.aws_id,
        aws_version=facts.aws_version,
        artifact_version__isnull=False,
    ).exists()


SYNCS = SyncJob()


@shared_task(name="evidence.tasks.sync_artifacts", ignore_result=True, acks_late=True)
def sync_artifacts(sync_pk: int) -> None:
    """Do one reading; may run twice, takes in each report once."""
    work_on(SYNCS, sync_pk)


def sync_at_night() -> ArtifactSync | None:
    """Ask for a reading if it is switched on; None where it is not, or one runs."""
    if not settings.ARTIFACT_SYNC:
        return None
    try:
        return ask_for_sync(by=None)
    except TransitionNotAllowed:
        return None


def sync_now(*, by: Actor | None) -> ArtifactSync:
    """Ask for a reading and do it here, for the command line. Raises as
    `ask_for_sync`."""
    sync = ask_for_sync(by=by)
    work_on(SYNCS, sync.pk)
    sync.refresh_from_db()
    return sync
