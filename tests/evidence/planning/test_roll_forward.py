"""An officer begins the next audit window, having seen what it starts with."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction

from controls.models import AuditEvent, System
from evidence.models import EvidenceLink, RequirementControl
from evidence.planning.roll_forward import following, preview
from evidence.status.control_status import control_statuses, now, window_of
from evidence.status.gather import Moment
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House, submitted
from tests.factories import set_terms

pytestmark = pytest.mark.django_db
URL = "/systems/shop/roll-forward/"
API = "/api/v1/systems/shop/roll-forward/"
DAY = dt.timedelta(days=1)


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    found = houses.build()
    factories.move_window(
        found.system, start=dt.date(2025, 1, 1), end=dt.date(2025, 12, 31)
    )
    found.system.refresh_from_db()
    return found


@pytest.fixture
def series(house):
    found = factories.make_artifact(house.olivia, ["pe-3"])
    factories.make_report(found, dt.date(2025, 4, 1), dt.date(2026, 3, 31))
    return found


def confirmation(page, *series) -> dict[str, object]:
    found = page.context["found"]
    return {
        "window_from": str(found.start),
        "window_to": str(found.end),
        "seen": found.digest,
        "version": page.context["system"].version,
        "confirmed": [str(each.uuid) for each in series],
    }


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2025-01-01", "2025-12-31", ("2026-01-01", "2026-12-31")),
        ("2024-01-01", "2024-12-31", ("2025-01-01", "2025-12-31")),
        ("2023-01-01", "2023-12-31", ("2024-01-01", "2024-12-31")),
        ("2023-03-01", "2024-02-29", ("2024-03-01", "2025-02-28")),
        ("2025-01-01", "2025-03-31", ("2025-04-01", "2025-06-29")),
    ],
)
def test_the_next_window_follows_and_is_as_long(start, end, expected):
    system = System(
        window_start=dt.date.fromisoformat(start), window_end=dt.date.fromisoformat(end)
    )
    assert tuple(map(str, following(system))) == expected


def test_it_begins_once_its_citations_are_confirmed(client, house, series):
    submitted(house)
    links = EvidenceLink.objects.count()
    asked = RequirementControl.objects.count()
    client.force_login(house.olivia)
    page = client.get(URL)
    assert "speaks of days of this window" in page.content.decode()
    refused = client.post(URL, confirmation(page))
    assert refused.status_code in {400, 409}
    assert "SOC 2 Type II" in refused.content.decode()
    assert client.post(URL, confirmation(page, series)).status_code == 302
    house.system.refresh_from_db()
    assert window_of(house.system) == (dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    event = AuditEvent.objects.get(verb="system.rolled-forward")
    assert json.loads(event.body)["before"] == ["2025-01-01", "2025-12-31"]
    assert (EvidenceLink.objects.count(), RequirementControl.objects.count()) == (
        links,
        asked,
    )


def test_the_earlier_window_stays_answerable(client, house, series, capsys):
    known = now()
    client.force_login(house.olivia)
    client.post(URL, confirmation(client.get(URL), series))
    house.system.refresh_from_db()
    before = (dt.date(2025, 1, 1), dt.date(2025, 12, 31))
    assert window_of(house.system, known) == before
    page = client.get(URL).content.decode()
    assert "Earlier windows stay answerable" in page
    said = {"window_from": "2025-01-01", "window_to": "2025-12-31", "on": "2025-12-31"}
    control = client.get("/systems/shop/controls/cm-8/", said)
    assert control.context["clocks"].window == window_of(house.system, known)
    assert "The system's own is 2026-01-01" in control.content.decode()
    path = "/api/v1/systems/shop/controls/cm-8/"
    over_api = client.get(path, said).json()["period"]
    options = ["--window-from", "2025-01-01", "--window-to", "2025-12-31"]
    call_command("control_status", "shop", *options)
    rows = {row["control_id"]: row for row in json.loads(capsys.readouterr().out)}
    pk = factories.implementation(house.system, "cm-8").pk
    (one,) = control_statuses(
        house.system, Moment(dt.date(2025, 12, 31)), pks=[pk], window=before
    )
    assert one.period is not None
    assert over_api["expected"] == one.period.occurrences.expected
    assert rows["cm-8"]["period"]["expected"] == over_api["expected"]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"window_from": "2025-01-01"}, "both days"),
        ({"window_from": "2025-02-01", "window_to": "2025-01-01"}, "before it starts"),
        ({"window_from": "1990-01-01", "window_to": "2025-01-01"}, "at most 1830"),
    ],
)
def test_an_impossible_window_is_said(client, house, said, sentence):
    client.force_login(house.ray)
    assert sentence in client.get("/systems/shop/", said).content.decode()
    answer = client.get("/api/v1/systems/shop/controls/", said)
    assert answer.status_code == 400
    assert sentence in answer.json()["detail"]


def test_gaps_overlaps_and_owners_are_told(house):
    house.requirement()
    set_terms(RequirementControl.objects.all(), owner_team=None)
    for row in house.system.implementations.all():
        row.owner_team = None
        row.save(update_fields=["owner_team"])
    found = preview(house.system, dt.date(2026, 1, 11), dt.date(2026, 12, 31))
    assert (found.gap, found.overlap) == (10, 0)
    assert found.ownerless == found.carried
    found = preview(house.system, dt.date(2025, 12, 1), dt.date(2026, 12, 31))
    assert (found.gap, found.overlap) == (0, 31)


def test_one_officer_leaves_no_days_between_windows(client, house, series):
    """R31, R32: what was missed on days of no window would be in nobody's counts."""
    client.force_login(house.olivia)
    days = {"window_from": "2026-01-11", "window_to": "2026-12-31"}
    page = client.get(URL, days)
    assert "10 days between the windows would belong to neither" in (
        " ".join(page.content.decode().split())
    )
    refused = client.post(URL, confirmation(page, series))
    assert refused.status_code in {400, 409}
    assert "Begin on 2026-01-01" in refused.content.decode()
    house.system.refresh_from_db()
    assert house.system.window_start == dt.date(2025, 1, 1)
    with pytest.raises(DatabaseError, match="R32"), transaction.atomic():
        System.objects.filter(pk=house.system.pk).update(
            window_start=dt.date(2026, 1, 11), window_end=dt.date(2026, 12, 31)
        )


def test_an_ended_requirement_does_not_go_on(house):
    requirement = house.requirement()
    RequirementControl.objects.filter(pk=requirement.pk).update(
        operates_until=dt.date(2025, 12, 1)
    )
    found = preview(house.system, *following(house.system))
    assert [row.pk for row in found.ended] == [requirement.pk]


def test_something_changed_meanwhile_is_told(client, house, series):
    client.force_login(house.olivia)
    said = confirmation(client.get(URL), series)
    factories.make_report(series, dt.date(2026, 4, 1), dt.date(2027, 3, 31))
    RequirementControl.objects.filter(pk=house.requirement().pk).update(version=7)
    answer = client.post(URL, said)
    assert answer.status_code == 409
    assert "Something changed" in answer.content.decode()
    stale = confirmation(client.get(URL), series) | {"version": 99}
    assert client.post(URL, stale).status_code == 409
    house.system.refresh_from_db()
    assert house.system.window_start == dt.date(2025, 1, 1)


@pytest.mark.parametrize(
    ("name", "status"),
    [("alice", 403), ("rita", 403), ("audrey", 403), ("ray", 403), ("mallory", 404)],
)
def test_others_do_not_begin_a_window(client, house, name, status):
    client.force_login(house.people[name])
    assert client.get(URL).status_code == status
    assert client.post(URL, {}).status_code == status
    assert client.get(API).status_code == status


def test_the_api_previews_and_begins(client, house, series):
    client.force_login(house.olivia)
    shown = client.get(API)
    body = shown.json()
    assert (body["window_from"], body["window_to"]) == ("2026-01-01", "2026-12-31")
    assert [each["controls"] for each in body["citations"]] == [1]
    said = {name: body[name] for name in ("window_from", "window_to", "seen")}
    kind = "application/json"
    assert client.post(API, said, content_type=kind).status_code == 428
    tag = {"If-Match": shown["ETag"]}
    bare = client.post(API, said, content_type=kind, headers=tag)
    assert "confirmed" in bare.json()["errors"]
    said["confirmed"] = [each["artifact"] for each in body["citations"]]
    done = client.post(API, said, content_type=kind, headers=tag)
    assert done.json() == {"window_start": "2026-01-01", "window_end": "2026-12-31"}
    again = client.post(API, said, content_type=kind, headers=tag)
    assert again.status_code == 412


@pytest.mark.parametrize("version", ["²", "٣", "9" * 5000, "", "-1"])
def test_an_odd_version_is_a_stale_one(client, house, series, version):
    client.force_login(house.olivia)
    said = confirmation(client.get(URL), series) | {"version": version}
    answer = client.post(URL, said)
    assert answer.status_code == 409
    house.system.refresh_from_db()
    assert house.system.window_end == dt.date(2025, 12, 31)


def test_begun_twice_from_two_tabs_it_begins_once(client, house, series):
    """The second tab is told, and offered what follows the window that began."""
    client.force_login(house.olivia)
    one = confirmation(client.get(URL), series)
    client.logout()
    client.force_login(house.olivia)
    two = confirmation(client.get(URL), series)
    assert client.post(URL, one).status_code == 302
    events = AuditEvent.objects.count()
    assert client.post(URL, two).status_code in {400, 409}
    assert AuditEvent.objects.count() == events
    house.system.refresh_from_db()
    assert house.system.window_start == dt.date(2026, 1, 1)


def test_after_the_last_window_there_is_none(client, house):
    """Both doors answer plainly: days end with 2200."""
    factories.move_window(
        house.system, start=dt.date(2200, 1, 1), end=dt.date(2200, 12, 31)
    )
    client.force_login(house.olivia)
    page, api = client.get(URL), client.get(API)
    assert (page.status_code, api.status_code) == (400, 400)
    sentence = "“2201-01-01” lies outside 1990-01-01 to 2200-12-31."
    assert sentence in page.content.decode() and sentence in api.content.decode()
    for path in ("", "calendar/?month=2200-12", "controls/?on=2200-12-31"):
        assert client.get(f"/systems/shop/{path}").status_code == 200
