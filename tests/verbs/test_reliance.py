"""R24, R32: what concluding on a report answers from each state it may have got into
since the page was opened.

rita reads it; raul is another reviewer, regina keeps the register.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse

from controls.models import Membership, Role, User
from controls.reference.aws_names import lines_of_text
from evidence.artifacts import register
from evidence.artifacts.reliance import record_reliance
from evidence.artifacts.remarks import register_remark
from evidence.artifacts.scope import confirm_scope, propose_scope, sealed_scope
from evidence.models import ArtifactVersion
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, give
from tests.one_day import BEGINS
from tests.sign_ins import sign_in_just_now
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
ENDS = TODAY - 30 * DAY
STARTS = ENDS - 180 * DAY
SENTENCES = {
    "stale": "What stands on this page changed since you opened it",
    "letter": "was registered since you opened this page",
    "tag": "This report changed since you opened it",
    "opinion": "it cannot be relied on as it is",
    "withdrawn": "Its auditor withdrew this report",
    "hand": "somebody else must review whether to rely on it",
    "why": "Say which of your services and regions are in its scope.",
    "not-here": "",
    "signed-out": "",
}
# A cell says what rita concluded, after what was concluded before. `reviewed`: raul did
# after she opened the page; `exception`: one was noted since, `letter`: one came,
# `scoped`: its scope was set, `withdrawn`: its auditor did that; `qualified` is its
# opinion; `before`: raul relied on it before she opened the page; `registrar`: she
# registered its series; `over`: her role is, `closed`: her account.
TABLE = """
verb      door  opened         reviewed             exception      letter         scoped         withdrawn        qualified       before               registrar  over          closed
rely      page  =rely          409 stale            409 stale      409 letter     409 stale      409 stale        400 opinion     =rely, rely          403 hand   404 not-here  =nothing
rely      api   =rely          =rely, rely          =rely          =rely          412 tag        412 tag          400 opinion     =rely, rely          403 hand   404 not-here  401 signed-out
respond   page  =rely-with-response  409 stale      409 stale      409 letter     409 stale      409 stale        =rely-with-response  =rely, rely-with-response  403 hand  404 not-here  =nothing
respond   api   =rely-with-response  =rely, rely-with-response  =rely-with-response  =rely-with-response  412 tag  412 tag  =rely-with-response  =rely, rely-with-response  403 hand  404 not-here  401 signed-out
not rely  page  =do-not-rely   409 stale            409 stale      409 letter     409 stale      409 stale        =do-not-rely    =rely, do-not-rely   403 hand   404 not-here  =nothing
not rely  api   =do-not-rely   =rely, do-not-rely   =do-not-rely   =do-not-rely   412 tag        412 tag          =do-not-rely    =rely, do-not-rely   403 hand   404 not-here  401 signed-out
mutely    page  400 why        409 stale            409 stale      400 why        409 stale      409 stale        400 why         400 why              403 hand   404 not-here  =nothing
mutely    api   400 why        400 why              400 why        400 why        412 tag        412 tag          400 why         400 why              403 hand   404 not-here  401 signed-out
"""  # noqa: E501 - one line for each verb and door
NOTES = {"scope_note": "S3 and EC2 are in it.", "period_note": "It ends in October."}
WORDS = {"rely": "rely", "respond": "rely-with-response", "not rely": "do-not-rely"}
HIDDEN = re.compile(r'name="(seen|letters)" value="([^"]*)"')


@dataclass
class Case:
    """A report as rita saw it, and what its page sends besides what she types."""

    house: House
    report: ArtifactVersion
    version: int
    hidden: dict[str, list[str]]


@pytest.fixture
def house(settings, tmp_path) -> House:
    built = states.build(settings, tmp_path)
    built.people["regina"] = houses.person("regina")
    give(built, "regina", Role.READER)
    factories.give_installation_roles(built.regina, "registrar")
    return built


def opened(house: House, report: ArtifactVersion) -> dict[str, list[str]]:
    """The hidden fields of the page."""
    client = Client()
    sign_in_just_now(client, house.rita)
    page = client.get(reverse("evidence:reliance", args=["shop", report.uuid]))
    hidden: dict[str, list[str]] = {}
    for name, value in HIDDEN.findall(page.content.decode()):
        hidden.setdefault(name, []).append(value)
    return hidden


def read_by_raul(house: House, report: ArtifactVersion) -> None:
    record_reliance(report, house.system, conclusion="rely", by=house.raul, **NOTES)


def made(house: House, state: str) -> Case:
    of_series = house.rita if state == "registrar" else house.regina
    soc2 = factories.make_artifact(of_series, ["pe-3"])
    report = factories.make_report(soc2, STARTS, ENDS, services=["s3"], by=house.regina)
    if state == "qualified":
        report.opinion = "Qualified"
        report.save(update_fields=["opinion"])
    if state == "before":
        read_by_raul(house, report)
    case = Case(house, report, report.version, opened(house, report))
    by = house.regina
    if state == "reviewed":
        read_by_raul(house, report)
    if state == "exception":
        register_remark(report, kind="exception", title="7.2", control_ids=["pe-3"],
                        by=by)  # fmt: skip
    if state == "letter":
        register.add_letter(report, issued_on=TODAY, ends=TODAY, by=by)
    if state == "scoped":
        lines = lines_of_text("Amazon EC2")
        token = sealed_scope(report, propose_scope(report, lines, "add", by=by), by=by)
        confirm_scope(report, token, by=by)
    if state == "withdrawn":
        register.end_version(
            report, state="withdrawn", on=TODAY, reason="They wrote.", by=by
        )
    if state == "over":
        Membership.objects.filter(user=house.rita).update(ends_at=BEGINS - DAY / 48)
    if state == "closed":
        User.objects.filter(pk=house.rita.pk).update(is_active=False)
    return case


def state_of(case: Case) -> str:
    rows = case.report.reliance_reviews.order_by("pk")
    return ", ".join(rows.values_list("conclusion", flat=True)) or "nothing"


def attempt(row: Row, case: Case) -> Attempt:
    uuid, by = case.report.uuid, case.house.rita
    body = NOTES | {"conclusion": WORDS.get(row.verb, "rely")}
    if row.verb == "mutely":
        body["scope_note"] = " "
    if row.door == "page":
        address = reverse("evidence:reliance", args=["shop", uuid])
        return Attempt(by, address, body | case.hidden)
    address = f"/api/v1/artifact-versions/{uuid}/reliance/"
    tag = {"If-Match": f'"{uuid}:{case.version}"'}
    return Attempt(by, address, body | {"system": "shop"}, api=True, headers=tag)


@pytest.mark.parametrize("row", rows_of(TABLE))
def test_what_concluding_on_a_report_answers(house, row: Row) -> None:
    wrong = wrong_cells(row, partial(made, house), attempt, state_of, SENTENCES)
    assert not wrong, "\n".join([str(row), *wrong])
