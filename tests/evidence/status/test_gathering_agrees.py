"""Facts of many controls gathered in SQL agree with one control read by hand."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from controls.models import System, User
from evidence.models import (
    Deviation,
    EvidenceLink,
    LinkState,
    Population,
    PopulationReview,
    Proof,
    RequirementControl,
    Sample,
)
from evidence.populations.event_list import EventRow, Events
from evidence.populations.populations import PopulationStatement, submit_population
from evidence.populations.samples import draw_sample
from evidence.populations.selection import SelectionMethod
from evidence.status.control_status import control_statuses, summary
from evidence.status.day import status, statuses
from evidence.status.gather import Moment, gather
from evidence.status.gather_window import gather_period
from evidence.status.many_systems import tallies
from tests import factories
from tests.evidence.reviews import hands
from tests.factories import set_terms

DAY = dt.date(2026, 9, 15)
YEAR_END = dt.date(2026, 12, 31)
STATES = [LinkState.ACCEPTED, LinkState.SUBMITTED, LinkState.REJECTED, LinkState.DRAFT]


def scatter(system: System, by: User, seed: int) -> None:
    """Links in random states on random days, over all requirements."""
    chance = random.Random(seed)
    for asked in system.requirements.select_related("implementation__system"):
        for number in range(chance.randint(0, 5)):
            day = dt.date(2026, 1, 1) + dt.timedelta(days=chance.randint(0, 320))
            link = factories.make_evidence(
                asked, by=by, performed_on=day, title=f"{asked.pk} {number}"
            )
            state = chance.choice(STATES)
            if state == LinkState.ACCEPTED:
                hands.accepted(link)
            else:
                EvidenceLink.objects.filter(pk=link.pk).update(state=state)
            Proof.objects.follow(link)


def scatter_events(system: System, by: User, reviewer: User, seed: int) -> None:
    """Half of the requirements per event: populations, samples, proof, deviations."""
    chance = random.Random(seed)
    for asked in system.requirements.select_related("implementation__system")[::2]:
        set_terms(RequirementControl.objects.filter(pk=asked.pk), cadence="per-event")
        for _ in range(chance.randint(0, 3)):
            population = _population(asked, by, chance)
            _judged(population, reviewer, chance)
            for _ in range(chance.randint(0, 2) if population.row_count else 0):
                way = SelectionMethod("random", size=2, seed=str(chance.random()))
                sample = draw_sample(
                    population, way, reason="Table", by=factories.administrator()
                )
                _shown(asked, sample, by, chance)


def _population(
    asked: RequirementControl, by: User, chance: random.Random
) -> Population:
    start = dt.date(2026, chance.randint(1, 10), 1)
    end = start + dt.timedelta(days=chance.randint(0, 60))
    number = chance.choice([0, 4])
    said = PopulationStatement(
        "Tickets", "all", start, end, "Totals", none_happened=not number
    )
    rows = [EventRow(n, f"C-{n}", start) for n in range(number)]
    return submit_population(asked, said, Events(rows), by=by, today=YEAR_END)


def _judged(population: Population, reviewer: User, chance: random.Random) -> None:
    decision = chance.choice(["", "accepted", "accepted", "rejected"])
    if not population.row_count:
        decision = chance.choice([decision, "withdrawn"])
    if decision in {"rejected", "withdrawn"} and population.row_count:
        decision = "accepted"  # samples are drawn from what stands
    if decision:
        PopulationReview(
            population=population,
            reviewer=reviewer,
            drawer=population.drawn_by,
            decision=decision,
            reason="x",
            day_confirmed=decision == "accepted",
            day_shown_by="Time stamps" if decision == "accepted" else "",
        ).save(force_insert=True)


def _shown(
    asked: RequirementControl, sample: Sample, by: User, chance: random.Random
) -> None:
    for item in sample.items.all():
        for state in chance.sample(STATES, chance.randint(0, 2)):
            day = dt.date(2026, chance.randint(1, 11), 20)
            title = f"{item.pk} {state}"
            link = factories.make_evidence(asked, by=by, performed_on=day, title=title)
            EvidenceLink.objects.filter(pk=link.pk).update(sample_item=item)
            if state == LinkState.ACCEPTED:
                hands.accepted(link)
            else:
                EvidenceLink.objects.filter(pk=link.pk).update(state=state)
            Proof.objects.follow(link)
        if chance.random() < 0.2:
            Deviation(
                system=sample.system, sample_item=item, recorded_by=by, note="Late"
            ).save(force_insert=True)


def events_by_hand(asked: RequirementControl) -> list[tuple[object, ...]]:
    """Each population that began by the day, read row by row."""
    found = []
    for population in asked.populations.with_state().order_by("ends", "pk"):
        if population.state == "withdrawn" or population.starts > DAY:
            continue
        states: dict[int, set[str]] = {}
        for sample in population.samples.all():
            for item in sample.items.all():
                said = states.setdefault(item.item_id, set())
                links = [x for x in item.links.all() if x.proves_from <= DAY]
                said |= {link.state for link in links}
                if Deviation.objects.filter(sample_item=item).exists():
                    said.add("failed")
        accepted = {n for n, said in states.items() if "accepted" in said}
        failed = {n for n, said in states.items() if "failed" in said}
        waiting = {n for n, said in states.items() if "submitted" in said}
        found.append(
            (
                str(population.uuid),
                population.state,
                len(states) if population.samples.exists() else None,
                len(accepted),
                len(waiting - accepted - failed),
                len(failed),
                len(states.keys() - accepted - failed),
            )
        )
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_populations_are_found_both_ways(
    system: System, oscar: User, rita: User, seed: int
) -> None:
    scatter_events(system, oscar, rita, seed)
    pks = list(system.implementations.values_list("pk", flat=True))
    early = dt.date(2025, 1, 1)
    histories = [
        history
        for facts in gather_period(system, pks, early, DAY, Moment(DAY)).values()
        for history in facts.requirements
    ]
    per_event = [h for h in histories if h.terms[-1].cadence == "per-event"]
    assert per_event
    for history in per_event:
        asked = RequirementControl.objects.get(uuid=history.uuid)
        found = [
            (p.uuid, p.state, p.sample, p.proven, p.waiting, p.deviations, p.open)
            for p in history.populations
        ]
        assert found == events_by_hand(asked)
    now = dt.datetime.combine(DAY, dt.time(12), tzinfo=dt.UTC)
    (tally,) = tallies([system], now)
    given = control_statuses(system, Moment(system.day_of(now)))
    assert tally.verdicts == summary(given).verdicts


def by_hand(system: System) -> dict[str, tuple[str | None, int]]:
    """The best accepted link and the number waiting, read row by row."""
    found = {}
    for asked in system.requirements.all():
        rows = [link for link in asked.links.all() if link.proves_from <= DAY]
        accepted = [link for link in rows if link.state == LinkState.ACCEPTED]
        best = max(
            accepted,
            key=lambda link: (link.proves_to or dt.date.max, link.proves_from, link.pk),
            default=None,
        )
        waiting = sum(link.state == LinkState.SUBMITTED for link in rows)
        found[str(asked.uuid)] = (str(best.uuid) if best else None, waiting)
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_both_ways_find_the_same(system: System, oscar: User, seed: int) -> None:
    scatter(system, oscar, seed)
    pks = list(system.implementations.values_list("pk", flat=True))
    gathered = gather(system, pks, Moment(DAY))
    found = {
        asked.uuid: (
            asked.latest_accepted.link if asked.latest_accepted else None,
            asked.submitted,
        )
        for facts in gathered.facts.values()
        for asked in facts.requirements
    }
    assert found == by_hand(system)
    assert statuses(gathered.facts, DAY) == {
        pk: status(facts, DAY) for pk, facts in gathered.facts.items()
    }
    for pk in pks[:5]:
        assert gather(system, [pk], Moment(DAY)).facts[pk] == gathered.facts[pk]


@pytest.mark.django_db
def test_the_number_of_statements_does_not_grow(
    system: System, oscar: User, django_assert_num_queries
) -> None:  # type: ignore[no-untyped-def]
    pks = list(system.implementations.values_list("pk", flat=True))
    with django_assert_num_queries(9):
        gather(system, pks[:1], Moment(DAY))
    scatter(system, oscar, 1)
    with django_assert_num_queries(10):  # and one, since these were brought after DAY
        gather(system, pks, Moment(DAY))


@pytest.mark.django_db
def test_events_cost_four_statements_more(
    system: System, oscar: User, rita: User, django_assert_num_queries
) -> None:  # type: ignore[no-untyped-def]
    scatter_events(system, oscar, rita, 1)
    pks = list(system.implementations.values_list("pk", flat=True))
    with django_assert_num_queries(14):  # one of them for what was brought after DAY
        gather(system, pks, Moment(DAY))


@pytest.mark.django_db
def test_windows_of_one_and_of_many_are_the_same(
    system: System, oscar: User, rita: User
) -> None:
    """An ended window: asks, answers, populations, and the facts of its last day."""
    scatter(system, oscar, 1)
    scatter_events(system, oscar, rita, 1)
    pks = list(system.implementations.values_list("pk", flat=True))
    window = (dt.date(2026, 1, 1), dt.date(2026, 6, 30))
    many = gather_period(system, pks, *window, Moment(DAY))
    assert any(history.links for f in many.values() for history in f.requirements)
    for pk in pks[:4]:
        assert gather_period(system, [pk], *window, Moment(DAY))[pk] == many[pk]
        assert many[pk].at_end == gather(system, [pk], Moment(window[1])).facts[pk]
