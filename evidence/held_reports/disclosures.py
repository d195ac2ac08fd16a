"""Every viewing, download and recipient of a report: rows that nobody changes (R27)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db import transaction
from django.db.models import QuerySet

from controls.errors import Refused
from controls.history.clock import knowledge_now
from controls.models import Actor, AuditEvent
from controls.models.audit import about
from controls.reasons import refuse_long
from evidence.held_reports.who_may import require_keeper
from evidence.models import ArtifactVersion, DisclosureRecord, ReportFile
from evidence.models.disclosures import DisclosureKind

MAX_NAME = 200  # characters
COLUMNS = (
    "report", "file", "sha256", "day", "time_utc", "kind", "page", "person",
    "recipient", "firm", "reason", "agreement",
)  # fmt: skip
VERBS = {
    DisclosureKind.VIEWED: "report-file.viewed",
    DisclosureKind.DOWNLOADED: "report-file.downloaded",
}
WANTED = {
    "recipient": "Say who was given the copy.",
    "firm": "Say of which firm.",
    "reason": "Say why.",
    "agreement": "Say under which agreement it may be passed on.",
}


@transaction.atomic
def record_disclosure(
    file: ReportFile,
    kind: DisclosureKind,
    *,
    by: Actor,
    page: int = 0,
    reason: str = "",
) -> DisclosureRecord:
    """Somebody saw the file: a row and its event, before the bytes leave; `reason` says
    in what else they leave."""
    row = _written(
        DisclosureRecord(
            artifact_version_id=file.artifact_version_id,
            file=file,
            person_id=by.pk,
            person_name=str(by),
            kind=kind,
            page=page,
            reason=reason,
            disclosed_on=_today(),
        )
    )
    body = {"sha256": file.sha256, "disclosure": str(row.uuid)}
    if page:
        body["page"] = str(page)
    if reason:
        body["reason"] = reason
    AuditEvent.objects.append(about(file, VERBS[kind], by=by, **body))
    return row


@transaction.atomic
def record_recipient(
    version: ArtifactVersion,
    *,
    recipient: str,
    firm: str,
    given_on: dt.date,
    reason: str,
    agreement: str,
    file: ReportFile | None = None,
    by: Actor,
) -> DisclosureRecord:
    """Write down whom a copy was given outside, when, why, under which agreement.

    Raises NotPermitted unless `by` keeps the report's file, Refused by field.
    """
    require_keeper(version, by)
    typed = {
        "recipient": recipient.strip(),
        "firm": firm.strip(),
        "reason": reason.strip(),
        "agreement": agreement.strip(),
    }
    refuse_long(reason)
    missing = {name: WANTED[name] for name, text in typed.items() if not text}
    for name in ("recipient", "firm", "agreement"):
        if len(typed[name]) > MAX_NAME:
            missing[name] = f"At most {MAX_NAME} characters."
    if given_on > _today():
        missing["given_on"] = "That day has not come: write it down when it is given."
    if file is not None and file.artifact_version_id != version.pk:
        missing["file"] = "That file belongs to another report."
    if missing:
        raise Refused(missing)
    row = _written(
        DisclosureRecord(
            artifact_version=version,
            file=file,
            person_id=by.pk,
            person_name=str(by),
            kind=DisclosureKind.GIVEN,
            disclosed_on=given_on,
            **typed,
        )
    )
    event_body = {name: typed[name] for name in typed} | {"on": str(given_on)}
    AuditEvent.objects.append(
        about(row, "report.given", by=by, report=str(version.uuid), **event_body)
    )
    return row


def _written(row: DisclosureRecord) -> DisclosureRecord:
    row.full_clean(exclude=["person", "file", "known_from"])
    row.save(force_insert=True)
    return row


def _today() -> dt.date:
    """Today in UTC: reports belong to the installation, not to one system."""
    return knowledge_now().astimezone(dt.UTC).date()


def disclosures_of(version: ArtifactVersion) -> QuerySet[DisclosureRecord]:
    """All of one report, in the order in which they were written."""
    rows = DisclosureRecord.objects.filter(artifact_version=version)
    return rows.select_related("file", "person", "artifact_version__artifact")


def disclosure_cells(version: ArtifactVersion) -> Iterator[list[str]]:
    """The rows of the list as text, in the order of COLUMNS; read as they are taken."""
    for row in disclosures_of(version).order_by("pk").iterator(chunk_size=500):
        yield cells_of(row)


def cells_of(row: DisclosureRecord) -> list[str]:
    """One row as text, in the order of COLUMNS."""
    return [
        str(row.artifact_version),
        row.file.name if row.file else "",
        row.file.sha256 if row.file else "",
        str(row.disclosed_on),
        f"{row.known_from:%H:%M:%S}" if row.kind != DisclosureKind.GIVEN else "",
        row.get_kind_display(),
        str(row.page or ""),
        row.person_name,
        row.recipient,
        row.firm,
        row.reason,
        row.agreement,
    ]
