"""Services ended and others begun on one day, in one step: what a comparison becomes.

One end, one start, one derivation and one event for all of it. Every door shows what
follows before anything is written, by taking the step and rolling it back, so that the
very rules answer; its token counts once, for who asked, for an hour, and only
while nothing it showed has changed. Days before today: two officers (R31).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from controls.access import require_officer
from controls.errors import Refused, TransitionNotAllowed
from controls.idempotency import KeyedRequest, first_use
from controls.models import (
    Actor,
    AuditEvent,
    RetrospectiveChange,
    ServiceVariant,
    System,
)
from controls.models.audit import about
from controls.reasons import refuse_long
from controls.responsibility.decide import redecide, rulings_due
from controls.retrospect import applies, first_day_of, request_change
from controls.sealed_previews import seal, unseal
from controls.service_names import variant_label
from evidence.models import RequirementControl
from evidence.requirements.from_templates import proposed
from evidence.systems.describe import alters_the_past
from evidence.systems.service_uses import (
    ChangeOfServices,
    ending_uses,
    name_of,
    opened,
    starting_uses,
    write_uses,
)
from evidence.systems.what_follows import Consequences, Standing, what_turned

KIND = "services"  # of change in retrospect
SALT = "evidence.service-change"
AGAIN = "Look at it again."
CHANGED_MEANWHILE = (
    "The system changed since this was shown. Below is what follows now; nothing was"
    " done yet."
)


@dataclass(frozen=True)
class Confirmed:
    """What confirming made: the change in retrospect that waits, "" where it is done,
    and how many controls were decided anew."""

    retrospective: str
    controls: int


def preview(
    system: System, change: ChangeOfServices, *, by: Actor, today: dt.date
) -> tuple[Consequences, str]:
    """What would follow, and the token to confirm it with. Changes nothing.

    `today` is the system's day. Raises NotPermitted, Refused.
    """
    with transaction.atomic():
        locked = _locked(system)
        require_officer(locked, by)
        consequences = _carry_out(locked, change, by=by, reason=AGAIN, today=today)
        transaction.set_rollback(True)
    body = change.as_json() | {"shown": consequences.digest}
    return consequences, seal(SALT, system.pk, body, by=by)


def confirm(
    system: System, token: str, *, reason: str, by: Actor, today: dt.date
) -> Confirmed:
    """Make the change that the preview showed, or ask the second officer for it where
    days before today are altered (R31). Confirmed again it is the same answer.

    Raises NotPermitted; Refused without a reason; TransitionNotAllowed for a token
    that is too old or another person's, and where something else would follow by now.
    """
    require_officer(system, by)
    verb = f"change the services of system {system.pk}"
    with first_use(KeyedRequest.of_preview(by, verb, token)) as key:
        if key.answered:
            return Confirmed(**json.loads(key.body))
        body = unseal(SALT, token, system.pk, by=by, again=AGAIN)
        refuse_long(reason)
        if not reason.strip():
            raise Refused({"reason": "Say why the services change."})
        done = _confirmed(system, body, reason=reason.strip(), by=by, today=today)
        key.answer_with(200, body=json.dumps(asdict(done)))
    return done


def _confirmed(
    system: System, body: Mapping[str, Any], *, reason: str, by: Actor, today: dt.date
) -> Confirmed:
    locked = _locked(system)
    require_officer(locked, by)
    change = opened(body)
    with transaction.atomic():
        try:
            consequences = _carry_out(locked, change, by=by, reason=reason, today=today)
        except Refused as refusal:  # it could be done when it was shown
            raise TransitionNotAllowed(
                f"{' '.join(refusal.messages)} {AGAIN}"
            ) from refusal
        if consequences.digest != body["shown"]:
            raise TransitionNotAllowed(CHANGED_MEANWHILE)
        transaction.set_rollback(consequences.in_retrospect)
    if not consequences.in_retrospect:
        _record(locked, consequences, by=by, reason=reason)
        return Confirmed("", consequences.decided)
    requested = request_change(
        locked,
        kind=KIND,
        body=change.as_json(),
        first_day=change.first_day,
        reason=reason,
        by=by,
        today=today,
    )
    return Confirmed(str(requested.uuid), consequences.decided)


def _words(change: RetrospectiveChange) -> list[tuple[str, str]]:
    """What a change in retrospect says, in plain words."""
    services = opened(change.body)
    before = services.first_day - dt.timedelta(days=1)
    words = []
    if services.ending:
        words.append((f"In use until {before}", _listed(services.ending)))
    if services.starting:
        words.append(
            (f"In use from {services.first_day} on", _listed(services.starting))
        )
    if services.regions and services.starting:
        words.append(("Regions", ", ".join(services.regions)))
    return words


def _listed(variants: Iterable[ServiceVariant]) -> str:
    return ", ".join(variant_label(variant) for variant in variants)


@applies(KIND, name="Services ended and begun", explain=_words)
@transaction.atomic
def change_in_retrospect(
    change: RetrospectiveChange, *, by: Actor, today: dt.date
) -> None:
    """Let the services have been others from an earlier day on; classes follow."""
    system = change.system
    consequences = _carry_out(
        system,
        opened(change.body),
        by=by,
        reason=change.reason,
        today=today,
        approved=change,
    )
    _record(system, consequences, by=by, reason=change.reason)


def _record(
    system: System, consequences: Consequences, *, by: Actor, reason: str
) -> None:
    """The one event of a change."""
    AuditEvent.objects.append(
        about(
            system,
            "services.changed",
            by=by,
            reason=reason,
            first_day=consequences.first_day,
            ended=[name for _, name, _ in consequences.ended],
            started=consequences.started,
            controls=consequences.decided,
            requirements=consequences.asks,
            voided=[list(row) for row in consequences.voided],
        )
    )


def _locked(system: System) -> System:
    return System.objects.select_for_update(of=("self",)).get(pk=system.pk)


def _carry_out(
    system: System,
    change: ChangeOfServices,
    *,
    by: Actor,
    reason: str,
    today: dt.date,
    approved: RetrospectiveChange | None = None,
) -> Consequences:
    """Do all of it in the system, locked before, and say what followed; no event.

    A constant number of statements, but for one check of each service that begins.
    """
    day = change.first_day
    first = first_day_of(system)
    if day < first:
        raise Refused({"first_day": f"The system's first day is {first}."})
    before = Standing.of(system, day)
    ends, begins = ending_uses(system, change), starting_uses(system, change)
    lies_back = day < today and (
        bool(ends) or any(alters_the_past(component, today) for component in begins)
    )
    due = rulings_due(system)
    write_uses(ends, begins, day, approved)
    decided = redecide(
        system,
        by=by,
        reason=reason,
        before=due,
        change=approved,
        agreed=lies_back,
        part_of_event=True,
        today=today,
    )
    after = Standing.of(system, day)
    asks = proposed(system, since=max(day, system.window_start), classes=after.ruled)
    if asks:
        RequirementControl.objects.add_with_asks(asks)
    return Consequences(
        first_day=str(day),
        in_retrospect=lies_back,
        ended=[(str(c.uuid), name_of(c), c.version) for c in ends],
        started=[name_of(component) for component in begins],
        decided=decided,
        asks=[f"{row.implementation.control.label}: {row.title}" for row in asks],
        **what_turned(system, before, after, day, today),
    )
