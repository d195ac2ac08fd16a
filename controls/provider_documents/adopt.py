"""A provider's responsibility document: its adoption and its end are asked for (R32).

Its class may take a half away from us, so nobody lets it rule alone; without it the
template may do the same. One officer asks, the change waits among those in retrospect,
and another one decides (`approval.py`).
"""

from __future__ import annotations

import datetime as dt
import uuid as uuids

from django.db import transaction

from controls.access import require_officer
from controls.errors import Refused, TransitionNotAllowed
from controls.models import (
    Actor,
    AuditEvent,
    ProviderDocument,
    ProviderStatement,
    RetrospectiveChange,
    System,
)
from controls.models.audit import about
from controls.models.statements import DocumentState
from controls.provider_documents.compare import (
    StatementComparison,
    left_out_of,
    preview,
    require_all_read,
)
from controls.provider_documents.rows import Statements
from controls.reasons import refuse_long
from controls.retrospect import (
    first_day_of,
    lapse_undecided,
    request_change,
)

KIND = "provider-document"


@transaction.atomic
def request_adoption(
    system: System,
    read: Statements,
    *,
    title: str,
    reference: str,
    starts_on: dt.date,
    by: Actor,
    today: dt.date,
    leave_out: bool = False,
    reason: str = "",
) -> ProviderDocument:
    """Ask that a document rules over the template from `starts_on`; it waits.

    All of it or nothing; with `leave_out` all but the lines that could not be placed
    and the controls that they speak of, which the document names. Once approved, a
    current document of the same title ends on that day. Raises NotPermitted for all
    but officers, Refused where a line is wrong or the earlier one starts later,
    TransitionNotAllowed while one of this title waits.
    """
    locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    require_officer(locked, by)
    lapse_undecided(locked, today)  # what nobody can decide any more holds up nothing
    compared = preview(locked, read, today=today)
    require_all_read(compared, leave_out=leave_out)
    refuse_long(reason)
    document = ProviderDocument(
        system=locked,
        imported_by=by,
        uuid=uuids.uuid4(),
        title=title.strip(),
        reference=reference.strip(),
        starts_on=starts_on,
        file_name=read.name[-200:],
        sha256=read.sha256,
        left_out=left_out_of(locked, compared),
    )
    document.full_clean(exclude=["system", "imported_by", "change", "ending"])
    earlier = followed(document)
    if waiting := locked.provider_documents.waiting().titled(title).first():
        raise TransitionNotAllowed(
            f"“{waiting}” waits for a second officer: it is decided first."
        )
    document.change = request_change(
        locked,
        kind=KIND,
        body={
            "document": str(document.uuid),
            "follows": str(earlier.uuid) if earlier else "",
        },
        first_day=max(starts_on, first_day_of(locked)),
        reason=reason.strip() or f"The provider's own document: {document}.",
        by=by,
        today=today,
    )
    document.save(force_insert=True)
    ProviderStatement.objects.bulk_create(
        [_statement(document, comparison) for comparison in compared.stated],
        batch_size=1000,
    )
    AuditEvent.objects.append(
        about(
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
    )
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


def followed(document: ProviderDocument) -> ProviderDocument | None:
    """The current document that this one follows, locked. Raises Refused where that
    one starts no earlier."""
    earlier = (
        ProviderDocument.objects.select_for_update(of=("self",))
        .filter(system=document.system)
        .current()
        .titled(document.title)
        .first()
    )
    if earlier is not None and document.starts_on <= earlier.starts_on:
        raise Refused(
            {
                "starts_on": f"“{earlier}” is current from {earlier.starts_on}: this"
                " one must start later, or that one be ended first."
            }
        )
    return earlier


@transaction.atomic
def request_end(
    document: ProviderDocument,
    *,
    ended_on: dt.date,
    reason: str,
    by: Actor,
    today: dt.date,
) -> RetrospectiveChange:
    """Ask that from `ended_on` the document counts no more: the template holds again.

    Raises NotPermitted, TransitionNotAllowed for one that does not rule or whose end
    is asked for already, Refused for a day before its start and without a reason.
    """
    lapse_undecided(document.system, today)
    stored = lock_document(document)
    require_officer(stored.system, by)
    refuse_ended(stored)
    if ended_on < stored.starts_on:
        raise Refused({"ended_on": "A document cannot end before it starts."})
    ends = stored.system.retrospective_changes.waiting().filter(
        kind=KIND, body__document=str(stored.uuid), body__has_key="ended_on"
    )
    if waiting := ends.select_related("requested_by").first():
        raise TransitionNotAllowed(
            f"{waiting.requested_by} has already asked for its end."
        )
    if not reason.strip():
        raise Refused({"reason": "Say why it ends."})
    change = request_change(
        stored.system,
        kind=KIND,
        body={"document": str(stored.uuid), "ended_on": str(ended_on)},
        first_day=max(ended_on, first_day_of(stored.system)),
        reason=reason,
        by=by,
        today=today,
    )
    AuditEvent.objects.append(
        about(
            stored,
            "provider-document.end-requested",
            by=by,
            reason=change.reason,
            on=str(ended_on),
        )
    )
    return change


def refuse_ended(stored: ProviderDocument) -> None:
    """Raise TransitionNotAllowed unless the document rules."""
    if stored.state == DocumentState.ENDED:
        raise TransitionNotAllowed(f"It has ended on {stored.ended_on}.")
    if stored.state != DocumentState.CURRENT:
        raise TransitionNotAllowed("It does not rule: two officers adopt it first.")


def lock_document(document: ProviderDocument) -> ProviderDocument:
    """The document, locked after its system."""
    System.objects.select_for_update(of=("self",)).get(pk=document.system_id)
    documents = ProviderDocument.objects.select_for_update(of=("self",))
    return documents.select_related("system").get(pk=document.pk)
