"""A held report released on purpose to the auditors of one audit, and taken back."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F

from controls.errors import NotPermitted, Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent, Engagement
from controls.models.audit import about
from controls.reasons import refuse_long
from evidence.held_reports.who_may import (
    engagements_to_release_to,
    may_take_back,
    require_keeper,
)
from evidence.models import ReportFile, ReportRelease

CHOOSE_AUDIT = (
    "Choose a running audit of a system of yours that cites this report and to which it"
    " is not released yet."
)


@transaction.atomic
def release_report(
    file: ReportFile, engagement: Engagement, *, reason: str, by: Actor
) -> ReportRelease:
    """Let the auditors of a running audit open the file, each behind its term.

    Raises NotPermitted for who keeps no reports, Refused by field; the audit has to be
    of a system that cites the report and of which `by` is an officer.
    """
    locked = ReportFile.objects.locked(file.pk)
    require_keeper(locked.artifact_version, by)
    refuse_long(reason)
    if not reason.strip():
        raise Refused({"reason": "Say why the auditors need it."})
    if locked.is_removed:
        raise TransitionNotAllowed("The file was removed: there is nothing to open.")
    if engagement not in engagements_to_release_to(locked, by):
        raise Refused({"engagement": CHOOSE_AUDIT})
    release = ReportRelease(
        file=locked, engagement=engagement, released_by_id=by.pk, reason=reason.strip()
    )
    release.full_clean(exclude=["released_by", "known_from"])
    release.save(force_insert=True)
    AuditEvent.objects.append(
        about(
            file,
            "report-file.released",
            by=by,
            engagement=str(engagement.uuid),
            reason=release.reason,
        )
    )
    return release


@transaction.atomic
def take_back(release: ReportRelease, *, by: Actor) -> None:
    """End a release: its auditors open the file no more; what they saw stays recorded.

    Raises NotPermitted, TransitionNotAllowed where it ended before.
    """
    stored = (
        ReportRelease.objects.select_for_update(of=("self",))
        .select_related("engagement", "file")
        .get(pk=release.pk)
    )
    if not may_take_back(stored, by):
        raise NotPermitted("Only an officer of the audited system takes this back.")
    if stored.taken_back_by_id is not None:
        raise TransitionNotAllowed("It was taken back before.")
    stored.taken_back_by_id = by.pk
    stored.version = F("version") + 1
    stored.save(update_fields=["taken_back_by", "version"])
    AuditEvent.objects.append(
        about(
            stored.file,
            "report-file.taken-back",
            by=by,
            engagement=str(stored.engagement.uuid),
        )
    )
    release.refresh_from_db()
