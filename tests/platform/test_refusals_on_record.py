"""AU-01: what somebody is refused leaves one event for each route and hour."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from controls.history.chain import verify_all
from controls.models import AuditEvent, System, User
from tests.api.test_tokens import call, make
from tests.one_day import BEGINS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_recorded_this_hour() -> None:
    cache.clear()


def refusals(verb: str = "access.refused") -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(verb=verb).order_by("seq"))


def body_of(event: AuditEvent) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(event.body)
    return body


def test_au_01_a_system_of_others_is_404_and_on_record_once_an_hour(
    as_user: Any, system: System, mallory: User
) -> None:
    browser = as_user(mallory)
    page = reverse("evidence:dashboard", args=[system.slug])
    for _ in range(3):
        assert browser.get(page).status_code == 404
    (event,) = refusals()
    assert (event.actor, event.subject_label) == (mallory, "evidence:dashboard")
    assert body_of(event)["path"] == page
    assert body_of(event)["status"] == 404
    with time_machine.travel(BEGINS + dt.timedelta(minutes=61)):
        assert as_user(mallory).get(page).status_code == 404
    assert len(refusals()) == 2
    assert list(verify_all()) == []


def test_au_01_each_person_and_each_route_has_its_own(
    as_user: Any, system: System, mallory: User, alice: User
) -> None:
    as_user(mallory).get(reverse("evidence:dashboard", args=[system.slug]))
    as_user(mallory).get(reverse("evidence:trend", args=[system.slug]))
    as_user(alice).get(reverse("evidence:evidence", args=[uuid.uuid4()]))
    assert [event.actor for event in refusals()] == [mallory, mallory, alice]


def test_au_01_what_a_role_does_not_allow_is_on_record(
    as_user: Any, system: System, alice: User, audrey: User
) -> None:
    page = reverse("evidence:system_terms", args=[system.slug])
    assert as_user(alice).post(page).status_code == 403
    assert as_user(audrey).post(page).status_code == 403
    assert [event.actor for event in refusals()] == [alice, audrey]


def test_what_an_auditor_may_not_see_is_on_record_beside_what_they_read(
    as_user: Any, system: System, audrey: User
) -> None:
    """Their pages run in transactions that cannot write; this is written after."""
    assert as_user(audrey).get("/systems/another/").status_code == 404
    assert [event.actor for event in refusals()] == [audrey]


def test_an_address_that_nobody_has_and_a_visitor_are_no_refusals(
    as_user: Any, client: Client, system: System, alice: User
) -> None:
    client.get(reverse("evidence:dashboard", args=[system.slug]))
    assert as_user(alice).get("/no-such-page/").status_code == 404
    assert refusals() == []


def test_au_01_a_token_that_may_only_read_is_on_record_with_its_name(
    system: System, oscar: User
) -> None:
    token = make(oscar)["token"]
    assert call(token, "patch") == 403
    (event,) = refusals()
    assert event.actor == oscar
    assert body_of(event)["token"] == "ci"
    assert body_of(event)["scope"] == "read"


def test_au_01_wrong_tokens_are_on_record_and_fill_no_log(
    system: System, oscar: User
) -> None:
    for number in range(5):
        assert call(f"{number}" * 64) == 401
    (event,) = refusals("token.refused")
    assert event.actor is None
    assert "0" * 64 not in event.body
    assert call(make(oscar, scope="write")["token"], "post", "/api/v1/tokens/") == 403
    assert len(refusals("token.refused")) == 2


def test_au_12_the_key_of_a_mailed_link_is_not_recorded(
    as_user: Any, alice: User
) -> None:
    page = reverse("account_confirm_email", args=["the-key-of-the-mail"])
    assert as_user(alice).get(page).status_code == 404
    (event,) = refusals()
    assert "the-key-of-the-mail" not in event.body
