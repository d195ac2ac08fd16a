"""R31, R32: no officer alone takes days that are over out of the audit window."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from controls.models import AuditEvent, RetrospectiveChange, System
from tests.factories import END, START
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
WHY = {"reason": "Described in August."}


def patch(client: Client, system: System, **body: Any) -> Any:
    url = reverse("system-detail", args=[system.slug])
    tag = client.get(url)["ETag"]
    return client.patch(
        url, body, content_type="application/json", headers={"If-Match": tag}
    )


def window(system: System) -> list[str]:
    system.refresh_from_db()
    return [str(system.window_start), str(system.window_end)]


def decide(client: Client, change: str) -> int:
    url = f"/api/v1/retrospective-changes/{change}/"
    tag = client.get(url)["ETag"]
    answer = client.post(url + "approve/", headers={"If-Match": tag})
    return int(answer.status_code)


@pytest.mark.parametrize(
    ("days", "after"),
    [
        ({"window_start": "2026-08-20"}, ["2026-08-20", "2026-12-31"]),
        ({"window_end": "2026-11-21"}, ["2026-01-01", "2026-11-21"]),
        (
            {"window_start": "2026-12-01", "window_end": "2027-11-30"},
            ["2026-12-01", "2027-11-30"],
        ),
    ],
)
def test_a_second_officer_decides_on_days_that_are_over(
    system, as_user, oscar, olga, days, after
):
    before = window(system)
    refused = patch(as_user(oscar), system, **days)
    assert refused.status_code == 400
    assert "Say why" in refused.content.decode()
    answer = patch(as_user(oscar), system, name="Payments 2", **days, **WHY)
    assert answer.status_code == 202, answer.content
    change = answer.json()["change"]
    assert window(system) == before
    assert system.name == "Payments 2"
    assert decide(as_user(oscar), change) == 403
    assert window(system) == before
    page = as_user(olga).get(reverse("evidence:retrospective", args=[change]))
    assert "Audit window now" in page.content.decode()
    assert decide(as_user(olga), change) == 200
    assert window(system) == after
    event = AuditEvent.objects.get(verb="system.window-changed")
    assert json.loads(event.body)["before"] == before
    # the window before is still named where the next one is begun
    page = as_user(olga).get(reverse("evidence:roll_forward", args=[system.slug]))
    assert page.context["earlier"] == [(START, END)]


def test_more_days_need_one_officer(system, as_user, oscar):
    """Days to come fall out of it, or earlier ones come in: nothing is hidden."""
    client = as_user(oscar)
    assert patch(client, system, window_start="2025-10-01").status_code == 200
    assert patch(client, system, window_end="2026-11-30").status_code == 200
    assert window(system) == ["2025-10-01", "2026-11-30"]
    assert not RetrospectiveChange.objects.exists()
    assert patch(client, system, window_end="2025-01-01").status_code == 400
    told = AuditEvent.objects.filter(verb="system.window-changed")
    assert told.count() == 2


def test_a_change_of_what_was_seen_is_asked_for_again(system, as_user, oscar, olga):
    waits = patch(as_user(oscar), system, window_start="2026-08-20", **WHY).json()
    assert patch(as_user(oscar), system, window_end="2027-01-31").status_code == 200
    assert decide(as_user(olga), waits["change"]) == 409
    assert window(system) == ["2026-01-01", "2027-01-31"]


def test_nor_does_the_next_window_begin_within_this_one(system, as_user, oscar):
    """The page and the API begin it after this one has ended, and say so."""
    client = as_user(oscar)
    url = f"/api/v1/systems/{system.slug}/roll-forward/"
    days = {"window_from": "2026-11-01", "window_to": "2027-10-31"}
    shown = client.get(url, days).json()
    tag = client.get(reverse("system-detail", args=[system.slug]))["ETag"]
    answer = client.post(
        url,
        days | {"seen": shown["seen"], "confirmed": []},
        content_type="application/json",
        headers={"If-Match": tag},
    )
    assert answer.status_code == 400, answer.content
    assert "days of it that are over do not fall out" in answer.content.decode()
    assert window(system) == ["2026-01-01", "2026-12-31"]
    url = reverse("evidence:roll_forward", args=[system.slug])
    seen = client.get(url, days).context["found"].digest
    typed = days | {"seen": seen, "version": system.version}
    page = client.post(url, typed)
    assert page.status_code == 400
    assert "days of it that are over do not fall out" in page.content.decode()
    assert window(system) == ["2026-01-01", "2026-12-31"]


def test_the_administration_is_no_door_around_the_second_officer(oscar, system) -> None:
    """R32: what is typed beside the fields that it offers changes no window."""
    oscar.is_staff = True
    oscar.save(update_fields=["is_staff"])
    before = window(system)
    url = reverse("admin:controls_system_change", args=[system.pk])
    desk = sign_in_just_now(Client(), oscar)
    page = desk.get(url)
    assert page.status_code == 200
    assert 'name="window_start"' not in page.content.decode()
    typed = {
        "name": "Payments of today",
        "description": "",
        "own_code": "on",
        "seen_version": system.version,
        "window_start": "2026-11-01",
        "window_end": "2026-12-31",
    }
    assert desk.post(url, typed).status_code == 302
    assert window(system) == before
    assert system.name == "Payments of today"
