"""R20, R23: what registering a series, and a report of it, answers.

regina keeps the register, rufus does too.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from django.urls import reverse

from controls.models import InstallationRole, Role, User
from evidence.artifacts import register
from evidence.models import Artifact
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, give
from tests.one_day import BEGINS
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
ENDS = TODAY - 30 * DAY
STARTS = ENDS - 180 * DAY
SENTENCES = {
    "taken": "already exists",
    "label": "A report of this series is called “Spring” already.",
    "own": "An assessment has the scheme “Our own assessment”",
    "ahead": "A report cannot speak of days to come",
    "ordered": "ends on or after its first day",
    "no-region": "This is not the name of a region: Frankfurt.",
    "no-sites": "AWS's reports name services and regions, no sites.",
    "no-registrar": "Only a registrar of reports may change the register.",
    "signed-out": "",
}
# A cell says how many series and reports there are. `taken`: its short name, or label,
# is; `wrong`: our own assessment of a SOC scheme; the report's region is none; `twin`:
# a report that stands speaks of the same days; `ahead`: it ends tomorrow; `back`: it
# ends before it begins; `over` and `closed`: regina's role, or account, is.
TABLE = """
verb    door  free  taken      wrong          twin  ahead      back         over              closed
series  page  =2, 0  400 taken  400 own        -     -          -            403 no-registrar  =1, 0
series  api   =2, 0  400 taken  400 own        -     -          -            403 no-registrar  401 signed-out
report  page  =1, 1  400 label  400 no-region  =1, 2  400 ahead  400 ordered  403 no-registrar  =1, 0
report  api   =1, 1  400 label  400 no-region  =1, 2  400 ahead  400 ordered  403 no-registrar  401 signed-out
"""  # noqa: E501 - one line for each verb and door


@dataclass
class Case:
    """A series that is there, and what is sent besides."""

    house: House
    soc2: Artifact
    state: str


@pytest.fixture
def house(settings, tmp_path) -> House:
    built = states.build(settings, tmp_path)
    built.people["regina"] = houses.person("regina")
    give(built, "regina", Role.READER)
    factories.give_installation_roles(built.regina, "registrar")
    return built


def made(house: House, row: Row, state: str) -> Case:
    soc2 = factories.make_artifact(house.regina, ["pe-3"])
    if row.verb == "report" and state in {"taken", "twin"}:
        label = "Spring" if state == "taken" else "Winter"
        register.register_version(
            soc2, starts=STARTS, ends=ENDS, services=["*"], regions=["*"],
            label=label, by=house.regina,
        )  # fmt: skip
    if state == "over":
        InstallationRole.objects.filter(user=house.regina).update(
            ends_at=BEGINS - DAY / 48
        )
    if state == "closed":
        User.objects.filter(pk=house.regina.pk).update(is_active=False)
    return Case(house, soc2, state)


def attempt(row: Row, case: Case) -> Attempt:
    by, api, state = case.house.regina, row.door == "api", case.state
    if row.verb == "series":
        body: dict[str, Any] = {
            "title": "AWS C5",
            "provider": "AWS",
            "series": case.soc2.series if state == "taken" else "aws-c5",
            "kind": "assessment" if state == "wrong" else "period",
            "scheme": "soc2",
        }
        if api:
            return Attempt(by, "/api/v1/artifacts/", body, api=True)
        return Attempt(by, reverse("evidence:artifact_new"), body)
    ends = {"ahead": TODAY + DAY, "back": STARTS - DAY}.get(state, ENDS)
    region = "Frankfurt" if state == "wrong" else "eu-central-1"
    body = {
        "label": "Spring",
        "reference": "R-17",
        "starts": str(STARTS),
        "ends": str(ends),
        "opinion": "Unqualified",
        "partition": "aws",
    }
    if api:
        body |= {"services": ["s3"], "regions": [region]}
        address = f"/api/v1/artifacts/{case.soc2.uuid}/versions/"
        return Attempt(by, address, body, api=True)
    body |= {"services": ["s3"], "regions": region}
    return Attempt(by, reverse("evidence:version_new", args=[case.soc2.uuid]), body)


def state_of(case: Case) -> str:
    return f"{Artifact.objects.count()}, {case.soc2.versions.count()}"


@pytest.mark.parametrize("row", rows_of(TABLE))
def test_what_registering_answers(house, row: Row) -> None:
    wrong = wrong_cells(row, partial(made, house, row), attempt, state_of, SENTENCES)
    assert not wrong, "\n".join([str(row), *wrong])
