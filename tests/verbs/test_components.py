"""R7, R20, R31: what each verb of a component answers from each of its states.

oscar acts, otto decides on what alters days before today.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from django.urls import reverse

from controls.models import Membership, SystemComponent, User
from controls.models.retrospect import RetrospectiveChange
from controls.retrospect import approve
from evidence.systems.component_days import ask_other_days
from evidence.systems.describe import end_component
from evidence.systems.regions import say_regions
from tests.evidence.house import TODAY, House
from tests.one_day import BEGINS
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
BACK = TODAY - 40 * DAY
SENTENCES = {
    "changed": "This changed since you opened it",
    "asked": "has already asked for this.",
    "same": "It is in use on these days already.",
    "why": "Say why the past is to be changed.",
    "said": "Somebody said the regions of",
    "over": "was not in use any more by then",
    "not-here": "",
    "signed-out": "",
}
# A cell says when the use ends (in days from today), and what waits; `unsaid`: nobody
# said where it runs. `ended`: it is over; `ends`: it will be; `waits`: that it ended
# forty days ago does, asked for by oscar; `late`: so long that nobody may decide it;
# `stale`: somebody else has said its end since; `gone`: oscar's role is over; `closed`:
# his account is.
TABLE = """
verb      door  used               ended                ends                waits              late               stale        gone          closed
end       page  =0, unsaid         =-41, unsaid, waits  =0, unsaid          =0, unsaid, waits  =0, unsaid         409 changed  404 not-here  =-, unsaid
end       api   =0, unsaid         =-41, unsaid, waits  =0, unsaid          =0, unsaid, waits  =0, unsaid         412 changed  404 not-here  401 signed-out
end back  page  =-, unsaid, waits  400 same             =+8, unsaid, waits  409 asked          =-, unsaid, waits  409 changed  404 not-here  =-, unsaid
end back  api   =-, unsaid, waits  400 same             =+8, unsaid, waits  409 asked          =-, unsaid, waits  412 changed  404 not-here  401 signed-out
mutely    page  400 why            400 same             400 why             400 why            400 why            409 changed  404 not-here  =-, unsaid
days      page  =-, unsaid, waits  400 same             =+8, unsaid, waits  409 asked          =-, unsaid, waits  409 changed  404 not-here  =-, unsaid
days      api   =-, unsaid, waits  400 same             =+8, unsaid, waits  409 asked          =-, unsaid, waits  412 changed  404 not-here  401 signed-out
regions   page  =-                 =-41                 =+8                 =-, waits          =-                 =0           404 not-here  =-, unsaid
regions   api   =-                 =-41                 =+8                 =-, waits          =-                 =0           404 not-here  401 signed-out
"""  # noqa: E501 - one line for each verb and door


@dataclass
class Case:
    """The use of S3, as oscar saw it."""

    house: House
    component: SystemComponent
    version: int
    known: int


@pytest.fixture
def house(settings, tmp_path) -> House:
    return states.build(settings, tmp_path)


def made(house: House, state: str) -> Case:
    rows = house.system.components.select_related("system", "variant__service")
    component = rows.get(variant__service__slug="s3")
    version = component.version
    if state in {"ends", "stale"}:
        last_day = TODAY + 8 * DAY if state == "ends" else TODAY
        end_component(component, last_day=last_day, by=house.otto, today=TODAY)
    if state in {"ended", "waits", "late"}:
        change = ask_other_days(
            component, used_from=component.used_from, used_until=BACK,
            reason="Nobody said so.", by=house.oscar, today=TODAY,
        )  # fmt: skip
        if state == "ended":
            approve(change, by=house.otto, today=TODAY)
        if state == "late":
            late = TODAY - 31 * DAY
            RetrospectiveChange.objects.update(requested_on=late)
    if state == "gone":
        Membership.objects.filter(user=house.oscar).update(ends_at=BEGINS - DAY / 48)
    if state == "closed":
        User.objects.filter(pk=house.oscar.pk).update(is_active=False)
    component.refresh_from_db()
    if state != "stale":
        version = component.version
    return Case(house, component, version, RetrospectiveChange.objects.count())


def state_of(case: Case) -> str:
    case.component.refresh_from_db()
    until = case.component.used_until
    end = "-"
    if until:
        days = (until - DAY - TODAY).days
        end = f"{days:+d}" if days else "0"
    words = [end]
    if not case.component.regions:
        words.append("unsaid")
    changes = RetrospectiveChange.objects.filter(
        state="requested", requested_on__gte=TODAY - 30 * DAY
    )
    if changes.exists():
        words.append("waits")
    return ", ".join(words)


def attempt(row: Row, case: Case) -> Attempt:
    component, by = case.component, case.house.oscar
    api = row.door == "api"
    verb, _, back = row.verb.partition(" ")
    tag = {"If-Match": f'"{component.uuid}:{case.version}"'}
    route = f"/api/v1/systems/shop/components/{component.uuid}"
    first = component.used_from
    if verb == "regions":
        if api:
            body: dict[str, Any] = {
                "first_day": str(first),
                "components": [
                    {"component": str(component.uuid), "regions": ["eu-west-1"]}
                ],
            }
            address = "/api/v1/systems/shop/components/regions/"
            return Attempt(by, address, body, api=True)
        body = {"first_day": str(first), f"regions-{component.uuid}": "eu-west-1"}
        return Attempt(by, reverse("evidence:regions", args=["shop"]), body)
    last_day = BACK - DAY if back or verb in {"days", "mutely"} else TODAY
    body = {"last_day": str(last_day), "reason": "We left it then."}
    if verb == "mutely":
        body["reason"] = ""
    if verb == "days":
        body["used_from"] = str(first)
    if api:
        return Attempt(by, f"{route}/{verb}/", body, api=True, headers=tag)
    view = "component_days" if verb == "days" else "component_end"
    address = reverse(f"evidence:{view}", args=["shop", component.uuid])
    return Attempt(by, address, body | {"version": case.version})


@pytest.mark.parametrize("row", rows_of(TABLE))
def test_what_each_verb_of_a_component_answers(house, row: Row) -> None:
    wrong = wrong_cells(row, partial(made, house), attempt, state_of, SENTENCES)
    assert not wrong, "\n".join([str(row), *wrong])


def test_regions_that_somebody_said_meanwhile_are_not_passed_over(
    house, client
) -> None:
    """R20: two officers open the page; the second is told, and nothing of it is taken
    in silence."""
    from tests.sign_ins import sign_in_just_now

    s3, ec2 = (
        house.system.components.get(variant__service__slug=slug)
        for slug in ("s3", "ec2")
    )
    say_regions(house.system, {str(s3.uuid): ["eu-west-1"]}, first_day=s3.used_from,
                by=house.otto)  # fmt: skip
    sign_in_just_now(client, house.oscar)
    sent = {
        "first_day": str(s3.used_from),
        f"regions-{s3.uuid}": "us-east-1",
        f"regions-{ec2.uuid}": "us-east-1",
    }
    answer = client.post(reverse("evidence:regions", args=["shop"]), sent)
    assert answer.status_code == 422
    assert "Somebody said the regions of" in answer.content.decode()
    ec2.refresh_from_db()
    assert ec2.regions == []
