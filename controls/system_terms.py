"""What a system is judged by changes from a day on, by two officers.

Other terms prove by the same reports: a longer currency or a lower impact level turns
a lapse green, so nobody decides that alone. Source: rules R20 to R22 and R31.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F, Q

from controls.access import require_officer
from controls.approvals import refuse_stale
from controls.errors import Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent, RetrospectiveChange, System, SystemTerms
from controls.models.audit import about
from controls.models.system_terms import SYSTEM_TERMS
from controls.models.systems import Partition, partition_of
from controls.reasons import refuse_long
from controls.retrospect import Fact, applies, request_change

KIND = "system-terms"
MAX_CURRENCY_DAYS = 366
MAX_LETTER_MONTHS = 12

SHOW_TODAYS = """
UPDATE controls_system AS s SET ({columns}) = ({terms})
  FROM controls_systemterms AS t
 WHERE t.system_id = s.id AND s.id = %(system)s AND t.days @> %(today)s::date
   AND ({own}) IS DISTINCT FROM ({terms})
""".format(
    columns=", ".join(SYSTEM_TERMS),
    terms=", ".join(f"t.{name}" for name in SYSTEM_TERMS),
    own=", ".join(f"s.{name}" for name in SYSTEM_TERMS),
)


def terms_on(system: System, day: dt.date) -> dict[str, Any]:
    """Regime, level, partition, currency and months of letters in force on a day."""
    held = system.terms.in_force(day).first() or system
    return {name: getattr(held, name) for name in SYSTEM_TERMS}


@transaction.atomic
def change_system_terms(
    system: System,
    terms: Mapping[str, Any],
    *,
    from_day: dt.date,
    reason: str,
    by: Actor,
    today: dt.date,
    version: int | None = None,
) -> RetrospectiveChange:
    """Ask a second officer that a system be judged by other terms from a day on.

    `terms` holds some of SYSTEM_TERMS; the others stay as they are in force on that
    day. `today` is the system's day. Raises NotPermitted, StaleVersion, Refused by
    field, and TransitionNotAllowed where nothing would change.
    """
    locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    require_officer(locked, by)
    refuse_stale(locked, version)
    refuse_long(reason)
    if not reason.strip():
        raise Refused({"reason": "Say why it changes."})
    proposed = terms_on(locked, from_day) | dict(terms)
    _refuse_invalid(locked, proposed, from_day)
    return request_change(
        locked,
        kind=KIND,
        body={
            "from_day": str(from_day),
            "terms": proposed,
            "last_row": _last_row(locked),
        },
        first_day=from_day,
        reason=reason,
        by=by,
        today=today,
    )


def show_todays_system_terms(system: System, today: dt.date) -> int:
    """Repeat today's terms on the system's own columns; returns 1 where they differed.
    `today` is the system's day."""
    with connection.cursor() as cursor:
        cursor.execute(SHOW_TODAYS, {"system": system.pk, "today": today})
        return int(cursor.rowcount)


def _last_row(system: System) -> int | None:
    """The newest row of a system's terms: each change writes one."""
    return system.terms.order_by("pk").values_list("pk", flat=True).last()


def _explain(change: RetrospectiveChange) -> Iterable[Fact]:
    """From when, and what the system is to be judged by, in the words of the page."""
    stated = SystemTerms(**change.body["terms"])
    yield "It holds from", change.body["from_day"]
    yield "Regime", stated.get_regime_display()
    yield "Impact level", stated.get_impact_level_display()
    yield "AWS partition", stated.get_partition_display()
    yield "Days of currency", str(stated.currency_days)
    yield "Months of a letter", str(stated.letter_months)


@applies(KIND, name="Regime, impact level, partition or currency", explain=_explain)
def _carry_out(change: RetrospectiveChange, *, by: Actor, today: dt.date) -> None:
    body = change.body
    from_day = dt.date.fromisoformat(body["from_day"])
    locked = System.objects.select_for_update(of=("self",)).get(pk=change.system_id)
    # Requests made before letters had a term of their own say nothing of it.
    proposed = terms_on(locked, from_day) | body["terms"]
    if body["last_row"] != _last_row(locked):
        raise TransitionNotAllowed(
            "What the system is judged by was changed since this was requested. Ask"
            " for it again."
        )
    _refuse_invalid(locked, proposed, from_day)
    _write(
        locked,
        proposed,
        from_day,
        change.reason,
        by=by,
        today=today,
        change=change,
    )


def _write(
    system: System,
    terms: Mapping[str, Any],
    from_day: dt.date,
    reason: str,
    *,
    by: Actor,
    today: dt.date,
    change: RetrospectiveChange,
) -> None:
    """Write terms from a day on; those stated for later days go."""
    before = terms_on(system, from_day)
    if not system.terms.exists():
        SystemTerms(
            system=system, days=DateRange(None, None), **terms_on(system, from_day)
        ).save(force_insert=True)
    replaced = system.terms.select_for_update().filter(
        days__overlap=DateRange(from_day, None)
    )
    for row in replaced.order_by("days"):
        if row.days.lower is None or row.days.lower < from_day:
            row.days = DateRange(row.days.lower, from_day)
            row.save(update_fields=["days"])
        else:
            row.delete()
    SystemTerms(
        system=system,
        days=DateRange(from_day, None),
        stated_by=change.requested_by,
        stated_on=change.requested_on,
        change=change,
        **terms,
    ).save(force_insert=True)
    System.objects.filter(pk=system.pk).update(version=F("version") + 1)
    show_todays_system_terms(system, today)
    AuditEvent.objects.append(
        about(
            system,
            "system.terms-changed",
            by=by,
            reason=reason.strip(),
            from_day=str(from_day),
            before=before,
            after=dict(terms),
            change=str(change.uuid),
        )
    )


def _refuse_invalid(
    system: System, terms: Mapping[str, Any], from_day: dt.date
) -> None:
    """Raise what is wrong with terms that are to hold from a day on."""
    if unknown := sorted(set(terms) - set(SYSTEM_TERMS)):
        raise Refused({unknown[0]: "A system has no such term."})
    SystemTerms(**terms).clean_fields(
        exclude=["system", "stated_by", "change", "days", "stated_on", "known_from"]
    )
    if terms["currency_days"] > MAX_CURRENCY_DAYS:
        sentence = f"A report counts at most {MAX_CURRENCY_DAYS} days after its end."
        raise Refused({"currency_days": sentence})
    if terms["letter_months"] > MAX_LETTER_MONTHS:
        sentence = f"Letters continue a report for at most {MAX_LETTER_MONTHS} months."
        raise Refused({"letter_months": sentence})
    later = system.terms.filter(days__overlap=DateRange(from_day, None))
    same = terms_on(system, from_day) == dict(terms)
    if same and later.count() < 2:
        raise TransitionNotAllowed("These terms hold already.")
    partition = Partition(terms["partition"])
    in_use = system.components.filter(Q(used_until=None) | Q(used_until__gt=from_day))
    aws = in_use.filter(variant__service__provider="aws")
    for regions in aws.values_list("regions", flat=True):
        for code in regions:
            if partition_of(code) != partition:
                sentence = f"{code} is in use and not in {partition.label}."
                raise Refused({"partition": f"{sentence} End that component first."})
