"""A provider's responsibility document held against the template; writes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from controls.control_ids import label_of
from controls.errors import Refused
from controls.models import Control, ControlImplementation, System
from controls.provider_documents.rows import StatementRow, StatementRowError, Statements
from controls.responsibility.rulings import template_classes

SHOWN_ERRORS = 100
MAX_NAMED = 40  # controls, in one sentence
# Longest first: a sheet for LI-SaaS is none for Low.
LEVELS = ("li-saas", "moderate", "high", "low")


@dataclass(frozen=True)
class StatementComparison:
    """One control with the document's class beside that of the template."""

    implementation: ControlImplementation
    responsibility: str
    template_class: str
    text: str

    @property
    def differs(self) -> bool:
        """Whether the two say different classes."""
        return self.responsibility != self.template_class


@dataclass(frozen=True)
class DocumentPreview:
    """What adopting would say.

    `outside`: ids of controls not in the baseline. `errors`: lines that could not be
    placed, of reading and of comparing. `withheld`: ids of controls of which such a
    line speaks; nothing is stated of them. `left_out`: sentences about what else of
    the file was not read.
    """

    stated: tuple[StatementComparison, ...]
    outside: tuple[str, ...]
    errors: tuple[StatementRowError, ...]
    withheld: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def differences(self) -> list[StatementComparison]:
        """Only where document and template disagree, in catalog order."""
        return [comparison for comparison in self.stated if comparison.differs]


def preview(system: System, read: Statements, *, today: dt.date) -> DocumentPreview:
    """A file held against the system's controls and the template's classes of `today`.

    A control that the catalog does not know, or that is named twice, is an error;
    one that it knows but the baseline leaves out is put aside, and so is one that was
    withdrawn from the catalog: a file of another revision names some. Of a workbook
    with sheets for several baselines only those of the system's own are read. Writes
    nothing.
    """
    ours = {
        implementation.control.ref_id: implementation
        for implementation in system.implementations.select_related("control").order_by(
            "pk"
        )
    }
    other_sheets = _sheets_of_other_baselines(system, read.rows)
    rows = [row for row in read.rows if row.place.sheet not in other_sheets]
    errors = [e for e in read.errors if e.place.sheet not in other_sheets]
    known = _known_controls(system)
    once, more_errors = _once_each(known, rows)
    errors += more_errors
    withheld = dict.fromkeys(error.control_id for error in errors if error.control_id)
    stated_rows = {ref: row for ref, row in once.items() if ref not in withheld}
    classes = template_classes(system, (i.control for i in ours.values()), today)
    stated = [
        StatementComparison(
            ours[ref], row.responsibility, classes[ours[ref].control_id], row.text
        )
        for ref, row in stated_rows.items()
        if ref in ours
    ]
    stated.sort(key=lambda comparison: comparison.implementation.control.sort_order)
    return DocumentPreview(
        tuple(stated),
        outside=tuple(
            ref for ref in stated_rows if ref not in ours and not known[ref].withdrawn
        ),
        errors=tuple(errors),
        withheld=tuple(ref for ref in withheld if ref in ours),
        left_out=(
            *read.left_out,
            *(f"Sheet “{title}” is for another baseline." for title in other_sheets),
            *_other_revisions(system, known, rows),
        ),
    )


def _sheets_of_other_baselines(
    system: System, rows: Iterable[StatementRow]
) -> list[str]:
    """Titles of sheets for other baselines, where there is one for the system's."""
    levels = {row.place.sheet: _level_in(row.place.sheet) for row in rows}
    ours = _level_in(system.baseline.slug) or system.impact_level
    if ours not in levels.values():
        return []
    return [title for title, level in levels.items() if level not in {"", ours}]


def _level_in(words: str) -> str:
    """The baseline that a title or slug names; empty where it names none."""
    return next((level for level in LEVELS if level in words.lower()), "")


def _known_controls(system: System) -> dict[str, Control]:
    """The controls of the system's catalog by their ids, the withdrawn ones too."""
    rows = Control.objects.filter(catalog__baselines=system.baseline_id)
    return {
        control.ref_id: control
        for control in rows.only("ref_id", "family", "withdrawn").order_by("pk")
    }


def _other_revisions(
    system: System, known: Mapping[str, Control], rows: Iterable[StatementRow]
) -> Iterator[str]:
    """Sentences about controls of an earlier and of a newer revision of the catalog.

    A control that the catalog does not know may be of a newer one where it knows its
    family; else it is a slip of the pen.
    """
    named = dict.fromkeys(row.control_id for row in rows)
    families = {control.family for control in known.values()}
    catalog = system.baseline.catalog
    if withdrawn := [ref for ref in named if ref in known and known[ref].withdrawn]:
        yield (
            f"Withdrawn from {catalog}: {_listed(withdrawn)}. Nothing is said of"
            f" {'it' if len(withdrawn) == 1 else 'them'}; the file may be of an earlier"
            " revision."
        )
    if newer := [
        ref for ref in named if ref not in known and ref.split("-")[0] in families
    ]:
        yield f"Not in {catalog}: {_listed(newer)}. A newer revision may have it."


def _listed(ref_ids: Sequence[str]) -> str:
    labels = ", ".join(label_of(ref) for ref in ref_ids[:MAX_NAMED])
    more = len(ref_ids) - MAX_NAMED
    return f"{labels} and {more} more" if more > 0 else labels


def _once_each(
    known: Mapping[str, Control], rows: Iterable[StatementRow]
) -> tuple[dict[str, StatementRow], list[StatementRowError]]:
    """The one row of each control, and the rows that are one too many."""
    first: dict[str, StatementRow] = {}
    errors = []
    for row in rows:
        if row.control_id not in known:
            message = f"there is no control {label_of(row.control_id)} in the catalog."
            errors.append(StatementRowError(row.place, message))
        elif row.control_id in first:
            before = first[row.control_id].place
            message = f"{label_of(row.control_id)} was said before, at {before}."
            errors.append(StatementRowError(row.place, message, row.control_id))
        else:
            first[row.control_id] = row
    return first, errors


def require_all_read(compared: DocumentPreview, *, leave_out: bool) -> None:
    """Raise Refused, naming lines, unless one control is stated and all else is read
    or may be left out."""
    if compared.errors and not leave_out:
        sentences = [str(error) for error in compared.errors[:SHOWN_ERRORS]]
        if len(compared.errors) > SHOWN_ERRORS:
            sentences.append(f"And {len(compared.errors) - SHOWN_ERRORS} more.")
        raise Refused({"file": sentences})
    if not compared.stated:
        raise Refused({"file": "The file speaks of no control of this system."})


def left_out_of(system: System, compared: DocumentPreview) -> list[str]:
    """Every line, control, sheet and column that the document was adopted without."""
    sentences = [str(error) for error in compared.errors]
    if compared.withheld:
        controls = ", ".join(label_of(ref) for ref in compared.withheld)
        sentences.append(f"Because of these lines nothing is said of {controls}.")
    if compared.outside:
        controls = ", ".join(label_of(ref) for ref in compared.outside)
        sentences.append(f"Not in {system.baseline.title}: {controls}.")
    return [*sentences, *compared.left_out]
