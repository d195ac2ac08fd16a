"""Who may not review is the same people, asked for one person or for many rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from evidence.models import EvidenceLink, Population, RequirementControl
from evidence.models.revisions import MAX_COMMON_BYTES
from evidence.reviews.decide import Decision, decide_all
from tests.evidence.house import House, file
from tests.evidence.per_event import bring, listed
from tests.evidence.reviews import hands
from tests.evidence.reviews.hands import COMMON, OWN, World, upload
from tests.factories import set_terms

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    return hands.build(settings, tmp_path)


@pytest.fixture
def world(client, house: House) -> World:
    return hands.change_hands(client, house)


def agree(rows: Any, house: House) -> dict[int, set[int]]:
    """The authors of each row, asserted to be those whom no queue shows it."""
    people = set(house.people.values())
    authors: dict[int, set[int]] = rows.authors_of()
    for row in rows:
        alone = rows.filter(pk=row.pk)
        dependent = {
            person.pk for person in people if not alone.independent_of(person).exists()
        }
        assert authors[row.pk] == dependent, row
        assert alone.authors_of() == {row.pk: dependent}, row
    assert set(authors) == {row.pk for row in rows}
    return authors


def test_authors_of_links_are_those_whom_no_queue_shows_them(world):
    """R17, R32: however evidence changed hands, in this system and elsewhere."""
    authors = agree(EvidenceLink.objects.all(), world.house)
    assert {len(people) for people in authors.values()} >= {1, 2}


def bring_list(client, house: House, by: str, body: bytes, **more: Any) -> Population:
    asked = house.requirement("ac-1")
    set_terms(RequirementControl.objects.filter(pk=asked.pk), cadence="per-event")
    client.force_login(house.people[by])
    return bring(client, asked, list=file("changes.csv", body), **more)


def test_authors_of_populations_are_those_whom_no_queue_shows_them(client, house):
    """R17, R32: who drew the same days, or brought the same file as proof or list."""
    first = bring_list(client, house, "olivia", listed())
    upload(house, "alice", listed().decode(), collector="bob")
    upload(house, "alice", listed(3).decode(), collector="rita")
    second = bring_list(client, house, "alice", listed(4))
    assert {first.starts, first.ends} == {second.starts, second.ends}
    authors = agree(Population.objects.all(), house)
    people = house.people
    drawers = {people["olivia"].pk, people["alice"].pk}
    assert authors[second.pk] == drawers
    assert authors[first.pk] == drawers | {people["bob"].pk}


@pytest.mark.parametrize(("content", "both"), [(COMMON, False), (OWN, True)])
def test_small_files_make_nobody_an_author(house, content, both):
    """R32: MAX_COMMON_BYTES say nothing of who made them; one byte more does."""
    assert len(content) == MAX_COMMON_BYTES + both
    names = ("alice", "olivia")
    of_alice, of_olivia = (upload(house, name, content) for name in names)
    authors = agree(EvidenceLink.objects.all(), house)
    people = {house.people[name].pk for name in names}
    assert authors[of_alice.pk] == (people if both else {house.people["alice"].pk})
    assert authors[of_olivia.pk] == (people if both else {house.people["olivia"].pk})


def test_authors_of_many_links_cost_as_much_as_of_one(house):
    for number in range(5):
        upload(house, "alice", f"{number}" * 100)
    rows = EvidenceLink.objects.all()
    counts = []
    for links in (rows.filter(pk=rows.first().pk), rows):
        with CaptureQueriesContext(connection) as queries:
            links.authors_of()
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_many_decisions_ask_for_authors_once(house):
    links = [upload(house, "alice", f"{number}" * 100) for number in range(5)]
    decisions = [Decision(link.uuid, accept=True) for link in links]
    with CaptureQueriesContext(connection) as queries:
        decide_all(decisions, by=house.people["rita"])
    files = '"evidence_evidencefile"."blob_id" IN'
    assert sum(files in query["sql"] for query in queries) == 1
