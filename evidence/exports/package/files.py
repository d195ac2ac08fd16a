"""The files of evidence in a package: which its reader gets, and their bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.conf import settings

from controls.models import Actor
from evidence.exports.package.archive import BagArchive
from evidence.exports.package.names import file_name
from evidence.exports.rows.readers import NOT_VISIBLE, OTHER_TEAMS_FILE
from evidence.exports.rows.scope import ExportScope, NotWhole
from evidence.files.clearance import reason_withheld
from evidence.files.who_may import may_open
from evidence.models import Blob, EvidenceFile, Population, ReportFile
from evidence.models.evidence import Sensitivity
from evidence.models.files import UNSCANNED, ScanState
from evidence.storage import Store, Withheld, open_store, refuse_broken_off

PIECE = 1 << 20  # bytes read at once
REPORT = "The file of a provider's report"
RESTRICTED = "Withheld: the evidence is restricted."
MISSING = (
    "The package was not made: “{name}” ({sha256}) is not in the evidence store. Ask an"
    " administrator to run evidence_fsck."
)
CORRUPT = (
    "The package was not made: “{name}” is not what was uploaded; its sha256 should be"
    " {sha256}. Ask an administrator to run evidence_fsck."
)


@dataclass(frozen=True)
class Placed:
    """Where a file lies in the package; without a path, why it does not."""

    path: str
    withheld: str = ""


@dataclass
class Files:
    """Writes each file once, however many controls rest on it.

    `withheld` holds name, sha256 and reason of those that are not in the package.
    """

    scope: ExportScope
    archive: BagArchive
    withheld: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    _store: Store = field(default_factory=open_store)
    _placed: dict[str, str] = field(default_factory=dict)  # path by digest

    def place(self, folders: Mapping[int, str]) -> Mapping[int, Placed]:
        """Put files of evidence, by their keys, into their folders; where each lies.

        Two statements, however many there are. Raises NotWhole for bytes that are
        missing or are not what was uploaded.
        """
        files = EvidenceFile.objects.for_opening().in_bulk(folders)
        reasons = self._reasons(files)
        return {
            key: self._put(
                files[key].blob, files[key].name, folder, reasons.get(key, "")
            )
            for key, folder in folders.items()
        }

    def place_population(self, population: Population) -> Placed | None:
        """The file that a population was read from; None where it was typed in."""
        blob, reader = population.blob, self.scope.reader
        if blob is None:
            return None
        name = f"population-{population.starts}-{population.ends}"
        reason = ""
        visible = Population.objects.filter(pk=population.pk)
        if reader and not visible.visible_to(reader).exists():
            reason = NOT_VISIBLE
        elif blob.is_removed_in(self.scope.system.pk):
            reason = f"“{name}” {blob.fate()}"
        elif settings.CLAMAV_URL and blob.scan_state in UNSCANNED:
            reason = f"“{name}” {UNSCANNED[ScanState(blob.scan_state)]}."
        ending = ".xlsx" if "spreadsheet" in blob.media_type else ".csv"
        return self._put(blob, f"{name}{ending}", "data/populations", reason)

    def place_report(self, file: ReportFile, folder: str, reason: str) -> Placed:
        """The file of a provider's report; with a reason its hash alone is named."""
        if reason:
            self.withheld[file.sha256] = REPORT, file.sha256, reason
            return Placed("", reason)
        return self._put(file.blob, file.name, folder, "")

    def _reasons(self, files: Mapping[int, EvidenceFile]) -> dict[int, str]:
        """Why some of them are withheld from the reader, by their keys."""
        reader = self.scope.reader
        if reader is None:
            return {key: file.obstacle() for key, file in files.items()}
        visible = set(
            EvidenceFile.objects.visible_to(reader)
            .filter(pk__in=files)
            .values_list("pk", flat=True)
        )
        return {
            key: _reason(file, reader) if key in visible else NOT_VISIBLE
            for key, file in files.items()
        }

    def _put(self, blob: Blob, name: str, folder: str, reason: str) -> Placed:
        if reason == NOT_VISIBLE:
            name = OTHER_TEAMS_FILE
        if reason:
            self.withheld[blob.sha256] = name, blob.sha256, reason
            return Placed("", reason)
        if blob.sha256 in self._placed:
            return Placed(self._placed[blob.sha256])
        path = f"{folder}/{file_name(name, blob.sha256)}"
        if path in self.archive.members:
            path = f"{folder}/{file_name(name, blob.sha256, whole_digest=True)}"
        written = self.archive.add(path, self._pieces(blob, name))
        if written.sha256 != blob.sha256:  # hashed on its way into the archive
            raise NotWhole(CORRUPT.format(name=name, sha256=blob.sha256))
        self._placed[blob.sha256] = path
        return Placed(path)

    def _pieces(self, blob: Blob, name: str) -> Iterator[bytes]:
        """The bytes as they lie in the store."""
        named = {"name": name, "sha256": blob.sha256}
        with refuse_broken_off():
            try:
                body = self._store.open(blob.sha256)
            except Withheld:
                raise
            except OSError as missing:
                raise NotWhole(MISSING.format(**named)) from missing
            with body:
                while piece := body.read(PIECE):
                    yield piece


def _reason(file: EvidenceFile, reader: Actor) -> str:
    restricted = file.revision.evidence.sensitivity == Sensitivity.RESTRICTED
    if restricted and not may_open(file, reader):
        return RESTRICTED
    return reason_withheld(reader, file)
