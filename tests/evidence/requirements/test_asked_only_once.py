"""An officer would end a lapse by asking only once: a second one decides that."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.urls import reverse

from controls.models import RetrospectiveChange, Role
from controls.retrospect import approve
from evidence.models import RequirementControl
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.one_day import TODAY


@pytest.fixture
def house(db, settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    made = houses.build()
    made.people["otto2"] = houses.person("second")
    houses.give(made, "otto2", Role.OFFICER)
    return made


@pytest.fixture
def monthly(house) -> RequirementControl:
    """CM-8, monthly with ten days of grace."""
    return house.requirement()


def put(client, row: RequirementControl, **changes):
    url = f"/api/v1/requirements/{row.uuid}/"
    body = {
        "title": row.title,
        "cadence": row.cadence,
        "purpose": row.purpose,
        "operates_from": str(row.operates_from),
        "rarer_because": "The register changes seldom",
    }
    return client.put(
        url,
        body | changes,
        content_type="application/json",
        headers={"If-Match": client.get(url)["ETag"]},
    )


def test_r13_what_is_asked_only_once_from_now_on_needs_two(client, house, monthly):
    """R13, R32: through the API, for today and for a later day."""
    client.force_login(house.olivia)
    answer = put(client, monthly, cadence="once")
    assert answer.status_code == 400
    assert "reason" in answer.json()["errors"]
    later = str(TODAY + dt.timedelta(days=30))
    answer = put(client, monthly, cadence="once", from_day=later, reason="Merged")
    assert (answer.status_code, answer.json()["kind"]) == (202, "long-grace")
    monthly.refresh_from_db()
    assert monthly.cadence == "monthly"
    waiting = RetrospectiveChange.objects.get()
    approve(waiting, by=house.otto2, today=TODAY)
    cadences = monthly.ask.terms.order_by("days").values_list("cadence", flat=True)
    assert list(cadences) == ["monthly", "once"]


def test_r13_the_page_says_that_a_second_officer_decides(client, house, monthly):
    """R13, R32: the officer's form."""
    client.force_login(house.olivia)
    page = client.get(
        reverse("evidence:requirement_edit", args=[house.system.slug, monthly.uuid])
    )
    assert page.status_code == 200
    form = page.context["form"]
    typed = {
        name: form[name].value() if form[name].value() is not None else ""
        for name in form.fields
    }
    typed |= {"cadence": "once", "rarer_because": "Seldom", "reason": "Merged"}
    answer = client.post(page.request["PATH_INFO"], typed, follow=True)
    assert "second officer" in answer.content.decode()
    monthly.refresh_from_db()
    assert monthly.cadence == "monthly"
    assert RetrospectiveChange.objects.get().kind == "long-grace"


def test_r13_once_stays_the_decision_of_one_where_it_was_once(client, house, monthly):
    """R13: other words for what is asked once are no second decision."""
    client.force_login(house.olivia)
    put(client, monthly, cadence="once", reason="Merged")
    approve(RetrospectiveChange.objects.get(), by=house.otto2, today=TODAY)
    monthly.refresh_from_db()
    answer = put(client, monthly, title="The register itself")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        ({"cadence": "once"}, "retire-last"),
        ({"cadence": "quarterly"}, "retire-last"),
        ({"cadence": "monthly", "purpose": "design"}, "retire-last"),
        ({"cadence": "per-event"}, "retire-last"),
        ({"cadence": "monthly"}, None),
        ({"cadence": "weekly"}, None),
    ],
)
def test_r11_what_nothing_else_asks_as_often_is_retired_by_two(
    client, house, monthly, other, kind
):
    """R11, R32: a lapse does not end by adding a rarer ask and retiring this one."""
    factories.ask_for(
        monthly.implementation,
        "Other",
        operates_from=monthly.operates_from,
        **{"purpose": "operation"} | other,
    )
    client.force_login(house.olivia)
    answer = client.post(
        f"/api/v1/requirements/{monthly.uuid}/retire/",
        {"until": str(TODAY), "reason": "Merged"},
        content_type="application/json",
    )
    waiting = RetrospectiveChange.objects.values_list("kind", flat=True).first()
    assert (answer.status_code, waiting) == (202 if kind else 200, kind)
