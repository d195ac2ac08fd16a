"""What no key and no calendar knows is answered with a form or a list, never a 500."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from controls.models import User
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings, tmp_path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def root(house, client: Client) -> Client:
    """The browser of a superuser."""
    boss = User.objects.create_superuser("root@example.test", name="Root")
    sign_in_just_now(client, boss)
    return client


@pytest.mark.parametrize("team", ["off", "NaN", "a\0b", "²", "9" * 30, "-1", " "])
def test_a_team_that_is_none_is_named_in_the_form(root, house, team):
    control = factories.implementation(house.system, "cm-8")
    url = reverse("admin:controls_controlimplementation_change", args=[control.pk])
    said = {"owner_team": team, "implementation_status": "implemented"}
    answer = root.post(url, said | {"customer_statement": "", "seen_version": 1})
    assert answer.status_code in {200, 400}
    control.refresh_from_db()
    assert control.owner_team == house.team


@pytest.mark.parametrize(
    "chosen",
    [
        {"known_from__year": "9" * 30},
        {"known_from__year": "9999", "known_from__month": "12"},
        {"known_from__year": "0"},
        {"known_from__year": "2026", "known_from__month": "13"},
        {"known_from__year": "2026", "known_from__month": "2", "known_from__day": "30"},
        {"known_from__year": "x"},
    ],
)
def test_a_year_that_no_calendar_has_is_no_filter(root, chosen):
    answer = root.get(reverse("admin:evidence_review_changelist"), chosen)
    assert answer.status_code in {200, 302, 400}
