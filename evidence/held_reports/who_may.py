"""Who keeps the file of a report, and who may open it: one rule for every door.

Keepers are registrars, and officers of systems that cite the series. Keepers open it;
so do auditors of an engagement to which it was released, while they audit there.
"""

from __future__ import annotations

from django.db.models import Q

from controls.access import may_keep_register
from controls.errors import NotPermitted
from controls.models import Actor, Engagement, Membership, Role, System
from evidence.models import ArtifactVersion, Citation, ReportFile, ReportRelease

KEEPERS_ONLY = (
    "Only registrars of reports, and officers of systems that cite this report, keep"
    " its file."
)
NOT_OPENED = (
    "This file is confidential: registrars of reports and officers of systems that cite"
    " it open it, and auditors once it was released to their audit."
)


def is_keeper(version: ArtifactVersion, by: Actor) -> bool:
    """Whether `by` may hold, open, clear, release and remove the file of a report."""
    return may_keep_register(by) or bool(_officered(version, by))


def _officered(version: ArtifactVersion, by: Actor) -> list[int]:
    """Systems (keys) that cite the series and of which `by` is an officer."""
    citing = Citation.objects.filter(artifact=version.artifact_id).order_by()
    mine = System.objects.officered_by(by).filter(pk__in=citing.values("system"))
    return list(mine.order_by().values_list("pk", flat=True))


def require_keeper(version: ArtifactVersion, by: Actor) -> None:
    """Raise NotPermitted unless `by` keeps the file of this report."""
    if not is_keeper(version, by):
        raise NotPermitted(KEEPERS_ONLY)


def may_open_report(file: ReportFile, by: Actor) -> bool:
    """Whether `by` may open the file: keepers, and auditors it was released to."""
    return is_keeper(file.artifact_version, by) or is_released_to(file, by)


def is_released_to(file: ReportFile, by: Actor) -> bool:
    """Whether `by` audits, today, where the file was released."""
    audits = Membership.objects.active().filter(user=by.pk, role=Role.AUDITOR)
    released = ReportRelease.objects.standing().filter(
        file=file.pk, engagement__in=audits.order_by().values("engagement")
    )
    return bool(released.exists())


def require_report_opener(file: ReportFile, by: Actor) -> None:
    """Raise NotPermitted unless `by` may open the file."""
    if not may_open_report(file, by):
        raise NotPermitted(NOT_OPENED)


def may_clear_report(file: ReportFile, by: Actor) -> bool:
    """Whether `by` is a keeper who did not bring the file, nor its bytes (R32)."""
    return is_keeper(file.artifact_version, by) and not _brought(file, by)


def require_report_clearer(file: ReportFile, by: Actor) -> None:
    """Raise NotPermitted unless `by` may let a flagged file pass."""
    require_keeper(file.artifact_version, by)
    if _brought(file, by):
        raise NotPermitted("You brought this file; somebody else must clear it.")


def _brought(file: ReportFile, by: Actor) -> bool:
    same = ReportFile.objects.filter(Q(pk=file.pk) | Q(blob=file.blob_id))
    return bool(same.filter(held_by=by.pk).exists())


def engagements_to_release_to(file: ReportFile, by: Actor) -> list[Engagement]:
    """Running audits of systems that cite the report and of which `by` is an officer,
    and to which it is not released yet."""
    running = Engagement.objects.filter(
        system__in=_officered(file.artifact_version, by), ended_at=None
    )
    standing = ReportRelease.objects.standing().filter(file=file.pk).order_by()
    rows = running.exclude(pk__in=standing.values("engagement"))
    return list(rows.select_related("system").order_by("system__name", "pk"))


def may_take_back(release: ReportRelease, by: Actor) -> bool:
    """Whether `by` may end a release: officers of the audit's system, registrars."""
    if may_keep_register(by):
        return True
    mine = System.objects.officered_by(by)
    return bool(mine.filter(pk=release.engagement.system_id).exists())
