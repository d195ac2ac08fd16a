"""R1, R28, R31: what each verb of a component, of a change of services and of an
implementation status answers from each state."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from controls.implementation import describe
from controls.implementation_days import standing, statements_of
from controls.implementation_in_retrospect import request_status_change
from controls.models import (
    ControlImplementation,
    RetrospectiveChange,
    Role,
    SystemComponent,
)
from controls.retrospect import approve
from evidence.systems.component_days import ask_other_days
from evidence.systems.describe import Use, add_component, end_component
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House, give
from tests.one_day import BEGINS, TODAY
from tests.sign_ins import sign_in_just_now
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells
from tests.verbs.states import DAY

pytestmark = pytest.mark.django_db
SENTENCES = {
    "gone": "There is no such",
    "opened": "This changed since you opened it. Look again.",
    "from-then": "It is in use from 20",
    "in-use": "This component is already in use on some of these days.",
    "not-in-use": "is not in use on",
    "days-already": "It is in use on these days already.",
    "said-why": "Say why the services change.",
    "shown-once": "The system changed since this was shown.",
    "anothers": "This preview is somebody else's.",
    "stale": "Somebody saved this control since you opened it.",
    "said-already": "Something is said of these days already.",
    "nothing": "This preview is too old.",
    "not-yours": "Only an officer or the owner team may describe this.",
    "owner": "Only a compliance officer names another owner team.",
}
# A cell says the uses of EC2 and Fargate: days after the window began, to days from
# today on, and how much waits.
COMPONENTS = """
verb          door  used               ending                  ended                   waiting                 never     to-come
end           page  =ec2 0 to 1        =ec2 0 to 1             =ec2 0 to 1             =ec2 0 to 1, 1 waiting  404 gone  400 from-then
end           api   =ec2 0 to 1        =ec2 0 to 1             =ec2 0 to 1             =ec2 0 to 1, 1 waiting  404 gone  400 from-then
end back      page  =ec2 0, 1 waiting  =ec2 0 to 6, 1 waiting  =ec2 0 to 1, 1 waiting  =ec2 0, 2 waiting       404 gone  400 from-then
end back      api   =ec2 0, 1 waiting  =ec2 0 to 6, 1 waiting  =ec2 0 to 1, 1 waiting  =ec2 0, 2 waiting       404 gone  400 from-then
end early     page  400 from-then      400 from-then           400 from-then           400 from-then           404 gone  400 from-then
end early     api   400 from-then      400 from-then           400 from-then           400 from-then           404 gone  400 from-then
end stale     page  409 opened         409 opened              409 opened              409 opened              404 gone  409 opened
end stale     api   412 opened         412 opened              412 opened              412 opened              404 gone  412 opened
end by-ended  page  404 gone           404 gone                404 gone                404 gone                404 gone  404 gone
days          page  =ec2 0, 1 waiting  =ec2 0 to 6, 1 waiting  =ec2 0 to 1, 1 waiting  =ec2 0, 2 waiting       404 gone  =ec2 0, fargate 409, 1 waiting
days          api   =ec2 0, 1 waiting  =ec2 0 to 6, 1 waiting  =ec2 0 to 1, 1 waiting  =ec2 0, 2 waiting       404 gone  =ec2 0, fargate 409, 1 waiting
days crossed  page  400 from-then      400 from-then           400 from-then           400 from-then           404 gone  400 from-then
days crossed  api   400 from-then      400 from-then           400 from-then           400 from-then           404 gone  400 from-then
days never    page  =ec2 0, 1 waiting  =ec2 0 to 6, 1 waiting  =ec2 0 to 1, 1 waiting  =ec2 0, 2 waiting       404 gone  =ec2 0
days never    api   =ec2 0, 1 waiting  =ec2 0 to 6, 1 waiting  =ec2 0 to 1, 1 waiting  =ec2 0, 2 waiting       404 gone  =ec2 0
days ahead    page  =ec2 0, 1 waiting  =ec2 0 to 6, 1 waiting  =ec2 0 to 1, 1 waiting  =ec2 0, 2 waiting       404 gone  400 days-already
days ahead    api   =ec2 0, 1 waiting  =ec2 0 to 6, 1 waiting  =ec2 0 to 1, 1 waiting  =ec2 0, 2 waiting       404 gone  400 days-already
add           page  422 in-use         422 in-use              422 in-use              422 in-use              =ec2 400  422 in-use
add           api   400 in-use         400 in-use              400 in-use              400 in-use              =ec2 400  400 in-use
add back      page  422 in-use         422 in-use              422 in-use              422 in-use              =ec2 360  422 in-use
add back      api   400 in-use         400 in-use              400 in-use              400 in-use              =ec2 360  400 in-use
"""  # noqa: E501 - one line for each verb and door
SWAPS = """
verb           door  seen                      confirmed                 made-since      ended-since                                                                                                                                                                                                               by-ended  another
confirm        page  =ec2 0 to 0, fargate 400  =ec2 0 to 0, fargate 400  409 not-in-use  409 shown-once  404 gone  409 anothers
confirm again  page  =ec2 0 to 0, fargate 400  =ec2 0 to 0, fargate 400  409 not-in-use  409 shown-once  404 gone  409 anothers
no reason      page  422 said-why              =ec2 0 to 0, fargate 400  400 said-why    422 said-why                                                                                                                                                                                                              404 gone  409 anothers
"""  # noqa: E501 - one line for each verb and door
# A cell says the status twenty days ago, today and in twenty days, the owner, and how
# much waits.
STATUSES = """
verb              door  stated                                                   later                                                unstated                                              waiting
describe          page  =implemented partial partial Platform                    =implemented partial planned Platform                =not-stated partial partial Platform                  =implemented partial partial Platform 1 waiting
describe          api   =implemented partial partial Platform                    =implemented partial planned Platform                =not-stated partial partial Platform                  =implemented partial partial Platform 1 waiting
describe stale    page  409 stale                                                409 stale                                            409 stale                                             409 stale
describe stale    api   412 stale                                                412 stale                                            412 stale                                             412 stale
describe back     page  422 said-already                                         422 said-already                                     =not-stated partial partial Platform                  422 said-already
describe back     api   400 said-already                                         400 said-already                                     =not-stated partial partial Platform                  400 said-already
describe other    page  403 not-yours                                            403 not-yours                                        403 not-yours                                         403 not-yours
describe team     page  =implemented partial partial Platform                    =implemented partial planned Platform                =not-stated partial partial Platform                  =implemented partial partial Platform 1 waiting
describe owner    page  403 owner                                                403 owner                                            403 owner                                             403 owner
many              bulk  =implemented partial partial Platform                    =implemented partial planned Platform                =not-stated partial partial Platform                  =implemented partial partial Platform 1 waiting
many back         bulk  409 nothing                                              409 nothing                                          =not-stated partial partial Platform                  409 nothing
earlier           page  =implemented implemented implemented Platform 1 waiting  =implemented implemented planned Platform 1 waiting  =not-stated not-stated not-stated Platform 1 waiting  =implemented implemented implemented Platform 2 waiting
earlier           api   =implemented implemented implemented Platform 1 waiting  =implemented implemented planned Platform 1 waiting  =not-stated not-stated not-stated Platform 1 waiting  =implemented implemented implemented Platform 2 waiting
earlier approved  page  =partial partial partial Platform                        =partial partial planned Platform                    =partial partial partial Platform                     =partial partial partial Platform 1 waiting
"""  # noqa: E501 - one line for each verb and door


@dataclass
class Case:
    """A component, or a control, with what its verbs name."""

    house: House
    row: Any
    token: str = ""
    by: str = "oscar"


@pytest.fixture
def house(settings, tmp_path) -> House:
    built = states.build(settings, tmp_path)
    built.people["ended"] = houses.person("ended")
    give(built, "ended", Role.OFFICER, ends_at=BEGINS - DAY / 48)
    return built


def ec2_of(house: House) -> SystemComponent:
    rows = SystemComponent.objects.select_related("system", "variant__service")
    return rows.get(system=house.system, variant__service__slug="ec2")


def component(house: House, state: str) -> Case:
    """EC2, used since the window began, that stands there."""
    row = ec2_of(house)
    how: dict[str, Any] = {"by": house.oscar, "today": TODAY}
    if state == "to-come":
        chosen = factories.variant("fargate")
        row = add_component(house.system, Use(chosen, TODAY + 9 * DAY), **how)
    if state == "ending":
        end_component(row, last_day=TODAY + 5 * DAY, **how)
    if state == "ended":
        end_component(row, last_day=TODAY, **how)
    if state in {"waiting", "never"}:
        since = None if state == "never" else row.used_from + 30 * DAY
        waits = ask_other_days(
            row, used_from=since, used_until=None, reason="Wrong.", **how
        )
        assert waits
        if state == "never":
            approve(waits, by=house.olivia, today=TODAY)
    row = SystemComponent.objects.filter(pk=row.pk).first() or row
    return Case(house, row)


def state_of_component(case: Case) -> str:
    rows = SystemComponent.objects.filter(
        system=case.house.system, variant__service__slug__in=["ec2", "fargate"]
    ).order_by("variant__service__slug", "used_from")
    begins = case.house.system.window_start
    words = []
    for row in rows.select_related("variant__service"):
        text = f"{row.variant.service.slug} {(row.used_from - begins).days}"
        if row.used_until:
            text += f" to {(row.used_until - TODAY).days}"
        words.append(text)
    waiting = RetrospectiveChange.objects.waiting().count()
    if waiting:
        words.append(f"{waiting} waiting")
    return ", ".join(words) or "none"


def attempt_on_component(row: Row, case: Case) -> Attempt:
    verb, _, how = row.verb.partition(" ")
    house, stored = case.house, case.row
    by = house.people["ended" if how == "by-ended" else "oscar"]
    version = stored.version - (how == "stale")
    api = row.door == "api"
    tag = {"If-Match": f'"{stored.uuid}:{version}"'}
    root = "/api/v1/systems/shop/components/"
    if verb == "swap":
        token = previewed(house, by)
        return confirmation(house, by, token)
    if verb == "add":
        since = TODAY - (40 * DAY if how == "back" else 0 * DAY)
        body: dict[str, Any] = {"used_from": str(since), "reason": "It was there."}
        if api:
            return Attempt(by, root, body | {"service": "ec2"}, api=True)
        body["variant"] = stored.variant_id
        return Attempt(by, reverse("evidence:component_add", args=["shop"]), body)
    if verb == "end":
        back = {"back": 9, "early": 4000}.get(how, 0)
        body = {"last_day": str(TODAY - back * DAY), "reason": "It is off."}
        if api:
            address = f"{root}{stored.uuid}/end/"
            return Attempt(by, address, body, api=True, headers=tag)
        address = reverse("evidence:component_end", args=["shop", stored.uuid])
        return Attempt(by, address, body | {"version": version})
    body = {"reason": "Wrong."}
    if how == "never":
        body |= {} if api else {"never": "on"}
    else:
        first = TODAY + 9 * DAY if how == "ahead" else TODAY - 100 * DAY
        body["used_from"] = str(first)
    if how == "crossed":
        body["last_day"] = str(TODAY - 200 * DAY)
    if api:
        address = f"{root}{stored.uuid}/days/"
        return Attempt(by, address, body, api=True, headers=tag)
    address = reverse("evidence:component_days", args=["shop", stored.uuid])
    return Attempt(by, address, body | {"version": version})


SWAP = {"end": "ec2:standard", "add": "fargate:standard", "first_day": str(TODAY)}


def previewed(house: House, by: Any) -> str:
    """The token of the preview that EC2 gives way to Fargate; empty for none."""
    client = Client()
    sign_in_just_now(client, by)
    answer = client.post(reverse("evidence:services_change", args=["shop"]), SWAP)
    return str(answer.context.get("token") or "none")


def confirmation(house: House, by: Any, token: str, reason: str = "So.") -> Attempt:
    body = SWAP | {"token": token, "reason": reason}
    return Attempt(by, reverse("evidence:services_change", args=["shop"]), body)


def swap(house: House, state: str) -> Case:
    """A preview of oscar's, and what happened since: confirmed once already, made by
    otto from a preview of his, the component ended, the role ended; `another` is
    otto's preview."""
    by = house.otto if state == "another" else house.oscar
    case = Case(house, ec2_of(house), previewed(house, by))
    client = Client()
    if state in {"confirmed", "made-since"}:
        who = house.oscar if state == "confirmed" else house.otto
        token = case.token if state == "confirmed" else previewed(house, who)
        sign_in_just_now(client, who)
        sent = confirmation(house, who, token)
        assert client.post(sent.address, sent.body).status_code == 302
    if state == "ended-since":
        end_component(case.row, last_day=TODAY, by=house.otto, today=TODAY)
    if state == "by-ended":
        house.oscar.memberships.update(ends_at=BEGINS - DAY / 48)
    return case


def attempt_on_swap(row: Row, case: Case) -> Attempt:
    reason = "" if row.verb == "no reason" else "So."
    if row.verb == "confirm again":
        reason = "Another reason."
    return confirmation(case.house, case.house.oscar, case.token, reason)


def control(house: House, state: str) -> Case:
    """CM-8, said to be implemented since the window began, and what else is said."""
    ref_id = "ac-1" if state == "unstated" else "cm-8"
    row = factories.implementation(house.system, ref_id)
    if state == "unstated":
        row.statements.all().delete()
        ControlImplementation.objects.filter(pk=row.pk).update(
            implementation_status="not-stated"
        )
    if state == "later":
        describe(row, implementation_status="planned", customer_statement="",
                 owner_team=row.owner_team, version=None, by=house.oscar, today=TODAY,
                 stated_from=TODAY + 9 * DAY)  # fmt: skip
    if state == "waiting":
        request_status_change(house.system, [ref_id], status="planned",
                              first_day=TODAY - 30 * DAY, reason="It was not.",
                              by=house.oscar, today=TODAY)  # fmt: skip
    row.refresh_from_db()
    return Case(house, row)


def state_of_control(case: Case) -> str:
    held = statements_of([case.row])[case.row.pk]
    words = [standing(held, TODAY + n * DAY)[0] for n in (-20, 0, 20)]
    row = ControlImplementation.objects.get(pk=case.row.pk)
    words.append(str(row.owner_team))
    waiting = RetrospectiveChange.objects.waiting().count()
    if waiting:
        words.append(f"{waiting} waiting")
    return " ".join(words)


def attempt_on_control(row: Row, case: Case) -> Attempt:
    verb, _, how = row.verb.partition(" ")
    house, stored = case.house, case.row
    ref_id = stored.control.ref_id
    who = {"other": "bob", "team": "alice", "owner": "alice"}
    by = house.people[who.get(how, "oscar")]
    if verb == "many":
        return _many(case, by, TODAY - 9 * DAY if how == "back" else TODAY)
    body: dict[str, Any] = {"implementation_status": "partial"}
    if verb == "earlier":
        body |= {"first_day": str(TODAY - 30 * DAY), "reason": "It was not yet."}
        if how == "approved":
            change = request_status_change(
                house.system, [ref_id], status="partial", first_day=TODAY - 31 * DAY,
                reason="Half.", by=house.oscar, today=TODAY,
            )  # fmt: skip
            address = reverse("evidence:retrospective_decide", args=[change.uuid])
            return Attempt(house.olivia, address, {"decision": "approve"})
        if row.door == "api":
            address = "/api/v1/systems/shop/implementation-status/earlier/"
            return Attempt(by, address, body | {"control_ids": [ref_id]}, api=True)
        address = reverse("evidence:status_in_retrospect", args=["shop", ref_id])
        return Attempt(by, address, body)
    version = stored.version - (how == "stale")
    if how == "back":
        body["stated_from"] = str(TODAY - 9 * DAY)
    if row.door == "api":
        tag = {"If-Match": f'"{stored.uuid}:{version}"'}
        address = f"/api/v1/systems/shop/controls/{ref_id}/"
        return Attempt(by, address, body, api=True, headers=tag, method="patch")
    team = house.other_team if how == "owner" else stored.owner_team
    body |= {"version": version, "owner_team": team.pk if team else ""}
    body["customer_statement"] = "We count."
    address = reverse("evidence:control_describe", args=["shop", ref_id])
    return Attempt(by, address, body)


def _many(case: Case, by: Any, day: Any) -> Attempt:
    """Confirms the preview of an act on this control; of no token where it stays."""
    client = Client()
    sign_in_just_now(client, by)
    page = "/api/v1/systems/shop/implementation-status/"
    body = {
        "implementation_status": "partial",
        "stated_from": str(day),
        "control_ids": [case.row.control.ref_id],
    }
    answer = client.post(f"{page}preview/", body, content_type="application/json")
    token = answer.json()["token"] or "none"
    return Attempt(by, f"{page}confirm/", {"token": token}, api=True)


@pytest.mark.parametrize("row", rows_of(COMPONENTS))
def test_what_each_verb_of_a_component_answers(house, row: Row) -> None:
    make = partial(component, house)
    wrong = wrong_cells(row, make, attempt_on_component, state_of_component, SENTENCES)
    assert not wrong, "\n".join([str(row), *wrong])


@pytest.mark.parametrize("row", rows_of(SWAPS))
def test_what_confirming_a_change_of_services_answers(house, row: Row) -> None:
    make = partial(swap, house)
    wrong = wrong_cells(row, make, attempt_on_swap, state_of_component, SENTENCES)
    assert not wrong, "\n".join([str(row), *wrong])


@pytest.mark.parametrize("row", rows_of(STATUSES))
def test_what_each_verb_of_a_status_answers(house, row: Row) -> None:
    make = partial(control, house)
    wrong = wrong_cells(row, make, attempt_on_control, state_of_control, SENTENCES)
    assert not wrong, "\n".join([str(row), *wrong])
