"""Facts of many controls gathered in SQL agree with one control read by hand."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from controls.models import System, User
from evidence.facts import Moment, gather
from evidence.models import EvidenceLink, LinkState, Proof
from tests import factories

DAY = dt.date(2026, 9, 15)
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
            EvidenceLink.objects.filter(pk=link.pk).update(state=state)
            Proof.objects.follow(link)


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
    for pk in pks[:5]:
        assert gather(system, [pk], Moment(DAY)).facts[pk] == gathered.facts[pk]


@pytest.mark.django_db
def test_the_number_of_statements_does_not_grow(
    system: System, oscar: User, django_assert_num_queries
) -> None:  # type: ignore[no-untyped-def]
    pks = list(system.implementations.values_list("pk", flat=True))
    with django_assert_num_queries(7):
        gather(system, pks[:1], Moment(DAY))
    scatter(system, oscar, 1)
    with django_assert_num_queries(7):
        gather(system, pks, Moment(DAY))
