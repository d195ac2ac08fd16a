"""Providers' documents adopted and ended, with the requirements that follow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from controls.models import (
    Actor,
    ControlImplementation,
    ProviderDocument,
    ProviderStatement,
    System,
)
from controls.provider_documents.adopt import adopt, end_document
from controls.provider_documents.rows import Statements
from evidence.requirements.from_templates import ask_for_all
from evidence.status.clocks import Clocks
from evidence.status.control_page import as_known

TEMPLATE_HEADER = ("Control ID", "Responsibility", "Description", "Title")


@transaction.atomic
def adopt_document(
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
    """Adopt the document, and ask for proof where a half is newly ours.

    `leave_out`: without the lines that could not be placed.
    """
    document = adopt(
        system,
        read,
        title=title,
        reference=reference,
        starts_on=starts_on,
        by=by,
        today=today,
        leave_out=leave_out,
    )
    ask_for_all(system, by=by, since=max(starts_on, system.window_start))
    return document


@transaction.atomic
def end_provider_document(
    document: ProviderDocument, *, ended_on: dt.date, by: Actor
) -> None:
    """End the document, and ask for proof where a half is ours again."""
    end_document(document, on=ended_on, by=by)
    system = document.system
    ask_for_all(system, by=by, since=max(ended_on, system.window_start))


def template_rows(system: System) -> Iterable[tuple[str, ...]]:
    """The lines of the file to fill in: one per control, class and wording empty."""
    yield TEMPLATE_HEADER
    rows = system.implementations.in_catalog_order()
    for label, title in rows.values_list("control__label", "control__title"):
        yield label, "", "", title


@dataclass(frozen=True)
class StatementShown:
    """What a document that speaks on the page's day says of the control."""

    document: ProviderDocument
    statement: ProviderStatement


def statements_shown(
    implementation: ControlImplementation, clocks: Clocks
) -> list[StatementShown]:
    """Statements on the day, as known then; the one that rules comes first."""
    documents = as_known(
        ProviderDocument.objects.filter(statements__implementation=implementation),
        clocks.moment.known_at,
    )
    speaking = {d.pk: d for d in documents if d.speaks_on(clocks.moment.on)}
    statements = ProviderStatement.objects.filter(
        implementation=implementation, document__in=list(speaking)
    ).order_by("-document__starts_on", "-document_id")
    return [
        StatementShown(speaking[statement.document_id], statement)
        for statement in statements
    ]
