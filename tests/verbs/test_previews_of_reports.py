"""R23, R24, R26: what confirming a preview answers: of a report's scope, its coverage,
what it expects of us, and of what an account uses.

regina sent the reports' lists, oscar the account's.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from controls.models import InstallationRole, Membership, Role, User
from evidence.artifacts import register
from evidence.artifacts.reliance import record_reliance
from evidence.models import ArtifactVersion
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, file, give
from tests.one_day import BEGINS
from tests.sign_ins import sign_in_just_now
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
ENDS = TODAY - 30 * DAY
SENTENCES = {
    "changed": "changed since. Send the list again.",
    "by-now": "The system uses one of them by now. Send the list again.",
    "read": "This report was reviewed with the scope that it has",
    "withdrawn": "Its auditor withdrew this report",
    "closed-scope": "its scope stays as it is",
    "another's": "This preview is somebody else's.",
    "forged": "This preview is too old. Send the list again.",
    "other-lines": "This preview was confirmed before, with other lines chosen",
    "not-here": "",
    "signed-out": "",
}
# `confirmed`: the same preview once already; `other`: once already, with other lines of
# it; `changed`: what it shows is another one since; `read`: the report is relied on
# since; `over` and `closed`: the sender's role, or account, is.
TABLE = """
verb     door  seen               confirmed          other            changed       read               withdrawn         another        forged      over             closed
scope    page  =ec2 s3            =ec2 s3            -                409 changed   409 read           409 closed-scope  409 another's  409 forged  403 not-here     =s3
scope    api   =ec2 s3            =ec2 s3            -                409 changed   409 read           409 closed-scope  409 another's  409 forged  403 not-here     401 signed-out
cover    page  =1 line            =1 line            -                409 changed   =1 line            409 withdrawn     409 another's  409 forged  403 not-here     =0 lines
cover    api   =1 line            =1 line            -                409 changed   =1 line            409 withdrawn     409 another's  409 forged  403 not-here     401 signed-out
expect   page  =1 expected        =1 expected        -                409 changed   =1 expected        409 withdrawn     409 another's  409 forged  403 not-here     =0 expected
expect   api   =1 expected        =1 expected        -                409 changed   =1 expected        409 withdrawn     409 another's  409 forged  403 not-here     401 signed-out
account  page  =iam s3, ec2 ends  =iam s3, ec2 ends  422 other-lines  409 by-now    -                  -                 409 another's  409 forged  404 not-here     =ec2 s3
account  api   =iam s3, ec2 ends  =iam s3, ec2 ends  422 other-lines  409 by-now    -                  -                 409 another's  409 forged  404 not-here     401 signed-out
"""  # noqa: E501 - one line for each verb and door
ROUTES = {
    "scope": ("scope-preview", "scope"),
    "cover": ("coverage/preview", "coverage/import"),
    "expect": ("user-controls/preview", "user-controls/import"),
}
PAGES = {
    "scope": "version_scope_confirm",
    "cover": "version_coverage_import",
    "expect": "version_user_controls_import",
}
CUECS = b"Number,Summary in our words,Our controls\n1,We remove leavers,AC-1\n"
LINES = b"Control,Section\nPE-3,IV.2\n"
ACCOUNT = "/api/v1/systems/shop/account-uses/"
NOTES = {"scope_note": "S3 and EC2 are in it.", "period_note": "It ends in October."}


@dataclass
class Case:
    """A preview that somebody sent, and who comes back to confirm it."""

    house: House
    verb: str
    report: ArtifactVersion
    by: User
    token: str = ""
    end: str = ""
    add: tuple[str, ...] = ("iam",)


@pytest.fixture
def house(settings, tmp_path) -> House:
    built = states.build(settings, tmp_path)
    for name in ("regina", "rufus"):
        built.people[name] = houses.person(name)
        give(built, name, Role.READER)
        factories.give_installation_roles(built.people[name], "registrar")
    return built


def client_of(by: User) -> Client:
    client = Client()
    sign_in_just_now(client, by)
    return client


def preview(case: Case, by: User) -> None:
    """Send the list by the API, and keep its token."""
    client = client_of(by)
    if case.verb == "account":
        answer = client.post(ACCOUNT, {"text": "s3\niam"}, "application/json")
        assert answer.status_code == 200, answer.content
        case.end = answer.json()["unseen"][0]["component"]
    else:
        route, _ = ROUTES[case.verb]
        address = f"/api/v1/artifact-versions/{case.report.uuid}/{route}/"
        if case.verb == "scope":
            body = {"text": "Amazon EC2", "how": "add"}
            answer = client.post(address, body, "application/json")
        else:
            content = LINES if case.verb == "cover" else CUECS
            answer = client.post(address, {"file": file("list.csv", content)})
        assert answer.status_code == 200, answer.content
    case.token = answer.json()["token"]


def confirm(case: Case, door: str, by: User) -> Attempt:
    """The request that confirms it at a door."""
    body: dict[str, Any] = {"token": case.token}
    if case.verb == "account":
        body |= {"from_day": str(TODAY), "add": list(case.add), "end": [case.end]}
        if door == "page":
            address = reverse("evidence:discovery_accept", args=["shop"])
            return Attempt(by, address, body)
        return Attempt(by, f"{ACCOUNT}accept/", body, api=True)
    if door == "page":
        address = reverse(f"evidence:{PAGES[case.verb]}", args=[case.report.uuid])
        return Attempt(by, address, body)
    _, route = ROUTES[case.verb]
    address = f"/api/v1/artifact-versions/{case.report.uuid}/{route}/"
    return Attempt(by, address, body, api=True)


def confirm_now(case: Case) -> None:
    sent = confirm(case, "api", case.by)
    answer = client_of(case.by).post(sent.address, sent.body, "application/json")
    assert answer.status_code == 201, answer.content


def made(house: House, row: Row, state: str) -> Case:
    soc2 = factories.make_artifact(house.regina, ["pe-3"])
    report = factories.make_report(soc2, ENDS - 180 * DAY, ENDS, services=["s3"])
    account = row.verb == "account"
    by = house.oscar if account else house.regina
    case = Case(house, row.verb, report, by)
    preview(case, case.by)
    if state in {"confirmed", "other"}:
        confirm_now(case)
    if state == "other":
        case.add = ()
    if state == "changed":
        first, case.by = case.token, house.otto if account else house.rufus
        preview(case, case.by)
        confirm_now(case)
        case.by, case.token = by, first
    if state == "read":
        record_reliance(report, house.system, conclusion="rely", by=house.rita, **NOTES)
    if state == "withdrawn":
        register.end_version(
            report, state="withdrawn", on=TODAY, reason="They wrote.", by=house.regina
        )
    if state == "another":
        case.by = house.otto if account else house.rufus
    if state == "forged":
        case.token = case.token[:-3] + "xyz"
    if state == "over":
        for rows in (InstallationRole.objects, Membership.objects):
            held = rows.filter(user=case.by).exclude(role=Role.READER)
            held.update(ends_at=BEGINS - DAY / 48)
    if state == "closed":
        User.objects.filter(pk=case.by.pk).update(is_active=False)
    return case


def state_of(case: Case) -> str:
    case.report.refresh_from_db()
    if case.verb == "scope":
        return " ".join(sorted(case.report.service_slugs))
    if case.verb == "cover":
        number = case.report.coverage_lines.count()
        return f"{number} line{'s' * (number != 1)}"
    if case.verb == "expect":
        return f"{case.report.remarks.count()} expected"
    rows = case.house.system.components.select_related("variant__service")
    slugs = {row.variant.service.slug: row.used_until for row in rows}
    ends = [f"{slug} ends" for slug in sorted(slugs) if slugs[slug]]
    staying = " ".join(slug for slug in sorted(slugs) if not slugs[slug])
    return ", ".join([staying, *ends])


@pytest.mark.parametrize("row", rows_of(TABLE))
def test_what_confirming_a_preview_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        partial(made, house, row),
        lambda row, case: confirm(case, row.door, case.by),
        state_of,
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])
