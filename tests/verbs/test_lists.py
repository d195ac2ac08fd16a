"""AC-05, IN-03: what confirming a list of an auditor's answers from each state.

A list of requests, and a file of findings: both are seen first. audrey sent it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse

from controls.engagement_scope import choose_controls
from controls.engagements import end_engagement
from controls.models import Engagement, Membership
from evidence.models import EvidenceRequest, FailingObservation
from tests.evidence.house import House, file
from tests.one_day import BEGINS, TODAY
from tests.sign_ins import sign_in_just_now
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells
from tests.verbs.states import DAY

pytestmark = pytest.mark.django_db
SENTENCES = {
    "another's": "no longer there",
    "forged": "Send the list again.",
    "asked": "Asked by somebody else under the same number",
    "changed": "changed since the preview",
    "signed-out": "",
    "gone": "",
}
# `confirmed`: the same preview once already; `changed`: what it shows is there by now;
# `narrowed`: its control is out of the audit's scope since; `over`: the auditor's days
# are; `ended`: the audit is; `closed`: the account is; `another`: somebody else's file,
# or a token that nobody sealed.
TABLE = """
verb      door  seen                       confirmed                  changed         narrowed                     over      ended     closed                     another
requests  page  =1 requests, 0 observed    =1 requests, 0 observed    409 asked       =1 requests, 0 observed      404 gone  404 gone  =0 requests, 0 observed  409 forged
requests  api   =1 requests, 0 observed    =1 requests, 0 observed    409 asked       =1 requests, 0 observed      404 gone  404 gone  401 signed-out  409 forged
findings  page  =0 requests, 1 observed    =0 requests, 1 observed    409 changed     409 changed                  404 gone  404 gone  =0 requests, 0 observed  409 another's
findings  api   =0 requests, 1 observed    =0 requests, 1 observed    409 changed     409 changed                  404 gone  404 gone  401 signed-out  409 another's
"""  # noqa: E501 - one line for each verb and door
LIST = b"Number,Request,Controls\nR-1,Show,CM-8\n"
ACCOUNT = "111122223333"
FINDING = {
    "Id": f"arn:aws:securityhub:us-east-1:{ACCOUNT}:finding/1",
    "AwsAccountId": ACCOUNT,
    "ProductArn": "arn:aws:securityhub:us-east-1::product/aws/securityhub",
    "Title": "A check",
    "Description": "What it looks at.",
    "CreatedAt": "2026-11-02T10:00:00.000Z",
    "UpdatedAt": "2026-11-20T10:00:00.000Z",
    "Resources": [{"Type": "AwsIamUser", "Id": "arn:one"}],
    "Compliance": {
        "Status": "FAILED",
        "SecurityControlId": "IAM.1",
        "RelatedRequirements": ["NIST.800-53.r5 CM-8"],
    },
    "Workflow": {"Status": "NEW"},
    "RecordState": "ACTIVE",
}


@dataclass
class Case:
    """A preview that somebody sent, and who comes back to confirm it."""

    house: House
    verb: str
    engagement: Engagement
    token: str
    by: str = "audrey"


@pytest.fixture
def house(settings, tmp_path) -> House:
    return states.build(settings, tmp_path)


def preview(verb: str, engagement: Engagement, by) -> str:
    """The token of the list, as the API answers with it."""
    client = Client()
    sign_in_just_now(client, by)
    address, name, content, more = {
        "requests": (
            f"/api/v1/engagements/{engagement.uuid}/request-list/plan/",
            "list.csv",
            LIST,
            {"due_on": str(TODAY + 9 * DAY)},
        ),
        "findings": (
            "/api/v1/systems/shop/finding-imports/preview/",
            "findings.json",
            json.dumps([FINDING]).encode(),
            {"accounts": ACCOUNT},
        ),
    }[verb]
    answer = client.post(address, more | {"file": file(name, content)})
    assert answer.status_code == 200, answer.content
    return str(answer.json()["token"])


def confirm(case: Case, door: str, token: str, by) -> Attempt:
    """The request that confirms it at a door."""
    if case.verb == "requests":
        uuid = case.engagement.uuid
        if door == "api":
            address = f"/api/v1/engagements/{uuid}/request-list/confirm/"
            return Attempt(by, address, {"token": token}, api=True)
        address = reverse("evidence:request_list_confirm", args=[uuid])
        return Attempt(by, address, {"token": token})
    if door == "api":
        address = "/api/v1/systems/shop/finding-imports/"
        return Attempt(by, address, {"token": token}, api=True)
    address = reverse("evidence:finding_import_confirm", args=["shop", token])
    return Attempt(by, address, {})


def made(house: House, row: Row, state: str) -> Case:
    """A preview of audrey's; what happened since."""
    engagement = house.audrey.memberships.get().engagement
    token = preview(row.verb, engagement, house.audrey)
    case = Case(house, row.verb, engagement, token)
    if state in {"confirmed", "changed"}:
        again = (
            token
            if state == "confirmed"
            else preview(row.verb, engagement, house.audrey)
        )
        client = Client()
        sign_in_just_now(client, house.audrey)
        sent = confirm(case, "api", again, house.audrey)
        done = client.post(sent.address, sent.body, "application/json")
        assert done.status_code == 201, done.content
    if state == "narrowed":
        why = "Agreed with the firm."
        choose_controls(engagement, ["ac-1"], reason=why, by=house.olivia)
    if state == "over":
        days = Membership.objects.filter(user=house.audrey)
        days.update(ends_at=BEGINS - DAY / 48)
    if state == "ended":
        end_engagement(engagement, by=house.olivia, now=BEGINS)
    if state == "closed":
        case.by = "audrey"
        type(house.audrey).objects.filter(pk=house.audrey.pk).update(is_active=False)
    if state == "another":
        case.by = "olivia" if row.verb == "findings" else "audrey"
        if row.verb == "requests":
            case.token = preview("requests", engagement, house.audrey)[:-3] + "xyz"
    return case


def attempt(row: Row, case: Case) -> Attempt:
    return confirm(case, row.door, case.token, case.house.people[case.by])


def state_of(case: Case) -> str:
    requests = EvidenceRequest.objects.filter(engagement=case.engagement).count()
    return f"{requests} requests, {FailingObservation.objects.count()} observed"


@pytest.mark.parametrize("row", rows_of(TABLE))
def test_what_confirming_a_list_answers(house, row: Row) -> None:
    wrong = wrong_cells(row, partial(made, house, row), attempt, state_of, SENTENCES)
    assert not wrong, "\n".join([str(row), *wrong])
