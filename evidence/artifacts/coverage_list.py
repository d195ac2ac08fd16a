"""The coverage of a report by a CSV or XLSX list: read, seen, then confirmed once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import BinaryIO

from controls.errors import Refused, TransitionNotAllowed
from controls.idempotency import KeyedRequest, first_use
from controls.models import Actor
from controls.sealed_previews import seal, unseal
from controls.spreadsheets import Place
from evidence.artifacts.coverage import (
    MAX_LINES,
    CoverageChange,
    record_coverage,
    require_open_coverage,
)
from evidence.artifacts.coverage_targets import (
    CoverageEntry,
    CoverageTargets,
    label_of_line,
)
from evidence.artifacts.sheets import SheetForm, SheetList, SheetRowError, read_list
from evidence.models import ArtifactVersion, CoverageOrigin
from evidence.models.coverage import MAX_NUMBER, MAX_PAGE, MAX_SECTION

SALT = "coverage of a report"
AGAIN = "Send the list again."
COLUMNS = ("Control", "Section", "Page", "Provider's own number")
FORM = SheetForm(
    (
        ("control", ("control", "nist", "800-53")),
        ("section", ("section", "chapter")),
        ("page", ("page",)),
        ("provider_control", ("provider", "own number", "aws")),
    ),
    {"section": MAX_SECTION, "page": MAX_PAGE, "provider_control": MAX_NUMBER},
    MAX_LINES,
)


@dataclass(frozen=True)
class CoveragePreviewRow:
    """What one line would do: `come`, `change`, or `stay` as it is."""

    label: str
    entry: CoverageEntry
    effect: str


@dataclass(frozen=True)
class CoveragePreview:
    """What a list would make of the lines of a report; with errors, nothing."""

    rows: tuple[CoveragePreviewRow, ...]
    errors: tuple[SheetRowError, ...]

    def number_of(self, effect: str) -> int:
        """How many lines would have this effect."""
        return sum(row.effect == effect for row in self.rows)

    @property
    def coming(self) -> int:
        """How many lines would come."""
        return self.number_of("come")

    @property
    def changing(self) -> int:
        """How many lines would say something else."""
        return self.number_of("change")


def read_coverage(file: BinaryIO, name: str) -> SheetList:
    """Lines out of a CSV or XLSX file. Raises Refused as `read_list`."""
    return read_list(file, name, FORM)


def preview_coverage(
    version: ArtifactVersion, read: SheetList, *, by: Actor
) -> CoveragePreview:
    """What a list would make of the lines. Writes nothing. Raises NotPermitted,
    TransitionNotAllowed."""
    require_open_coverage(version, by=by)
    targets = CoverageTargets(row.cells["control"] for row in read.rows)
    lines = {(one.control_id, one.part): one for one in version.coverage_lines.all()}
    errors, shown = list(read.errors), []
    first: dict[tuple[int, str], Place] = {}
    for row in read.rows:
        entry, place = CoverageEntry(**row.cells), row.place("control")
        try:
            target = targets.target(entry.control)
        except Refused as refusal:
            errors.append(SheetRowError(place, " ".join(refusal.messages)))
            continue
        key = (target.control.pk, target.part)
        if key in first:
            sentence = f"{target.label} stands in {first[key]} already."
            errors.append(SheetRowError(place, sentence))
            continue
        first[key] = place
        line = lines.get(key)
        effect = "come"
        if line is not None:
            same = (line.section, line.page, line.provider_control) == (
                entry.section,
                entry.page,
                entry.provider_control,
            )
            effect = "stay" if same and line.confirmed_by_id else "change"
        shown.append(CoveragePreviewRow(target.label, entry, effect))
    errors.sort(key=lambda error: error.place.line)
    return CoveragePreview(tuple(shown), tuple(errors))


def sealed_coverage(
    version: ArtifactVersion, preview: CoveragePreview, *, by: Actor
) -> str:
    """What was shown, as a text that who asked may confirm once within an hour.

    Raises Refused where a line is wrong or none would change anything.
    """
    if preview.errors:
        raise Refused("Mend the lines that are not understood, and send it again.")
    if not preview.coming + preview.changing:
        raise Refused("Every line of the list is recorded already.")
    body = {
        "rows": [list(asdict(row.entry).values()) for row in preview.rows],
        "before": _state(version),
    }
    return seal(SALT, version.pk, body, by=by)


def _state(version: ArtifactVersion) -> list[int]:
    """Changes whenever a line comes, goes or says something else."""
    versions = version.coverage_lines.order_by("pk").values_list("pk", "version")
    numbers = [number for row in versions for number in row]
    return [len(numbers), sum(n * (place + 1) for place, n in enumerate(numbers))]


def import_coverage(
    version: ArtifactVersion, token: str, *, by: Actor
) -> CoverageChange:
    """Record what the preview of the token showed; confirmed again, the same answer.

    Raises NotPermitted, TransitionNotAllowed when the token is too old, another
    person's, or the lines changed since.
    """
    require_open_coverage(version, by=by)
    verb = f"import coverage of report {version.pk}"
    with first_use(KeyedRequest.of_preview(by, verb, token)) as key:
        if key.answered:
            return CoverageChange(*json.loads(key.body))
        body = unseal(SALT, token, version.pk, by=by, again=AGAIN)
        reports = ArtifactVersion.objects.select_for_update(of=("self",))
        stored = reports.get(pk=version.pk)
        if _state(stored) != body["before"]:
            raise TransitionNotAllowed(f"The lines changed since. {AGAIN}")
        entries = [CoverageEntry(*row) for row in body["rows"]]
        change = record_coverage(stored, entries, origin=CoverageOrigin.LIST, by=by)
        key.answer_with(200, body=json.dumps([change.added, change.changed]))
    return change


def template_rows(
    version: ArtifactVersion, proposals: Sequence[str]
) -> list[tuple[str, ...]]:
    """The headings and the lines of the report; of none, a line for each proposal."""
    lines = [
        (label_of_line(line), line.section, line.page, line.provider_control)
        for line in version.coverage_lines.for_listing()
    ]
    empty = [(label, "", "", "") for label in proposals]
    return [COLUMNS, *(lines or empty)]
