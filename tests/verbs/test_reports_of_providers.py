"""R20, R24: what each verb of a provider's report answers from each of its states."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from django.urls import reverse

from controls.models import InstallationRole, Role, User
from evidence.artifacts import register
from evidence.artifacts.coverage import record_coverage
from evidence.artifacts.coverage_targets import CoverageEntry
from evidence.artifacts.reliance import record_reliance
from evidence.models import ArtifactVersion, DisclosureRecord
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, file, give
from tests.one_day import BEGINS
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
ENDS = TODAY - 30 * DAY
STARTS = ENDS - 180 * DAY
SENTENCES = {
    "ended": "This report is already",
    "changed": "This report changed since you opened it",
    "read": "This report was reviewed with the scope that it has",
    "closed-scope": "its scope stays as it is",
    "closed-lines": "its coverage stays as it is",
    "revoked": "a letter does not cover them",
    "withdrawn": "Its auditor withdrew this report",
    "no-registrar": "Only a registrar of reports may change the register.",
    "no-keeper": "Only registrars of reports, and officers of systems that cite",
    "signed-out": "",
}
# A cell says where the report stands and what came to it: `relied on` is a report that
# rita has read, `over` that its registrar's role is over, `closed` that the account is.
TABLE = """
verb       door  registered            relied on             superseded              revoked                 withdrawn      over              closed
supersede  page  =superseded           =superseded           409 ended               409 ended               409 ended      403 no-registrar  =active
supersede  api   =superseded           =superseded           409 ended               409 ended               409 ended      403 no-registrar  401 signed-out
revoke     page  =revoked              =revoked              =revoked                409 ended               409 ended      403 no-registrar  =active
revoke     api   =revoked              =revoked              =revoked                409 ended               409 ended      403 no-registrar  401 signed-out
withdraw   page  =withdrawn            =withdrawn            =withdrawn              =withdrawn              409 ended      403 no-registrar  =active
withdraw   api   =withdrawn            =withdrawn            =withdrawn              =withdrawn              409 ended      403 no-registrar  401 signed-out
stale end  page  409 changed           409 changed           409 changed             409 changed             409 ended      403 no-registrar  =active
stale end  api   412 changed           412 changed           412 changed             412 changed             409 ended      403 no-registrar  401 signed-out
continue   page  =active, a letter     =active, a letter     =superseded, a letter   409 revoked             409 withdrawn  403 no-registrar  =active
continue   api   =active, a letter     =active, a letter     =superseded, a letter   409 revoked             409 withdrawn  403 no-registrar  401 signed-out
remark     page  =active, a remark     =active, a remark     =superseded, a remark   =revoked, a remark      409 withdrawn  403 no-registrar  =active
remark     api   =active, a remark     =active, a remark     =superseded, a remark   =revoked, a remark      409 withdrawn  403 no-registrar  401 signed-out
expect     page  =active               =active               =superseded             =revoked                409 withdrawn  403 no-registrar  =active
expect     api   =active               =active               =superseded             =revoked                409 withdrawn  403 no-registrar  401 signed-out
scope      page  =active               409 read              409 closed-scope        409 closed-scope        409 closed-scope  403 no-registrar  =active
scope      api   =active               409 read              409 closed-scope        409 closed-scope        409 closed-scope  403 no-registrar  401 signed-out
cover      page  =active, a line       =active, a line       =superseded, a line     =revoked, a line        409 closed-lines  403 no-registrar  =active
cover      api   =active, a line       =active, a line       =superseded, a line     =revoked, a line        409 closed-lines  403 no-registrar  401 signed-out
list       page  =active               =active               =superseded             =revoked                409 closed-lines  403 no-registrar  =active
list       api   =active               =active               =superseded             =revoked                409 closed-lines  403 no-registrar  401 signed-out
copy       page  =active, a line       =active, a line       =superseded, a line     =revoked, a line        409 closed-lines  403 no-registrar  =active
copy       api   =active, a line       =active, a line       =superseded, a line     =revoked, a line        409 closed-lines  403 no-registrar  401 signed-out
give       page  =active, a recipient  =active, a recipient  =superseded, a recipient  =revoked, a recipient  =withdrawn, a recipient  403 no-keeper  =active
rely       page  =active, a review     =active, a review     =superseded, a review   =revoked, a review      409 withdrawn  =active, a review  =active, a review
rely       api   =active, a review     =active, a review     =superseded, a review   =revoked, a review      409 withdrawn  =active, a review  =active, a review
not rely   page  =active, a review     =active, a review     =superseded, a review   =revoked, a review      =withdrawn, a review  =active, a review  =active, a review
not rely   api   =active, a review     =active, a review     =superseded, a review   =revoked, a review      =withdrawn, a review  =active, a review  =active, a review
"""  # noqa: E501 - one line for each verb and door
NOTES = {"scope_note": "S3 and EC2 are in it.", "period_note": "It ends in October."}
CUECS = b"Number,Summary in our words,Our controls\n1,We remove leavers,AC-1\n"
LINES = b"Control,Section\nPE-3,IV.2\n"


@dataclass
class Case:
    """A report in a state, who keeps it, and what it had when it was made."""

    house: House
    report: ArtifactVersion
    by: User
    before: dict[str, int]


@pytest.fixture
def house(settings, tmp_path) -> House:
    """regina keeps the register; she reads the system, and is no officer."""
    built = states.build(settings, tmp_path)
    built.people["regina"] = houses.person("regina")
    give(built, "regina", Role.READER)
    factories.give_installation_roles(built.regina, "registrar")
    return built


def parts_of(report: ArtifactVersion) -> dict[str, int]:
    return {
        "letter": report.letters.count(),
        "remark": report.remarks.count(),
        "line": report.coverage_lines.count(),
        "review": report.reliance_reviews.count(),
        "recipient": DisclosureRecord.objects.filter(artifact_version=report).count(),
    }


def made(house: House, state: str) -> Case:
    """A report of regina's whose series has an earlier one with a line for PE-3."""
    soc2 = factories.make_artifact(house.regina, ["pe-3"])
    before = factories.make_report(soc2, STARTS - 180 * DAY, STARTS - DAY)
    record_coverage(before, [CoverageEntry("pe-3")], by=house.regina)
    report = factories.make_report(soc2, STARTS, ENDS, services=["s3"])
    if state == "relied on":
        record_reliance(report, house.system, conclusion="rely", by=house.rita, **NOTES)
    if state in register.ENDS:
        register.end_version(
            report, state=state, on=ENDS, reason="They wrote.", by=house.regina
        )
    if state == "over":
        InstallationRole.objects.filter(user=house.regina).update(
            ends_at=BEGINS - DAY / 48
        )
    if state == "closed":
        User.objects.filter(pk=house.regina.pk).update(is_active=False)
    return Case(house, report, house.regina, parts_of(report))


def state_of(case: Case) -> str:
    case.report.refresh_from_db()
    now = parts_of(case.report)
    came = [f"a {name}" for name in now if now[name] != case.before[name]]
    return ", ".join([case.report.state, *came])


def attempt(row: Row, case: Case) -> Attempt:
    """The request by which a verb is taken on the report."""
    report, api = case.report, row.door == "api"
    by = case.house.rita if row.verb.endswith("rely") else case.by
    page, route, body, headers = _request(row.verb, report, api)
    if not api:
        return Attempt(by, page, body)
    address = f"/api/v1/artifact-versions/{report.uuid}/{route}"
    return Attempt(by, address, body, api=True, headers=headers)


def _request(
    verb: str, report: ArtifactVersion, api: bool
) -> tuple[str, str, dict[str, Any], dict[str, str]]:
    """Page, route, body and headers of a verb."""
    uuid = report.uuid
    ends = {"supersede": "superseded", "revoke": "revoked", "withdraw": "withdrawn"}
    if verb in ends or verb == "stale end":
        stale = verb == "stale end"
        version = report.version + 7 if stale else report.version
        body = {
            "state": ends.get(verb, "withdrawn"),
            "ended_on" if api else "on": str(ENDS),
            "reason": "Their letter of 2 November.",
        }
        page = reverse("evidence:version_end", args=[uuid])
        body |= {} if api else {"version": version}
        return page, "end/", body, {"If-Match": f'"{uuid}:{version}"'}
    if verb == "continue":
        page = reverse("evidence:letter_new", args=[uuid])
        days = {"issued_on": str(TODAY), "ends": str(TODAY)}
        return page, "letters/", days, {}
    if verb == "remark":
        page = reverse("evidence:remark_new", args=[uuid])
        body = {"kind": "exception", "title": "7.2", "text": "Doors stood open."}
        touched = ["pe-3"] if api else "pe-3"
        return page, "remarks/", body | {"control_ids": touched}, {}
    if verb in {"expect", "list"}:
        name, content = ("cuecs", CUECS) if verb == "expect" else ("lines", LINES)
        view = {"expect": "user_controls", "list": "coverage_preview"}[verb]
        route = {"expect": "user-controls", "list": "coverage"}[verb]
        page = reverse(f"evidence:version_{view}", args=[uuid])
        return page, f"{route}/preview/", {"file": file(f"{name}.csv", content)}, {}
    if verb == "scope":
        page = reverse("evidence:version_scope", args=[uuid])
        return page, "scope-preview/", {"text": "Amazon EC2", "how": "add"}, {}
    if verb == "cover":
        page = reverse("evidence:version_coverage", args=[uuid])
        line = {"section": "IV.2"}
        if api:
            return page, "coverage/", {"lines": [line | {"control": "PE-3"}]}, {}
        return page, "", line | {"controls": "PE-3"}, {}
    if verb == "copy":
        page = reverse("evidence:version_coverage_begin", args=[uuid])
        return page, "coverage/copy-forward/", {} if api else {"how": "copy"}, {}
    if verb == "give":
        page = reverse("evidence:disclosure_new", args=[uuid])
        body = {
            "recipient": "Una",
            "firm": "Firm",
            "given_on": str(TODAY),
            "reason": "Their audit.",
            "agreement": "NDA",
        }
        return page, "", body, {}
    page = reverse("evidence:reliance", args=["shop", uuid])
    word = "do-not-rely" if verb == "not rely" else "rely"
    body = NOTES | {"conclusion": word}
    return page, "reliance/", body | ({"system": "shop"} if api else {}), {}


@pytest.mark.parametrize("row", rows_of(TABLE))
def test_what_each_verb_of_a_report_answers(house, row: Row) -> None:
    wrong = wrong_cells(row, partial(made, house), attempt, state_of, SENTENCES)
    assert not wrong, "\n".join([str(row), *wrong])
