"""AC-09, AZ-06: an answer kept under a key is read by whoever may read it still."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest

from controls import clock
from controls.models import Membership, Role, User
from tests.access.world import World
from tests.api.keyed import as_alice, built, rows


@pytest.fixture
def world(db, settings, tmp_path) -> World:
    return built(settings, tmp_path)


@pytest.mark.parametrize("end", ["ended", "back-dated", "replaced", "renewed"])
def test_ac_09_who_lost_a_role_is_not_shown_the_answer_again(world, end) -> None:
    """Nor is anything made; who holds the role still, or again, gets the answer."""
    asking = as_alice(world)
    first = asking.answer("k-1")
    assert first.status_code == 201
    made = rows()
    held = world.house.alice.memberships.filter(system__slug="shop").first()
    assert held is not None
    ends = clock.now() - dt.timedelta(days=2 if end == "back-dated" else 0)
    Membership.objects.filter(pk=held.pk).update(
        starts_at=ends - dt.timedelta(days=9), ends_at=ends
    )
    if end in {"replaced", "renewed"}:
        held.pk, held.uuid, held.starts_at, held.ends_at = None, uuid4(), ends, None
        if end == "replaced":
            held.role, held.team = Role.READER, None
        held.save(force_insert=True)
        made["controls.Membership"] += 1
    again = asking.answer("k-1")
    if end == "renewed":
        assert (again.status_code, again.json()) == (201, first.json())
    else:
        assert again.status_code == 403
        assert first.json()["uuid"] not in again.content.decode()
    assert rows() == made


def test_ac_09_a_superuser_no_more_is_not_shown_the_answer_again(world) -> None:
    asking = as_alice(world)
    User.objects.filter(pk=world.house.alice.pk).update(is_superuser=True)
    assert asking.answer("k-1").status_code == 201
    User.objects.filter(pk=world.house.alice.pk).update(is_superuser=False)
    assert asking.answer("k-1").status_code == 403


def test_az_06_a_closed_account_is_answered_nothing(world) -> None:
    asking = as_alice(world)
    assert asking.answer("k-1").status_code == 201
    User.objects.filter(pk=world.house.alice.pk).update(is_active=False)
    again = asking.answer("k-1")
    assert again.status_code in {401, 403}
    assert "uuid" not in again.content.decode()
