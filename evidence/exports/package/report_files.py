"""Files of held reports that were released to the audit a package is made for (R27).

Who may open such a file, and confirmed its term, has it in the package; of every other
report its facts and its hash stand there, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from evidence.exports.package.files import Files, Placed
from evidence.exports.rows.scope import ExportScope
from evidence.held_reports.disclosures import COLUMNS as DISCLOSURE_COLUMNS
from evidence.held_reports.disclosures import cells_of
from evidence.held_reports.opening import reason_not_opened
from evidence.held_reports.who_may import may_open_report
from evidence.models import DisclosureRecord, ReportFile, ReportRelease

FOLDER = "data/reports"
COLUMNS = (
    "report", "sha256", "bytes", "agreement", "term", "released_on", "released_by",
    "released_because", "file", "withheld",
)  # fmt: skip
__all__ = ["COLUMNS", "DISCLOSURE_COLUMNS", "disclosure_rows", "released_reports"]


@dataclass(frozen=True)
class ReleasedReport:
    """A file that was released to the audit, and where it lies in the package."""

    release: ReportRelease
    file: ReportFile
    placed: Placed

    def cells(self) -> list[str]:
        """Its row of the list; see COLUMNS."""
        file, release = self.file, self.release
        return [
            str(file.artifact_version),
            file.sha256,
            str(file.blob.size_bytes),
            file.agreement,
            file.term,
            f"{release.known_from:%Y-%m-%d}",
            str(release.released_by),
            release.reason,
            self.placed.path,
            self.placed.withheld,
        ]


def released_reports(scope: ExportScope, files: Files) -> list[ReleasedReport]:
    """Those of the audit whose scope it is, placed; `scope.reports` then names the
    files. None without a reader, and none of what is kept for later readers."""
    reader, engagement = scope.reader, scope.filters.get("engagement")
    if reader is None or scope.reports is None or not engagement:
        return []
    standing = ReportRelease.objects.standing().filter(
        engagement__uuid=engagement,
        engagement__system=scope.system,
        known_from__lt=scope.known_at,
    )
    releases = list(standing.select_related("released_by").order_by("pk"))
    held = ReportFile.objects.for_opening().in_bulk([row.file_id for row in releases])
    reports = []
    for release in releases:
        file = held[release.file_id]
        if not may_open_report(file, reader):
            continue  # its hash stands among the facts about reports
        reason = reason_not_opened(file, by=reader)
        placed = files.place_report(file, FOLDER, reason)
        if placed.path:
            scope.reports.append(file.pk)
        reports.append(ReleasedReport(release, file, placed))
    return reports


def disclosure_rows(scope: ExportScope) -> Iterator[list[str]]:
    """Who had seen the files that lie in it, as far as the reader may read that."""
    reader = scope.reader
    if reader is None or not scope.reports:
        return
    rows = DisclosureRecord.objects.visible_to(reader).filter(
        file__in=scope.reports, known_from__lt=scope.known_at
    )
    related = rows.select_related("file", "artifact_version__artifact")
    for row in related.order_by("pk").iterator(chunk_size=500):
        yield cells_of(row)
