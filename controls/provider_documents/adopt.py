"""A provider's responsibility document: compared with the template, adopted, ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from controls.access import require_officer
from controls.errors import Refused, TransitionNotAllowed
from controls.models import (
    Actor,
    AuditEvent,
    Control,
    ControlImplementation,
    ProviderDocument,
    ProviderStatement,
    System,
)
from controls.models.audit import Event, about
from controls.models.statements import DocumentState
from controls.provider_documents.rows import StatementRow, StatementRowError, Statements
from controls.responsibility.decide import redecide
from controls.responsibility.rulings import template_classes

SHOWN_ERRORS = 100
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
    one that it knows but the baseline leaves out is put aside. Of a workbook with
    sheets for several baselines only those of the system's own are read. Writes
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
    once, more_errors = _once_each(system, rows)
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
        outside=tuple(ref for ref in stated_rows if ref not in ours),
        errors=tuple(errors),
        withheld=tuple(ref for ref in withheld if ref in ours),
        left_out=(
            *read.left_out,
            *(f"Sheet “{title}” is for another baseline." for title in other_sheets),
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


def _once_each(
    system: System, rows: Iterable[StatementRow]
) -> tuple[dict[str, StatementRow], list[StatementRowError]]:
    """The one row of each control, and the rows that are one too many."""
    known = set(
        Control.objects.filter(catalog__baselines=system.baseline_id).values_list(
            "ref_id", flat=True
        )
    )
    first: dict[str, StatementRow] = {}
    errors = []
    for row in rows:
        if row.control_id not in known:
            message = f"there is no control {row.control_id.upper()} in the catalog."
            errors.append(StatementRowError(row.place, message))
        elif row.control_id in first:
            before = first[row.control_id].place
            message = f"{row.control_id.upper()} was said before, at {before}."
            errors.append(StatementRowError(row.place, message, row.control_id))
        else:
            first[row.control_id] = row
    return first, errors


def _require_all_read(compared: DocumentPreview, *, leave_out: bool) -> None:
    """Raise Refused, naming lines, unless one control is stated and all else is read
    or may be left out."""
    if compared.errors and not leave_out:
        sentences = [str(error) for error in compared.errors[:SHOWN_ERRORS]]
        if len(compared.errors) > SHOWN_ERRORS:
            sentences.append(f"And {len(compared.errors) - SHOWN_ERRORS} more.")
        raise Refused({"file": sentences})
    if not compared.stated:
        raise Refused({"file": "The file speaks of no control of this system."})


def _left_out(system: System, compared: DocumentPreview) -> list[str]:
    """Every line, control, sheet and column that the document was adopted without."""
    sentences = [str(error) for error in compared.errors]
    if compared.withheld:
        controls = ", ".join(ref.upper() for ref in compared.withheld)
        sentences.append(f"Because of these lines nothing is said of {controls}.")
    if compared.outside:
        controls = ", ".join(ref.upper() for ref in compared.outside)
        sentences.append(f"Not in {system.baseline.title}: {controls}.")
    return [*sentences, *compared.left_out]


@transaction.atomic
def adopt(
    system: System,
    read: Statements,
    *,
    title: str,
    reference: str,
    starts_on: dt.date,
    by: Actor,
    today: dt.date,
    leave_out: bool = False,
) -> ProviderDocument:
    """Let a document rule over the template from `starts_on`.

    All of it or nothing; with `leave_out` all but the lines that could not be placed
    and the controls that they speak of, which the document names. A current document
    of the same title ends on that day. Raises NotPermitted for all but officers,
    Refused where a line is wrong or the earlier one starts later.
    """
    locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    require_officer(locked, by)
    compared = preview(locked, read, today=today)
    _require_all_read(compared, leave_out=leave_out)
    document = ProviderDocument(
        system=locked,
        imported_by=by,
        title=title.strip(),
        reference=reference.strip(),
        starts_on=starts_on,
        file_name=read.name[-200:],
        sha256=read.sha256,
        left_out=_left_out(locked, compared),
    )
    events = _end_earlier(document, by)
    document.full_clean(exclude=["system", "imported_by"])
    document.save(force_insert=True)
    ProviderStatement.objects.bulk_create(
        [_statement(document, comparison) for comparison in compared.stated],
        batch_size=1000,
    )
    redecide(locked, by=by, reason=f"Imported: {document}")
    events.append(_imported(document, compared, by))
    AuditEvent.objects.append_all(events)
    return document


def _statement(
    document: ProviderDocument, comparison: StatementComparison
) -> ProviderStatement:
    return ProviderStatement(
        document=document,
        implementation=comparison.implementation,
        responsibility=comparison.responsibility,
        template_class=comparison.template_class,
        text=comparison.text,
    )


def _imported(
    document: ProviderDocument, compared: DocumentPreview, by: Actor
) -> Event:
    return about(
        document,
        "provider-document.imported",
        by=by,
        sha256=document.sha256,
        starts_on=str(document.starts_on),
        statements=len(compared.stated),
        differing=len(compared.differences),
        outside=len(compared.outside),
        left_out=len(compared.errors),
    )


def _end_earlier(document: ProviderDocument, by: Actor) -> list[Event]:
    """End the current document that the new one follows, if there is one."""
    earlier = (
        ProviderDocument.objects.select_for_update(of=("self",))
        .filter(system=document.system)
        .current()
        .titled(document.title)
        .first()
    )
    if earlier is None:
        return []
    if document.starts_on <= earlier.starts_on:
        raise Refused(
            {
                "starts_on": f"“{earlier}” is current from {earlier.starts_on}: this"
                " one must start later, or that one be ended first."
            }
        )
    return [_end(earlier, document.starts_on, by)]


def _end(document: ProviderDocument, on: dt.date, by: Actor) -> Event:
    document.state, document.ended_on = DocumentState.ENDED, on
    document.clean_fields()
    document.validate_constraints()
    document.save(update_fields=["state", "ended_on"])
    return about(document, "provider-document.ended", by=by, on=str(on))


@transaction.atomic
def end_document(document: ProviderDocument, *, on: dt.date, by: Actor) -> None:
    """From `on` the document counts no more: the template holds again.

    Raises NotPermitted, TransitionNotAllowed when it has ended, ValidationError when
    `on` lies before its start.
    """
    System.objects.select_for_update(of=("self",)).get(pk=document.system_id)
    stored = (
        ProviderDocument.objects.select_for_update(of=("self",))
        .select_related("system")
        .get(pk=document.pk)
    )
    require_officer(stored.system, by)
    if stored.state != DocumentState.CURRENT:
        raise TransitionNotAllowed(f"It has ended on {stored.ended_on}.")
    event = _end(stored, on, by)
    redecide(stored.system, by=by, reason=f"Ended: {stored}")
    AuditEvent.objects.append(event)
    document.refresh_from_db()
