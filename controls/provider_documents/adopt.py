"""A provider's responsibility document adopted and ended, by two officers each (R32).

Its class may take a half away from us, so nobody lets it rule alone; without it the
template may do the same. One officer asks, the change waits among those in retrospect,
and another one decides.
"""

from __future__ import annotations

import datetime as dt
import uuid as uuids
from collections.abc import Iterable

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
from controls.responsibility.decide import redecide, rulings_due
from controls.retrospect import (
    Fact,
    first_day_of,
    lapse_undecided,
    request_change,
)

KIND = "provider-document"
MAX_NAMED = 20  # controls named in what waits; the page of the document lists all


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
    earlier = _followed(document)
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


def _followed(document: ProviderDocument) -> ProviderDocument | None:
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
    stored = _locked(document)
    require_officer(stored.system, by)
    _refuse_ended(stored)
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


def _refuse_ended(stored: ProviderDocument) -> None:
    if stored.state == DocumentState.ENDED:
        raise TransitionNotAllowed(f"It has ended on {stored.ended_on}.")
    if stored.state != DocumentState.CURRENT:
        raise TransitionNotAllowed("It does not rule: two officers adopt it first.")


def document_of(change: RetrospectiveChange) -> ProviderDocument:
    """The document that a change adopts or ends."""
    return ProviderDocument.objects.get(
        system=change.system_id, uuid=change.body["document"]
    )


def explain(change: RetrospectiveChange) -> Iterable[Fact]:
    """What is to hold, with the controls that have another class by it."""
    document, body = document_of(change), change.body
    yield "Document", str(document)
    if "ended_on" in body:
        yield "It counts no more from", body["ended_on"]
    else:
        yield "Its classes rule from", str(document.starts_on)
        yield "SHA-256 of the file", document.sha256
    differing = list(document.statements.differing().for_listing()[: MAX_NAMED + 1])
    named = [
        f"{row.implementation.control.label} {row.template_class}"
        f" by our template, {row.responsibility} by the document"
        for row in differing[:MAX_NAMED]
    ]
    if len(differing) > MAX_NAMED:
        named.append("and others, listed on the page of the document")
    yield "Where they differ", "; ".join(named) or "Nowhere."
    if document.left_out and "ended_on" not in body:
        left_out = document.left_out[:MAX_NAMED]
        if len(document.left_out) > MAX_NAMED:
            left_out.append("And more, listed on the page of the document.")
        yield "What was left out of it", " ".join(left_out)


def carry_out(change: RetrospectiveChange, *, by: Actor) -> dt.date:
    """Let the document rule, or end it; returns the first day on which classes may be
    others. The system is locked. Raises TransitionNotAllowed where what was asked for
    cannot hold any more."""
    stored = _locked(document_of(change))
    before = rulings_due(stored.system)
    if "ended_on" in change.body:
        first, what = _end_on_approval(stored, change, by), "Ended"
    else:
        first, what = _adopt_on_approval(stored, change, by), "Adopted"
    redecide(
        stored.system,
        by=by,
        reason=f"{what}: {stored}",
        before=before,
        change=change if change.lies_back else None,
        agreed=True,
    )
    return first


def _adopt_on_approval(
    stored: ProviderDocument, change: RetrospectiveChange, by: Actor
) -> dt.date:
    if stored.state != DocumentState.WAITING:
        raise TransitionNotAllowed("This document does not wait any more.")
    earlier = _followed(stored)
    if change.body["follows"] != (str(earlier.uuid) if earlier else ""):
        since = "Another document of this title is current since this was asked for."
        if earlier is None:
            since = "The document that it follows has ended since this was asked for."
        raise TransitionNotAllowed(f"{since} Refuse this one, and ask for it again.")
    if earlier is not None:
        _end(earlier, stored.starts_on, change, by)
    stored.state = DocumentState.CURRENT
    stored.save(update_fields=["state"])
    AuditEvent.objects.append(about(stored, "provider-document.adopted", by=by))
    return stored.starts_on


def _end_on_approval(
    stored: ProviderDocument, change: RetrospectiveChange, by: Actor
) -> dt.date:
    _refuse_ended(stored)
    first = dt.date.fromisoformat(change.body["ended_on"])
    _end(stored, first, change, by)
    return first


def _end(
    document: ProviderDocument, on: dt.date, change: RetrospectiveChange, by: Actor
) -> None:
    document.state, document.ended_on = DocumentState.ENDED, on
    document.ending = change
    document.clean_fields()
    document.validate_constraints()
    document.save(update_fields=["state", "ended_on", "ending"])
    AuditEvent.objects.append(
        about(document, "provider-document.ended", by=by, on=str(on))
    )


def _locked(document: ProviderDocument) -> ProviderDocument:
    """The document, locked after its system."""
    System.objects.select_for_update(of=("self",)).get(pk=document.system_id)
    locked = ProviderDocument.objects.select_for_update(of=("self",))
    return locked.select_related("system").get(pk=document.pk)
