"""R31, R32: no officer alone takes days that are over out of the audit window."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from controls.audit_window import MAX_WINDOW_DAYS
from controls.models import AuditEvent, RetrospectiveChange, System
from evidence.status.clock_parameters import MAX_WINDOW
from tests.factories import END, START, move_window
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
        # over sooner, before what is asked to December is due (R14)
        ({"window_end": "2026-11-30"}, ["2026-01-01", "2026-11-30"]),
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
    """Days come in, or fall out of a window that has not begun: nothing is hidden."""
    client = as_user(oscar)
    assert patch(client, system, window_start="2025-10-01").status_code == 200
    assert patch(client, system, window_end="2027-01-31").status_code == 200
    assert window(system) == ["2025-10-01", "2027-01-31"]
    assert not RetrospectiveChange.objects.exists()
    assert patch(client, system, window_end="2025-01-01").status_code == 400
    told = AuditEvent.objects.filter(verb="system.window-changed")
    assert told.count() == 2


def test_no_window_goes_on_for_ever(system, as_user, oscar):
    """R15: what is an exception once a window has ended never is in one without end;
    and days long before the system was described are nobody's window."""
    assert MAX_WINDOW_DAYS == MAX_WINDOW
    client = as_user(oscar)
    for days in ({"window_start": "1990-01-01"}, {"window_end": "2031-01-06"}):
        answer = patch(client, system, **days)
        assert answer.status_code == 400
        assert "A window has at most 1,830 days." in answer.content.decode()
    assert window(system) == ["2026-01-01", "2026-12-31"]
    assert patch(client, system, window_end="2031-01-04").status_code == 200


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


def typed(page: Any, **change: Any) -> dict[str, Any]:
    """The form of the page as a browser sends it, with other words."""
    initial = page.context["form"].initial
    return {name: str(value) for name, value in initial.items()} | change


def test_officers_change_the_days_on_pages(system, as_user, oscar, olga, rita):
    """R31, R32: from the window's page; more days at once, fewer by two officers, who
    read before and after; sent twice, from two tabs and out of order it says so."""
    url = reverse("evidence:window_days", args=[system.slug])
    client = as_user(oscar)
    over_window = reverse("evidence:window", args=[system.slug])
    assert url in client.get(over_window).content.decode()
    assert url not in as_user(rita).get(over_window).content.decode()
    assert as_user(rita).get(url).status_code == 403
    client = as_user(oscar)
    page = client.get(url)
    assert "Where days fall out of it, another officer decides" in page.text
    more = client.post(url, typed(page, window_end="2027-01-31"), follow=True)
    assert "The audit window is 2026-01-01 to 2027-01-31" in more.text
    stale = client.post(url, typed(page, window_end="2027-02-28"))
    assert stale.status_code == 409
    assert 'value="2027-02-28"' in stale.text  # what was typed is still there
    same = client.post(url, typed(client.get(url)), follow=True)
    assert "Nothing changed" in same.text
    turned = client.post(url, typed(client.get(url), window_end="2025-01-01"))
    assert turned.status_code == 422
    page = client.get(url)
    without = client.post(url, typed(page, window_start="2026-08-20"))
    assert (without.status_code, "Say why" in without.text) == (400, True)
    fewer = typed(page, window_start="2026-08-20", **WHY)
    asked = client.post(url, fewer, follow=True)
    assert "stays 2026-01-01 to 2027-01-31 until another officer" in asked.text
    assert window(system) == ["2026-01-01", "2027-01-31"]
    again = client.post(url, fewer)
    assert again.status_code == 409
    assert "already asked for this" in again.text
    assert "see why, and who decides" in client.get(url).text
    change = RetrospectiveChange.objects.get()
    decide_at = reverse("evidence:retrospective_decide", args=[change.uuid])
    mine = {"decision": "approve", "version": change.version}
    assert client.post(decide_at, mine).status_code == 403
    read = as_user(olga).get(reverse("evidence:retrospective", args=[change.uuid]))
    assert "2026-01-01 to 2027-01-31" in read.text
    assert "2026-08-20 to 2027-01-31" in read.text
    assert as_user(olga).post(decide_at, mine, follow=True).status_code == 200
    assert window(system) == ["2026-08-20", "2027-01-31"]


def test_the_next_window_takes_no_days_out_once_this_one_is_over(
    system, as_user, oscar
):
    """A next window within the one that is over would leave out its last days."""
    move_window(system, start=dt.date(2026, 1, 1), end=dt.date(2026, 10, 31))
    url = f"/api/v1/systems/{system.slug}/roll-forward/"
    days = {"window_from": "2026-06-01", "window_to": "2026-07-31"}
    refused = as_user(oscar).get(url, days)
    assert refused.status_code == 400
    assert "The next window ends after this one ends" in refused.text


@pytest.mark.parametrize(
    ("start", "end", "passes"),
    [
        ("2026-08-20", "2026-12-31", False),  # leaves out days that are over
        ("2026-01-01", "2026-11-30", False),  # over sooner
        ("2026-12-01", "2027-12-31", False),  # the next one before this one is over
        ("2025-01-01", "2027-01-31", True),
        ("2027-01-01", "2027-12-31", True),  # the next one
    ],
)
def test_the_database_takes_no_days_out_of_a_window_without_two_officers(
    system, oscar, olga, start, end, passes
):
    """R32: whatever writes the row; an approval counts for what it said, and once."""

    def write(start: str, end: str) -> None:
        with transaction.atomic():
            rows = System.objects.filter(pk=system.pk)
            rows.update(window_start=start, window_end=end)

    if passes:
        write(start, end)
        return
    with pytest.raises(DatabaseError, match="R32"):
        write(start, end)
    days = dt.date.fromisoformat(start), dt.date.fromisoformat(end)
    move_window(system, start=days[0], end=days[1])
    write("2026-01-01", "2026-12-31" if end < "2027" else end)
    with pytest.raises(DatabaseError, match="R32"):
        write(start, end)
