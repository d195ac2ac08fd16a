"""What a report speaks to: lines by control or part, kept by registrars (R24).

A line says where the report speaks to a control, in the user's words. A line that was
copied from the report before, or proposed for the kind of report, is nobody's word
until a person has confirmed it. A system cites from confirmed lines; no line moves
anything by itself. One file: all of it happens under the lock of the report's row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from controls.errors import Refused, StaleVersion, TransitionNotAllowed
from controls.models import Actor, AuditEvent, Control
from controls.models.audit import about
from evidence.artifacts.coverage_targets import (
    CoverageEntry,
    CoverageTarget,
    CoverageTargets,
    label_of_line,
)
from evidence.artifacts.register import refuse_withdrawn, require_registrar
from evidence.models import Artifact, ArtifactVersion, CoverageLine, CoverageOrigin
from evidence.models.artifacts import ArtifactVersionState

MAX_LINES = 5_000  # of one report
SHOWN = 20  # names in one sentence


@dataclass(frozen=True)
class CoverageChange:
    """How many lines came, and how many now say something else."""

    added: int
    changed: int


def require_open_coverage(version: ArtifactVersion, *, by: Actor) -> None:
    """Raise NotPermitted unless `by` keeps the register, TransitionNotAllowed for a
    report that its auditor withdrew: none of its words counts any more (R20)."""
    require_registrar(by)
    refuse_withdrawn(version, "its coverage stays as it is")


def _locked(version: ArtifactVersion, by: Actor) -> ArtifactVersion:
    """The report's row is the lock of its lines."""
    reports = ArtifactVersion.objects.select_for_update(of=("self",))
    stored = reports.select_related("artifact").get(pk=version.pk)
    require_open_coverage(stored, by=by)
    return stored


@transaction.atomic
def record_coverage(
    version: ArtifactVersion,
    entries: Sequence[CoverageEntry],
    *,
    origin: str = CoverageOrigin.TYPED,
    by: Actor,
) -> CoverageChange:
    """Save lines that a person says; one that is there says what was said last.

    Raises NotPermitted, TransitionNotAllowed, Refused for what no control is, for one
    named twice, for none and for more than MAX_LINES.
    """
    stored = _locked(version, by)
    if not entries:
        raise Refused({"controls": "Name the controls that the report speaks to."})
    targets = CoverageTargets(entry.control for entry in entries)
    named: dict[tuple[int, str], tuple[CoverageTarget, CoverageEntry]] = {}
    for entry in entries:
        try:
            target = targets.target(entry.control)
        except Refused as refusal:
            raise Refused({"controls": refusal.messages}) from refusal
        key = (target.control.pk, target.part)
        if key in named:
            raise Refused({"controls": f"{target.label} is named twice."})
        named[key] = (target, entry)
    lines = {(line.control_id, line.part): line for line in stored.coverage_lines.all()}
    if len(lines.keys() | named.keys()) > MAX_LINES:
        raise Refused({"controls": f"A report has at most {MAX_LINES:,} lines."})
    added, changed = [], []
    for key, (target, entry) in named.items():
        line = lines.get(key)
        if line is None:
            added.append(_line(stored, target.control, target.part, entry, origin, by))
        elif line.confirmed_by_id is None or _differs(line, entry):
            changed.append(_changed(line, entry, origin, by))
    for line in [*added, *changed]:
        line.clean_fields()
    CoverageLine.objects.bulk_create(added)
    for line in changed:
        line.save()
    if added or changed:
        _note(stored, "recorded", by, added=_labels(added), changed=_labels(changed))
    return CoverageChange(len(added), len(changed))


def _line(
    version: ArtifactVersion,
    control: Control,
    part: str,
    entry: CoverageEntry,
    origin: str,
    by: Actor,
) -> CoverageLine:
    places = {name: text for name, text in asdict(entry).items() if name != "control"}
    return CoverageLine(
        artifact_version=version,
        control=control,
        part=part,
        origin=origin,
        recorded_by=by,
        confirmed_by=by,
        **places,
    )


def _differs(line: CoverageLine, entry: CoverageEntry) -> bool:
    words_before = (line.section, line.page, line.provider_control)
    return words_before != (entry.section, entry.page, entry.provider_control)


def _changed(
    line: CoverageLine, entry: CoverageEntry, origin: str, by: Actor
) -> CoverageLine:
    line.section, line.page = entry.section, entry.page
    line.provider_control = entry.provider_control
    line.origin, line.recorded_by, line.confirmed_by = origin, by, by
    line.confirm_reason = ""
    line.version += 1
    return line


def _labels(lines: Iterable[CoverageLine]) -> list[str]:
    return [label_of_line(line) for line in lines]


def _note(version: ArtifactVersion, verb: str, by: Actor, **body: Any) -> None:
    AuditEvent.objects.append(about(version, f"coverage.{verb}", by=by, **body))


def version_before(version: ArtifactVersion) -> ArtifactVersion | None:
    """The newest earlier report of the series that has lines which somebody stands
    for, and that its auditor did not withdraw."""
    lines = CoverageLine.objects.confirmed().filter(artifact_version=OuterRef("pk"))
    earlier = ArtifactVersion.objects.filter(
        Exists(lines), artifact=version.artifact_id, starts__lt=version.starts
    )
    earlier = earlier.exclude(state=ArtifactVersionState.WITHDRAWN)
    return earlier.select_related("artifact").order_by("-starts", "-pk").first()


@transaction.atomic
def copy_coverage(version: ArtifactVersion, *, by: Actor) -> int:
    """Copy the confirmed lines of the report before, as lines to be confirmed; how
    many came. What has a line already stays as it is. Raises Refused where no report
    before it has any, or nothing of it is left to copy."""
    stored = _locked(version, by)
    before = version_before(stored)
    if before is None:
        raise Refused("No report before this one has a confirmed line to copy.")
    known = set(stored.coverage_lines.values_list("control_id", "part"))
    copies = [
        CoverageLine(
            artifact_version=stored,
            control=line.control,
            part=line.part,
            section=line.section,
            page=line.page,
            provider_control=line.provider_control,
            origin=CoverageOrigin.COPIED,
            recorded_by=by,
        )
        for line in before.coverage_lines.confirmed().for_listing()
        if (line.control_id, line.part) not in known
    ]
    if not copies:
        raise Refused(f"Every line of {before} is here already.")
    CoverageLine.objects.bulk_create(copies)
    _note(stored, "copied", by, of=str(before.uuid), lines=_labels(copies))
    return len(copies)


@transaction.atomic
def add_proposals(
    version: ArtifactVersion, ref_ids: Sequence[str], *, by: Actor
) -> int:
    """Save proposed controls as lines to be confirmed; how many came. Raises Refused
    where nothing of it is left to propose."""
    stored = _locked(version, by)
    known = set(stored.coverage_lines.filter(part="").values_list("control", flat=True))
    targets = CoverageTargets(ref_ids)
    controls = [targets.target(ref_id).control for ref_id in ref_ids]
    lines = [
        CoverageLine(
            artifact_version=stored,
            control=control,
            origin=CoverageOrigin.PROPOSED,
            recorded_by=by,
        )
        for control in dict.fromkeys(controls)
        if control.pk not in known
    ]
    if not lines:
        raise Refused("Every proposed control has a line already.")
    CoverageLine.objects.bulk_create(lines)
    _note(stored, "proposed", by, lines=_labels(lines))
    return len(lines)


@transaction.atomic
def confirm_coverage(
    version: ArtifactVersion,
    shown_versions: Mapping[str, int],
    *,
    reason: str,
    by: Actor,
) -> int:
    """Stand for lines, by uuid with the version that was shown; how many.

    Raises Refused without a reason or a line, StaleVersion for one that changed since,
    TransitionNotAllowed for one that is confirmed.
    """
    stored = _locked(version, by)
    if not reason.strip():
        sentence = "Say why: what you read in this report, and where."
        raise Refused({"reason": sentence})
    lines = _chosen(stored, shown_versions)
    done = [label_of_line(line) for line in lines if line.confirmed_by_id]
    if done:
        named = ", ".join(done[:SHOWN])
        raise TransitionNotAllowed(f"These lines are confirmed already: {named}.")
    CoverageLine.objects.filter(pk__in=[line.pk for line in lines]).update(
        confirmed_by=by, confirm_reason=reason.strip(), version=F("version") + 1
    )
    _note(stored, "confirmed", by, reason=reason.strip(), lines=_labels(lines))
    return len(lines)


@transaction.atomic
def remove_coverage(
    version: ArtifactVersion, shown_versions: Mapping[str, int], *, by: Actor
) -> int:
    """Take lines out, by uuid with the version that was shown; how many. Citations
    stay: they belong to systems. Raises Refused, StaleVersion."""
    stored = _locked(version, by)
    lines = _chosen(stored, shown_versions)
    _note(stored, "removed", by, lines=_labels(lines))
    CoverageLine.objects.filter(pk__in=[line.pk for line in lines]).delete()
    return len(lines)


def _chosen(
    version: ArtifactVersion, shown_versions: Mapping[str, int]
) -> list[CoverageLine]:
    if not shown_versions:
        raise Refused({"lines": "Tick the lines that you mean."})
    lines = list(
        version.coverage_lines.filter(uuid__in=list(shown_versions)).for_listing()
    )
    if len(lines) != len(shown_versions) or any(
        line.version != shown_versions[str(line.uuid)] for line in lines
    ):
        raise StaleVersion("These lines changed since you saw them. Look again.")
    return lines


def confirmed_lines(artifact: Artifact) -> QuerySet[CoverageLine]:
    """What somebody stands for that reports of a series speak to; not of one that its
    auditor withdrew."""
    lines = CoverageLine.objects.confirmed()
    lines = lines.filter(artifact_version__artifact=artifact)
    withdrawn = ArtifactVersionState.WITHDRAWN
    return lines.exclude(artifact_version__state=withdrawn)


def unnamed_by_coverage(
    cited: Collection[tuple[int, Control]],
) -> set[tuple[int, int]]:
    """Those of some series (keys) and controls, as keys, where what is recorded that
    the series speaks to names other controls of the catalog and not this one (R24).

    Where nothing is recorded of a catalog, nothing is known. One statement.
    """
    catalogs = {control.pk: control.catalog_id for _, control in cited}
    lines = CoverageLine.objects.confirmed().exclude(
        artifact_version__state=ArtifactVersionState.WITHDRAWN
    )
    rows = lines.filter(
        artifact_version__artifact__in={series for series, _ in cited},
        control__catalog__in=set(catalogs.values()),
    ).values_list("artifact_version__artifact", "control", "control__catalog")
    named, recorded = set(), set()
    for series, control, catalog in rows.order_by().distinct():
        named.add((series, control))
        recorded.add((series, catalog))
    return {
        (series, control.pk)
        for series, control in cited
        if (series, control.catalog_id) in recorded
        and (series, control.pk) not in named
    }


def places_by_control(
    artifact: Artifact, control_pks: Collection[int]
) -> dict[int, str]:
    """Where a series speaks to controls, by key: the words of the newest report that
    has a confirmed line for it. One statement."""
    ordered = (
        confirmed_lines(artifact)
        .filter(control__in=control_pks)
        .select_related("artifact_version")
        .order_by("-artifact_version__starts", "-artifact_version", "part", "pk")
    )
    newest: dict[int, int] = {}
    places: dict[int, list[str]] = {}
    for line in ordered:
        report = newest.setdefault(line.control_id, line.artifact_version_id)
        if report == line.artifact_version_id and line.where:
            places.setdefault(line.control_id, []).append(line.where)
    return {pk: "; ".join(dict.fromkeys(where)) for pk, where in places.items()}
