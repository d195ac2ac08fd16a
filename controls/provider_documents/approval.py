"""What a second officer's approval of a provider's document does (R32): it rules, or it
has ended.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from controls.errors import TransitionNotAllowed
from controls.models import Actor, AuditEvent, ProviderDocument, RetrospectiveChange
from controls.models.audit import about
from controls.models.statements import DocumentState
from controls.provider_documents.adopt import followed, lock_document, refuse_ended
from controls.responsibility.decide import redecide, rulings_due
from controls.retrospect import Fact

MAX_NAMED = 20  # controls named in what waits; the page of the document lists all


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
    stored = lock_document(document_of(change))
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
    earlier = followed(stored)
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
    refuse_ended(stored)
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
