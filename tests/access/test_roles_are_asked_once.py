"""A page that only reads asks the database once which roles somebody holds.

Rules: AC-01, whoever lost a role loses what it opened with the next request; what
changes something asks in its own transaction, however often.
"""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from controls import clock
from controls.access import is_officer
from controls.models import Engagement, Membership, Role, System
from controls.models.held_roles import roles_read_once
from tests.evidence import house as houses
from tests.evidence.house import House

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings, tmp_path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    return houses.build()


def end_role(house: House) -> None:
    held = Membership.objects.filter(user=house.olivia, role=Role.OFFICER)
    held.update(ends_at=clock.now())


def test_a_page_asks_once_and_the_next_page_asks_again(house: House) -> None:
    client = Client()
    client.force_login(house.olivia)
    page = f"/systems/{house.system.slug}/controls/cm-8/"
    assert "override" in client.get(page).content.decode().lower()
    with CaptureQueriesContext(connection) as run:
        client.get(page)
    sent = [one["sql"] for one in run]
    of_reader = f'"controls_membership"."user_id" = {house.olivia.pk}'
    assert len([sql for sql in sent if of_reader in sql]) == 1, sent
    end_role(house)
    assert client.get(page).status_code == 404


def test_outside_of_a_page_each_answer_is_of_now(house: House) -> None:
    with roles_read_once():
        assert is_officer(house.olivia, house.system)
        assert not is_officer(house.alice, house.system)
    assert is_officer(house.olivia, house.system)
    end_role(house)
    assert not is_officer(house.olivia, house.system)
    with roles_read_once():
        assert not is_officer(house.olivia, house.system)


def test_a_page_shows_what_the_same_conditions_say_in_the_database(
    house: House,
) -> None:
    people = [house.olivia, house.alice, house.rita, house.audrey, house.mallory]
    for person in people:
        systems = System.objects.visible_to(person)
        officered = System.objects.officered_by(person)
        audited = Engagement.objects.audited_by(person)
        with roles_read_once():
            assert set(System.objects.visible_to(person)) == set(systems)
            assert set(System.objects.officered_by(person)) == set(officered)
            assert set(Engagement.objects.audited_by(person)) == set(audited)
