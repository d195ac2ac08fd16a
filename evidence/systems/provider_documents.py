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
    RetrospectiveChange,
    System,
)
from controls.provider_documents.adopt import KIND
from controls.provider_documents.approval import carry_out, explain
from controls.retrospect import applies
from evidence.requirements.from_templates import ask_for_all
from evidence.status.clocks import Clocks
from evidence.status.control_page import as_known

TEMPLATE_HEADER = ("Control ID", "Responsibility", "Description", "Title")


@applies(KIND, name="A provider's document", explain=explain)
@transaction.atomic
def change_what_rules(
    change: RetrospectiveChange, *, by: Actor, today: dt.date
) -> None:
    """Let a document rule or count no more, and ask for proof where a half is ours by
    that."""
    first, system = carry_out(change, by=by), change.system
    ask_for_all(system, by=by, since=max(first, system.window_start))


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
