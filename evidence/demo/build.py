"""Builds the demo through the product's own verbs, under the clock of its past.

Deterministic: the same day gives the same rows (but for random identifiers).
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from controls.models import System, User
from controls.reference.updates import adopt, digest_of, preview
from evidence.demo.acknowledged import acknowledge_duties
from evidence.demo.audit import play_audit
from evidence.demo.clock import DAY, instant_of, written_on
from evidence.demo.closed_audit import play_closed_audit
from evidence.demo.days import DESCRIBED, describe_payout_desk, play_days
from evidence.demo.desks import fill_desks
from evidence.demo.documents import (
    import_numbers,
    import_statements,
    register_reports,
)
from evidence.demo.findings import play_findings, play_responses
from evidence.demo.kept import keep_evidence
from evidence.demo.people import engage_auditor, give_installation_roles, make_people
from evidence.demo.populations import play_events
from evidence.demo.reports_held import hold_a_report, scope_by_a_list
from evidence.demo.reports_say import play_remarks, say_a_region_late
from evidence.demo.systems import (
    describe_analytics,
    describe_payments,
    state_controls,
)
from evidence.demo.terms import change_terms, join_asks
from evidence.demo.year import Year
from evidence.notices.gathering import gather_notices

SEEDS = {"payments": 7, "ledger-analytics": 11, "payout-desk": 13}
Progress = Callable[[int, int], None]


def _silent(done: int, total: int) -> None:
    """Tell nobody."""


@transaction.atomic
def build(*, today: dt.date, password: str, progress: Progress = _silent) -> list[User]:
    """The whole demo, or nothing of it; returns the accounts.

    `progress` learns how many of a year's submissions and reviews are done.
    """
    start = today - 400 * DAY
    with written_on(start, 8):
        people, teams = make_people(password)
        give_installation_roles(people, since=instant_of(start, 8))
        payments = describe_payments(people, teams, today, start)
        analytics = describe_analytics(people, teams, today, start)
    systems = (payments, analytics)
    with written_on(start, 9):
        for system in systems:
            state_controls(system, people, _chance(system), start)
    engage_auditor(payments, people, today)
    System.objects.filter(pk__in=[system.pk for system in systems]).update(demo=True)
    register_reports(people, systems, today)
    import_statements(people, payments, today - 120 * DAY)
    import_numbers(people, analytics, today - 120 * DAY)
    desk = describe_payout_desk(people, teams, today)
    with written_on(today - DAY * DESCRIBED, 9):
        state_controls(desk, people, _chance(desk), today - DAY * DESCRIBED)
    System.objects.filter(pk=desk.pk).update(demo=True)
    years = [
        *(Year(system, today, _chance(system)) for system in systems),
        Year(desk, today, _chance(desk), first=today - DAY * DESCRIBED),
    ]
    done, total = 0, sum(len(year) for year in years)
    for year in years:
        for at_once in year.play(people):
            for _ in range(at_once):
                done += 1
                progress(done, total)
    fill_desks(payments, people, teams, today)
    change_terms(payments, people, today)
    join_asks(payments, people, today)
    play_days(analytics, people, today)
    play_remarks(analytics, people, today)
    say_a_region_late(desk, people, today)
    hold_a_report(payments, people, today)
    scope_by_a_list(people, today)
    for system in (*systems, desk):  # the readings were loaded just now
        adopt(system, by=people["olivia"], seen=digest_of(preview(system)))
    acknowledge_duties((payments, analytics), people, teams, today)
    gather_notices(timezone.now())
    play_events(payments, people, today)
    play_findings(payments, people, today)
    play_responses(payments, people, today)
    play_audit(payments, people, today)
    keep_evidence(payments, people, today)
    play_closed_audit(analytics, people, today)
    return list(people.values())


def _chance(system: System) -> random.Random:
    return random.Random(SEEDS[system.slug])  # noqa: S311 - a demo
