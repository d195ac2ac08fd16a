"""A page that only reads asks the database once which roles somebody holds.

Rules: AC-01, whoever lost a role loses what it opened with the next request; what
changes something asks in its own transaction, however often.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from controls import clock
from controls.access import is_officer
from controls.models import Engagement, Membership, Role, System
from controls.models.held_roles import roles_read_once
from evidence.models import Evidence
from evidence.submissions import submit
from evidence.submissions.uploads import keep_all
from tests.evidence import house as houses
from tests.evidence.house import House, file
from tests.evidence.submissions.test_upload_evidence import said

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
    of_others = f"NOT ({of_reader})"  # whether somebody else could approve
    own = [sql for sql in sent if of_reader in sql and of_others not in sql]
    assert len(own) == 1, sent
    end_role(house)
    assert client.get(page).status_code == 404


def uploaded(house: House, client: Client, text: bytes) -> tuple[int, list[str]]:
    """Upload as alice; the status, and what was asked about her roles."""
    path = f"/systems/{house.system.slug}/requirements/{house.requirement().uuid}"
    sent = said(files=[file("a.txt", text)])
    with CaptureQueriesContext(connection) as run:
        answer = client.post(f"{path}/upload/", sent)
    of_alice = f'"controls_membership"."user_id" = {house.alice.pk}'
    return answer.status_code, [x["sql"] for x in run if of_alice in x["sql"]]


def test_ac_01_an_upload_asks_at_its_door_and_again_in_its_transaction(
    house: House, monkeypatch: pytest.MonkeyPatch, settings
) -> None:
    settings.MFA_REQUIRED = False
    client = Client()
    client.force_login(house.alice)
    status, questions = uploaded(house, client, b"while she may" * 9)
    assert (status, len(questions)) == (302, 2), questions

    def ended_meanwhile(*brought: Any) -> None:
        keep_all(*brought)
        Membership.objects.filter(user=house.alice).update(ends_at=clock.now())

    monkeypatch.setattr(submit, "keep_all", ended_meanwhile)
    assert uploaded(house, client, b"while she may no more" * 9)[0] == 403
    assert Evidence.objects.count() == 1
    assert uploaded(house, client, b"nor later" * 9)[0] == 404


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
