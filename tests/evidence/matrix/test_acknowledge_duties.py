"""R11, R31: each team says that it has read its duties, and is asked again when they
change.

Who said so, when, and of which duties is on record; nobody says it for another team.
"""

from __future__ import annotations

import json
import re

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from controls.models import AuditEvent, ControlImplementation, DutyAcknowledgement
from evidence.systems.acknowledgements import duties_today
from evidence.systems.describe import Use, add_component
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db


def send(browser, system, *, team="platform", digest=None, **more):
    digest = digest or duties_today(system)[0].digest
    url = reverse("evidence:duties_acknowledge", args=[system.slug])
    form = {"team": team, "duties": digest}
    return browser.post(url, form, follow=True, **more)


def state(system):
    return {row.team.slug: row.state for row in duties_today(system)}


def test_a_contributor_says_it_for_the_team(system, alice, as_user):
    browser = as_user(alice)
    page = browser.get(reverse("evidence:matrix", args=[system.slug]))
    assert "Not yet." in page.content.decode()
    assert "We have read them" in page.content.decode()
    done = send(browser, system)
    shown = done.content.decode()
    assert "Platform has acknowledged its duties." in shown
    assert f"By Alice on {TODAY}" in shown
    assert "We have read them" not in shown
    row = DutyAcknowledgement.objects.get()
    assert (row.acknowledged_by, row.team.slug) == (alice, "platform")
    assert row.duties.body["si-2"]
    event = AuditEvent.objects.get(verb="duties.acknowledged")
    assert event.actor == alice
    assert json.loads(event.body)["digest"] == row.duties_id


def test_other_services_ask_again(system, alice, oscar, as_user):
    """Those that came are named, those that went, too."""
    browser = as_user(alice)
    send(browser, system)
    assert state(system) == {"platform": "acknowledged"}
    use = Use(factories.variant("lambda"), TODAY, regions=["us-east-1"])
    add_component(system, use, by=oscar)
    assert state(system) == {"platform": "changed"}
    page = browser.get(reverse("evidence:matrix", args=[system.slug]))
    shown = " ".join(page.content.decode().split())
    assert "The duties have changed since." in shown
    assert "of AWS Lambda" in shown
    assert re.search(r"New for \d+ controls?</summary>", shown)
    send(browser, system)
    assert state(system) == {"platform": "acknowledged"}
    assert DutyAcknowledgement.objects.count() == 2


def test_another_owner_asks_both_teams(system, alice, as_user):
    send(as_user(alice), system)
    data = factories.make_team("Data")
    ControlImplementation.objects.filter(system=system, control__ref_id="si-2").update(
        owner_team=data
    )
    assert state(system) == {"data": "never", "platform": "changed"}
    platform = next(r for r in duties_today(system) if r.team.slug == "platform")
    assert list(platform.dropped) == ["si-2"]
    assert platform.added == {}


def test_only_whose_duties_they_are(system, oscar, rita, alice, as_user):
    for person in (oscar, rita):
        answer = send(as_user(person), system)
        assert answer.status_code == 403
    data = factories.make_team("Data")
    answer = send(as_user(alice), system, team=data.slug)
    assert answer.status_code == 403
    assert not DutyAcknowledgement.objects.exists()


def test_not_what_nobody_was_shown(system, alice, oscar, as_user):
    """What changed while the page was open is read first."""
    browser = as_user(alice)
    shown = duties_today(system)[0].digest
    use = Use(factories.variant("lambda"), TODAY, regions=["us-east-1"])
    add_component(system, use, by=oscar)
    answer = send(browser, system, digest=shown)
    assert "read them again" in answer.content.decode()
    answer = send(browser, system, digest="nonsense")
    assert answer.status_code in (200, 400)
    assert not DutyAcknowledgement.objects.exists()


def test_said_once(system, alice, as_user):
    browser = as_user(alice)
    send(browser, system)
    again = send(browser, system)
    assert "acknowledged these duties already" in again.content.decode()
    assert DutyAcknowledgement.objects.count() == 1


def test_over_the_api(system, alice, oscar, as_user):
    browser = as_user(alice)
    url = reverse("api_acknowledgements", args=[system.slug])
    (of_team,) = browser.get(url).json()
    assert (of_team["team"], of_team["state"]) == ("platform", "never")
    body = {"team": "platform", "digest": of_team["digest"]}
    answer = browser.post(url, body, "application/json")
    assert answer.status_code == 201, answer.content
    (of_team,) = browser.get(url).json()
    assert (of_team["state"], of_team["acknowledged_by"]) == ("acknowledged", "Alice")
    assert browser.post(url, body, "application/json").status_code == 409
    wrong = body | {"digest": "0" * 64}
    assert browser.post(url, wrong, "application/json").status_code == 409
    assert as_user(oscar).post(url, body, "application/json").status_code == 403
    unknown = body | {"team": "nobody"}
    assert browser.post(url, unknown, "application/json").status_code == 400


def test_it_is_never_taken_back(system, alice, as_user):
    """AU-02: the database refuses to change or delete what was said."""
    send(as_user(alice), system)
    for change in (
        lambda: DutyAcknowledgement.objects.update(acknowledged_by=alice),
        lambda: DutyAcknowledgement.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
