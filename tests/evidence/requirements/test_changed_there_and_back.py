"""An officer would let nothing fall due, or end a lapse, by changing how often."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from django.urls import reverse

from controls.models import RetrospectiveChange, Role
from controls.retrospect import approve
from evidence.models import RequirementControl
from evidence.status.control_status import control_statuses
from evidence.status.gather import Moment
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.one_day import TODAY

LAST_OF_NOVEMBER, FIRST_OF_DECEMBER = dt.date(2026, 11, 30), dt.date(2026, 12, 1)
LATE = dt.date(2027, 1, 20)  # December was due on 10 January


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
    """CM-8, monthly with ten days of grace, performed for November."""
    asked = house.requirement()
    houses.submitted(house).accept(by=house.rita)
    return asked


def put(client, row: RequirementControl, cadence: str, day: dt.date, **more):
    url = f"/api/v1/requirements/{row.uuid}/"
    body = {
        "title": row.title,
        "cadence": cadence,
        "purpose": row.purpose,
        "operates_from": str(row.operates_from),
        "rarer_because": "The register changes seldom",
        "from_day": str(day),
    }
    headers = {"If-Match": client.get(url)["ETag"]}
    return client.put(url, body | more, "application/json", headers=headers)


def half(row: RequirementControl, day: dt.date) -> str:
    moment = Moment(day, known_at=None)
    (answer,) = control_statuses(row.system, moment, pks=[row.implementation_id])
    return answer.status.customer_half


@pytest.mark.parametrize("between", ["half-yearly", "quarterly", "yearly", "per-event"])
def test_r14_a_cadence_that_comes_back_before_anything_fell_due_needs_two(
    client, house, monthly, between
):
    """R13, R14, R32: November's performance would count for ever, and no month would
    be expected, were the last day of each month asked of in another way."""
    assert half(monthly, LATE) == "lapsed"
    client.force_login(house.olivia)
    assert put(client, monthly, between, LAST_OF_NOVEMBER).status_code == 200
    unsaid = put(client, monthly, "monthly", FIRST_OF_DECEMBER)
    assert (unsaid.status_code, list(unsaid.json()["errors"])) == (400, ["reason"])
    back = put(client, monthly, "monthly", FIRST_OF_DECEMBER, reason="A mistake")
    assert (back.status_code, back.json()["kind"]) == (202, "long-grace")
    cadences = monthly.ask.terms.order_by("days").values_list("cadence", flat=True)
    assert list(cadences) == ["monthly", between]
    waiting = RetrospectiveChange.objects.get()
    page = client.get(reverse("evidence:retrospective", args=[waiting.uuid]))
    assert "When the next performance is due" in page.content.decode()
    approve(waiting, by=house.otto2, today=TODAY)
    assert list(cadences.all()) == ["monthly", between, "monthly"]


def test_r14_one_officer_takes_back_what_changed_nothing(client, house, monthly):
    """R14, R31: on the day itself, and where no period ended in between; a cadence
    under which something fell due is replaced by one officer, too."""
    client.force_login(house.olivia)
    assert put(client, monthly, "quarterly", TODAY).status_code == 200
    assert put(client, monthly, "monthly", TODAY).status_code == 200
    assert put(client, monthly, "quarterly", LAST_OF_NOVEMBER).status_code == 200
    to_january = put(client, monthly, "monthly", dt.date(2027, 1, 1))
    assert to_january.status_code == 200
    assert half(monthly, LATE) == "lapsed"


def test_r14_the_page_says_that_a_second_officer_decides(client, house, monthly):
    """R14, R32: the officer's form."""
    client.force_login(house.olivia)
    put(client, monthly, "quarterly", LAST_OF_NOVEMBER)
    page = client.get(reverse("evidence:requirement_edit", args=["shop", monthly.uuid]))
    form = page.context["form"]
    typed = {name: form[name].value() or "" for name in form.fields} | {
        "cadence": "monthly",
        "from_day": str(FIRST_OF_DECEMBER),
        "reason": "A mistake",
    }
    answer = client.post(page.request["PATH_INFO"], typed, follow=True)
    assert "second officer" in answer.content.decode()
    assert RetrospectiveChange.objects.get().kind == "long-grace"


def test_r11_joined_and_taken_apart_is_no_way_around_it(client, house, monthly):
    """R11, R14, R32: an ask that is rarer on the last day of a month only."""
    other = house.requirement("si-2")
    client.force_login(house.olivia)
    body = {
        "system": "shop",
        "title": "One look at all of it",
        "cadence": "quarterly",
        "purpose": monthly.purpose,
        "from_day": str(LAST_OF_NOVEMBER),
        "controls": [
            {"requirement": str(row.uuid), "what_it_shows": "The list"}
            for row in (monthly, other)
        ],
    }
    joined = client.post("/api/v1/asks/", body, "application/json")
    assert joined.status_code == 201, joined.json()
    url = f"/api/v1/asks/{joined.json()['uuid']}/"
    apart = {
        "from_day": str(FIRST_OF_DECEMBER),
        "requirements": [str(monthly.uuid)],
    }
    refused = client.post(f"{url}split/", apart, "application/json")
    assert refused.status_code == 400, refused.json()
    assert "nothing has fallen due" in str(refused.json()["errors"]["from_day"])
    later = apart | {"from_day": "2027-01-01"}
    assert client.post(f"{url}split/", later, "application/json").status_code == 200
    assert half(monthly, LATE) == "lapsed"


@pytest.mark.parametrize("rarer", ["quarterly", "half-yearly", "yearly"])
def test_r13_a_rarer_cadence_ends_no_lapse(client, house, rarer):
    """R13: October fell due on 10 November by the terms of then and was not performed;
    asking less often from today on brings September's proof back to life on no day."""
    asked = house.requirement()
    september = dt.date(2026, 9, 1), dt.date(2026, 9, 30)
    submit(
        replace(
            houses.patch_report(),
            performed_on=september[1],
            period_start=september[0],
            period_end=september[1],
        ),
        [store("september.txt", [b"patched in September"])],
        requirement=asked,
        by=house.alice,
        today=TODAY,
    ).accept(by=house.rita)
    assert half(asked, TODAY) == "lapsed"
    client.force_login(house.olivia)
    assert put(client, asked, rarer, TODAY).status_code == 200
    asked.refresh_from_db()
    assert (asked.cadence, half(asked, TODAY)) == (rarer, "lapsed")
    houses.submitted(house, requirement=asked).accept(by=house.rita)
    assert half(asked, TODAY) in {"proven", "expiring"}


def test_r11_what_is_put_off_is_retired_until_then(client, house, monthly):
    """R11, R32: one officer retires an ask where another asks as much from that day on,
    and would then put the other one off: a rarer ask alone would be left."""
    factories.ask_for(
        monthly.implementation,
        "A look",
        cadence="yearly",
        operates_from=monthly.operates_from,
    )
    client.force_login(house.olivia)
    body = {
        "system": "shop",
        "control_id": "cm-8",
        "title": "The same anew",
        "cadence": "monthly",
        "purpose": monthly.purpose,
        "operates_from": str(FIRST_OF_DECEMBER),
    }
    added = client.post("/api/v1/requirements/", body, "application/json").json()
    end = {"until": str(FIRST_OF_DECEMBER), "reason": "Written anew."}
    retired = client.post(
        f"/api/v1/requirements/{monthly.uuid}/retire/", end, "application/json"
    )
    assert retired.status_code == 200, retired.content
    anew = RequirementControl.objects.get(uuid=added["uuid"])
    later = {"operates_from": "2028-12-01", "reason": "Later will do."}
    put_off = put(client, anew, "monthly", FIRST_OF_DECEMBER, **later)
    assert (put_off.status_code, put_off.json()["kind"]) == (202, "long-grace")
    anew.refresh_from_db()
    assert anew.operates_from == FIRST_OF_DECEMBER
    sooner = put(client, anew, "monthly", FIRST_OF_DECEMBER, operates_from=str(TODAY))
    assert sooner.status_code == 200
