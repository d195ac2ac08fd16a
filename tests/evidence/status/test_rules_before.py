"""What the number of the rules before answered is told, with the amended rule (R35)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from evidence.status.facts import (
    EVERYTHING,
    ArtifactVersionFacts,
    RequirementHistory,
    StatedDays,
)
from evidence.status.rules import EDITIONS
from evidence.status.rules_before import (
    NOT_COMPARED,
    TAKEN_BACK,
    Both,
    RuleChange,
    difference,
)
from tests.evidence.scenarios.pure import YEAR, ask, done, performed, since, terms
from tests.evidence.status.neutral import (
    applicability_facts,
    aws_facts,
    control_facts,
    finding_facts,
    former_facts,
    needed_service,
    period_facts,
    population_facts,
    requirement_facts,
    version_facts,
)

D = dt.date
NEXT_YEAR = D(2027, 2, 1)
FOUND = finding_facts("f", severity="low", found_on=D(2026, 5, 4))
ALWAYS = (since(D.min),)
MONTHS = [D(2026, month, 28) for month in range(1, 13)]
ON_TIME = tuple(performed("monthly", day, day, 5) for day in MONTHS)
MONTHLY = ask(terms("monthly", 5), since(D(2026, 1, 1)), *ON_TIME)
SHOWN = requirement_facts(
    "r",
    "Ask",
    "monthly",
    D(2026, 1, 1),
    grace_days=5,
    latest_accepted=replace(ON_TIME[-1], ends=None),
)


def compared(
    *asks: RequirementHistory, day: Any = None, **window: Any
) -> RuleChange | None:
    """The difference of a customer control about 1 February 2027, over 2026."""
    facts = {"customer_required": True, "requirements": asks} | window
    both = Both(day or done(SHOWN), period_facts("ac-2", **facts))
    return difference(both, NEXT_YEAR, *YEAR)


def told(found: RuleChange | None) -> tuple[str, str, tuple[str, ...]]:
    assert found is not None
    return found.before.result, found.today.result, found.rules


def test_a_year_without_fault_is_the_same_by_both():
    assert compared(MONTHLY) is None


def test_r11_days_before_the_first_ask_counted_for_nothing():
    late = ask(terms("monthly", 5), since(D(2026, 8, 20)), *ON_TIME[7:])
    assert told(compared(late)) == ("complete", "exceptions", ("R11",))


def test_r14_a_late_upload_of_a_timely_performance_was_on_time():
    august = replace(ON_TIME[7], uploaded_on=D(2026, 10, 20))
    links = (*ON_TIME[:7], august, *ON_TIME[8:])
    asked = ask(terms("monthly", 5), since(D(2026, 1, 1)), *links)
    found = compared(asked)
    assert told(found) == ("complete", "exceptions", ("R14",))
    assert (found.before.counts, found.today.counts) == (
        (12, 12, 0, 0),
        (12, 11, 1, 0),
    )


def test_r14_the_newest_terms_held_for_all_days():
    """Ten missed months vanished by a change of the cadence; today they are missed."""
    changed = ask(
        [
            terms("monthly", 5, D.min, D(2026, 10, 31)),
            terms("quarterly", 14, D(2026, 11, 1)),
        ],
        since(D(2026, 1, 1)),
    )
    found = compared(changed)
    assert (found.before.counts[0], found.today.counts[0]) == (4, 11)
    assert found.rules == ("R14",)


def test_r10_days_of_not_applicable_excused_no_period_of_the_past():
    months = [month for month in MONTHS if month.month not in {5, 6, 7, 8}]
    links = tuple(performed("monthly", day, day, 5) for day in months)
    asked = ask(terms("monthly", 5), since(D(2026, 1, 1)), *links)
    found = compared(asked, not_applicable=((D(2026, 5, 1), D(2026, 8, 31)),))
    assert (found.before.counts[3], found.today.counts[3]) == (4, 0)
    assert "R10" in found.rules


def test_r10_not_applicable_on_the_day_was_so_for_the_whole_window():
    day = replace(done(SHOWN), applicability=applicability_facts(approved=True))
    found = compared(
        ask(terms("monthly", 5), since(D(2026, 1, 1))),
        day=day,
        not_applicable=(since(D(2027, 1, 1)),),
    )
    assert told(found) == ("nothing", "exceptions", ("R10",))


def test_r28_nobody_has_stated_it_was_implemented():
    day = replace(done(SHOWN), implementation_status="not-stated")
    found = compared(MONTHLY, day=day)
    assert (found.before.verdict, found.today.verdict) == ("proven", "partly")
    assert found.rules == ("R28",)


def test_r28_a_blocked_day_of_a_window_was_not_looked_at():
    partial = (
        StatedDays(D.min, D(2026, 6, 30), "partial"),
        StatedDays(D(2026, 7, 1), D.max, "implemented"),
    )
    found = compared(MONTHLY, stated=partial)
    assert told(found) == ("complete", "exceptions", ("R28",))


def test_r31_what_was_waived_left_no_row():
    before = former_facts(
        "c",
        D(2026, 11, 16),
        D(2026, 11, 18),
        D(2026, 4, 1),
        required=ALWAYS,
        requirements=(ask(terms("weekly", 2), since(D(2026, 1, 1)), uuid="w"),),
    )
    assert told(compared(MONTHLY, former=(before,))) == (
        "complete",
        "exceptions",
        ("R31",),
    )


def test_r34_the_last_day_was_not_looked_at():
    open_finding = replace(done(SHOWN), findings=(FOUND,))
    found = compared(MONTHLY, at_end=open_finding)
    assert told(found) == ("complete", "exceptions", ("R34",))


def test_two_amendments_are_both_named():
    late = ask(terms("monthly", 5), since(D(2026, 8, 20)), *ON_TIME[7:])
    day = replace(done(SHOWN), implementation_status="not-stated")
    found = compared(late, day=day, at_end=replace(done(SHOWN), findings=(FOUND,)))
    assert set(found.rules) >= {"R28"}
    assert (found.before.result, found.today.result) == ("complete", "exceptions")


def test_each_rule_taken_back_is_one_that_the_number_amended():
    taken = {rule for rule, _ in TAKEN_BACK}
    assert taken <= set(EDITIONS[-1].amended)
    assert set(NOT_COMPARED) == set(EDITIONS[-1].amended) - taken


def test_every_amendment_is_compared():
    """R35: none is left out, and each alone changes some answer (below and above)."""
    assert NOT_COMPARED == ()


START = D(2026, 1, 1)


def report(
    uuid: str, title: str, starts: dt.date, ends: dt.date | None, **said: Any
) -> ArtifactVersionFacts:
    """A report that is relied on, of every service and region."""
    kind = said.pop("kind", "period")
    scope = {"services_in_scope": EVERYTHING, "regions_in_scope": EVERYTHING}
    about = scope | {"scheme": "soc2", "reliance": "rely"} | said
    return version_facts(uuid, title, title, kind, "2026", starts, ends, **about)


REPORT = report("r", "SOC 2", START, NEXT_YEAR)


def of_providers(*needed: Any, versions: Any = (REPORT,), **sides: Any) -> Any:
    """The difference of an inherited control about 1 February 2027, over 2026."""
    side = aws_facts(needed=needed, versions=versions, regime="soc2")
    window_side = sides.pop("window", side)
    day = control_facts(
        "pe-3", aws_required=True, aws=side, implementation_status="implemented"
    )
    window = period_facts("pe-3", aws_required=True, aws=window_side)
    today = sides.pop("on", NEXT_YEAR)
    return difference(Both(day, window), today, *YEAR)


def test_r3_a_landlord_was_never_asked():
    cage = needed_service("cage", "site", START, provider="landlord", sites=("FRA1",))
    found = of_providers(needed_service("s3", "region", START, is_global=True), cage)
    assert (found.before.aws_half, found.today.aws_half) == ("proven", "missing")
    assert found.rules == ("R3",)


def test_r20_a_service_without_a_region_was_everywhere():
    found = of_providers(needed_service("s3", "region", START))
    assert (found.before.aws_half, found.today.aws_half) == ("proven", "missing")
    assert found.rules == ("R20",)


def test_r20_our_own_assessment_counted_for_nothing():
    mine = report("m", "Visit", D(2026, 6, 1), None, kind="assessment", scheme="own")
    need = needed_service("s3", "region", START, is_global=True)
    found = of_providers(need, versions=(mine,))
    assert (found.before.aws_half, found.today.aws_half) == ("missing", "proven")
    assert found.rules == ("R20",)


def test_r21_days_that_are_awaited_were_open():
    old = report("r", "SOC 2", START, D(2026, 9, 30))
    need = needed_service("s3", "region", START, is_global=True)
    found = of_providers(need, versions=(old,), on=D(2026, 11, 1))
    assert (found.before.result, found.today.result) == ("exceptions", "running")
    assert found.rules == ("R21",)


def test_r22_a_refused_report_that_was_withdrawn_ended_no_currency():
    old = report("r", "SOC 2", START, D(2026, 12, 1))
    gone = report(
        "g",
        "SOC 2",
        D(2026, 12, 2),
        D(2027, 1, 10),
        reliance="do-not-rely",
        state="withdrawn",
        revoked_on=D(2027, 1, 20),
    )
    need = needed_service("s3", "region", START, is_global=True)
    found = of_providers(need, versions=(old, gone))
    assert (found.before.aws_half, found.today.aws_half) == ("expiring", "lapsed")
    assert found.rules == ("R22",)


def test_r24_a_citation_counted_at_once():
    waiting = replace(REPORT, citation="waiting")
    need = needed_service("s3", "region", START, is_global=True)
    found = of_providers(need, versions=(waiting,))
    assert (found.before.aws_half, found.today.aws_half) == ("proven", "pending")
    assert found.rules == ("R24",)


def test_r13_a_link_proved_to_the_day_that_its_upload_gave_it():
    """The cadence became rarer since: by today's terms it holds longer."""
    held = replace(ON_TIME[-1], ends=D(2027, 4, 14))
    day = done(replace(SHOWN, latest_accepted=held))
    facts = {"customer_required": True, "requirements": (MONTHLY,)}
    both = Both(day, period_facts("ac-2", **facts), {held.link: D(2027, 1, 15)})
    found = difference(both, NEXT_YEAR, *YEAR)
    assert (found.before.customer_half, found.today.customer_half) == (
        "lapsed",
        "proven",
    )
    assert found.rules == ("R13",)


def test_r16_a_population_of_one_day_proved_for_a_year():
    """R16: its own case: 2026-01-15, no rows."""
    one_day = population_facts(D(2026, 1, 15), D(2026, 1, 15), 0, state="accepted")
    events = requirement_facts(
        "r",
        "Leavers",
        "per-event",
        D(2026, 1, 1),
        populations=(one_day,),
        asked_days=((D(2026, 1, 1), NEXT_YEAR),),
    )
    found = compared(MONTHLY, day=done(events))
    assert (found.before.customer_half, found.today.customer_half) == (
        "expiring",
        "missing",
    )
    assert found.rules == ("R16",)
