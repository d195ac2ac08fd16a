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
    """What adopting would say. `outside`: ids of controls not in the baseline."""

    stated: tuple[StatementComparison, ...]
    outside: tuple[str, ...]
    errors: tuple[StatementRowError, ...]

    @property
    def differences(self) -> list[StatementComparison]:
        """Only where document and template disagree, in catalog order."""
        return [comparison for comparison in self.stated if comparison.differs]


def preview(
    system: System, rows: Iterable[StatementRow], *, today: dt.date
) -> DocumentPreview:
    """Rows held against the system's controls and the template's classes of `today`.

    A control that the catalog does not know, or that is named twice, is an error;
    one that it knows but the baseline leaves out is put aside. Writes nothing.
    """
    ours = {
        implementation.control.ref_id: implementation
        for implementation in system.implementations.select_related("control").order_by(
            "pk"
        )
    }
    known = set(
        Control.objects.filter(catalog__baselines=system.baseline_id).values_list(
            "ref_id", flat=True
        )
    )
    first: dict[str, StatementRow] = {}
    errors: list[StatementRowError] = []
    for row in rows:
        if row.control_id not in known:
            message = f"there is no control {row.control_id.upper()} in the catalog."
            errors.append(StatementRowError(row.place, message))
        elif row.control_id in first:
            message = f"{row.control_id.upper()} was said before, at {{}}."
            before = first[row.control_id].place
            errors.append(StatementRowError(row.place, message.format(before)))
        else:
            first[row.control_id] = row
    classes = template_classes(system, (i.control for i in ours.values()), today)
    stated = [
        StatementComparison(
            ours[ref], row.responsibility, classes[ours[ref].control_id], row.text
        )
        for ref, row in first.items()
        if ref in ours
    ]
    stated.sort(key=lambda comparison: comparison.implementation.control.sort_order)
    outside = tuple(ref for ref in first if ref not in ours)
    return DocumentPreview(tuple(stated), outside, tuple(errors))


def _require_all_read(read: Statements, compared: DocumentPreview) -> None:
    """Raise Refused, naming lines, unless every line was understood and one is ours."""
    errors = [*read.errors, *compared.errors]
    if errors:
        sentences = [str(error) for error in errors[:SHOWN_ERRORS]]
        if len(errors) > SHOWN_ERRORS:
            sentences.append(f"And {len(errors) - SHOWN_ERRORS} more.")
        raise Refused({"file": sentences})
    if not compared.stated:
        raise Refused({"file": "The file speaks of no control of this system."})


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
) -> ProviderDocument:
    """Let a document rule over the template from `starts_on`; all of it or nothing.

    A current document of the same title ends on that day. Raises NotPermitted for
    all but officers, Refused where a line is wrong or the earlier one starts later.
    """
    locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    require_officer(locked, by)
    compared = preview(locked, read.rows, today=today)
    _require_all_read(read, compared)
    document = ProviderDocument(
        system=locked,
        imported_by=by,
        title=title.strip(),
        reference=reference.strip(),
        starts_on=starts_on,
        file_name=read.name[-200:],
        sha256=read.sha256,
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
