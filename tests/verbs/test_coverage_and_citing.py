"""R24: what each verb of a coverage line answers, and citing from it, from each state.

regina and rufus keep the register, oscar is an officer.
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
from evidence.artifacts.citation_decisions import citation_standings
from evidence.artifacts.citations import cite
from evidence.artifacts.coverage import (
    confirm_coverage,
    copy_coverage,
    record_coverage,
    remove_coverage,
)
from evidence.artifacts.coverage_proposals import propose_coverage
from evidence.artifacts.coverage_targets import CoverageEntry
from evidence.artifacts.reliance import record_reliance
from evidence.artifacts.remarks import register_remark
from evidence.models import Artifact, ArtifactVersion, Citation, CoverageLine
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
    "confirmed": "These lines are confirmed already: PE-3.",
    "changed": "These lines changed since you saw them. Look again.",
    "withdrawn": "Its auditor withdrew this report",
    "why": "Say why",
    "here": "is here already",
    "no-half": "has no half of these here",
    "nothing-here": "provides nothing in Shop",
    "no-registrar": "Only a registrar of reports",
    "not-here": "",
    "not-expected": "No report that stands expects this of us here.",
    "signed-out": "",
}
# A cell says what the report's lines are. `again` was confirmed and then said otherwise
# by rufus after it was shown; `gone` was taken out; `over` and `closed`: regina's role,
# or her account, is.
LINES = """
verb             door  copied           proposed         confirmed        again            gone             withdrawn        over              closed
confirm          page  =PE-3 confirmed  =PE-3 confirmed  409 confirmed    409 changed      409 changed      409 withdrawn    403 no-registrar  =PE-3 open
confirm          api   =PE-3 confirmed  =PE-3 confirmed  409 confirmed    409 changed      409 changed      409 withdrawn    403 no-registrar  401 signed-out
confirm mutely   page  400 why          400 why          400 why          400 why          400 why          409 withdrawn    403 no-registrar  =PE-3 open
take out         page  =nothing         =nothing         =nothing         409 changed      409 changed      409 withdrawn    403 no-registrar  =PE-3 open
take out         api   =nothing         =nothing         =nothing         409 changed      409 changed      409 withdrawn    403 no-registrar  401 signed-out
say              page  =PE-3 confirmed  =PE-3 confirmed  =PE-3 confirmed  =PE-3 confirmed  =PE-3 confirmed  409 withdrawn    403 no-registrar  =PE-3 open
say              api   =PE-3 confirmed  =PE-3 confirmed  =PE-3 confirmed  =PE-3 confirmed  =PE-3 confirmed  409 withdrawn    403 no-registrar  401 signed-out
copy             page  400 here         400 here         400 here         400 here         =PE-3 open       409 withdrawn    403 no-registrar  =PE-3 open
copy             api   400 here         400 here         400 here         400 here         =PE-3 open       409 withdrawn    403 no-registrar  401 signed-out
"""  # noqa: E501 - one line for each verb and door
# A cell says what Shop cites the series for, and what waits. `cited`: by otto before;
# `reviewed`: rita relies on its report; `withdrawn`: its auditor withdrew it; `theirs`:
# a series of another provider; `over`: oscar's role is.
CITING = """
verb      door  lines              cited              reviewed                     withdrawn          theirs            over          closed
cite      page  =cm-8, pe-3, si-2  =cm-8, pe-3, si-2  =cm-8, pe-3, si-2, 3 waiting  =cm-8, pe-3, si-2  400 nothing-here  404 not-here  =nothing
cite      api   =pe-3              =pe-3, si-2        =pe-3, 1 waiting             =pe-3              400 nothing-here  404 not-here  401 signed-out
proposed  page  =pe-3              =pe-3, si-2        =pe-3, 1 waiting             =nothing           400 nothing-here  404 not-here  =nothing
ours      api   400 no-half        400 no-half        400 no-half                  400 no-half        400 nothing-here  404 not-here  401 signed-out
"""  # noqa: E501 - one line for each verb and door
# A cell says what asks for AC-1 that a report expects. `asked`: something does already;
# `let-go`: its auditor withdrew it, and rita does not rely on it since (R32).
ASKING = """
verb  door  expected  asked    superseded  revoked  withdrawn  let-go            over
ask   page  =1 asks   =2 asks  =1 asks     =1 asks  =1 asks    422 not-expected  404 not-here
ask   api   =1 asks   =2 asks  =1 asks     =1 asks  =1 asks    404 not-here      404 not-here
"""  # noqa: E501 - one line for each verb and door
NOTES = {"scope_note": "S3 and EC2 are in it.", "period_note": "It ends in October."}


@dataclass
class Case:
    """A report with a line in a state, as it was shown, and who comes back."""

    house: House
    report: ArtifactVersion
    by: User
    shown: tuple[str, int] = ("", 1)


@pytest.fixture
def house(settings, tmp_path) -> House:
    built = states.build(settings, tmp_path)
    for name in ("regina", "rufus"):
        built.people[name] = houses.person(name)
        give(built, name, Role.READER)
        factories.give_installation_roles(built.people[name], "registrar")
    return built


def entry(section: str = "IV.2") -> list[CoverageEntry]:
    return [CoverageEntry("pe-3", section=section)]


def line(house: House, state: str) -> Case:
    """The line of a report whose series has an earlier one with a line for PE-3."""
    soc2 = factories.make_artifact(house.regina, [])
    before = factories.make_report(soc2, STARTS - 180 * DAY, STARTS - DAY)
    record_coverage(before, entry(), by=house.regina)
    report = factories.make_report(soc2, STARTS, ENDS)
    if state == "proposed":
        propose_coverage(report, ["pe"], by=house.regina)
        others = report.coverage_lines.exclude(control__ref_id="pe-3")
        CoverageLine.objects.filter(pk__in=others).delete()
    else:
        copy_coverage(report, by=house.regina)
    made = report.coverage_lines.get()
    shown = (str(made.uuid), made.version)
    versions = dict([shown])
    if state in {"confirmed", "again"}:
        confirm_coverage(report, versions, reason="Read it.", by=house.rufus)
        made.refresh_from_db()
        shown = (shown[0], made.version)
    if state == "again":
        record_coverage(report, entry("V.1"), by=house.rufus)
    if state == "gone":
        remove_coverage(report, versions, by=house.rufus)
    if state == "withdrawn":
        register.end_version(
            report, state="withdrawn", on=TODAY, reason="They wrote.", by=house.regina
        )
    let_go(house.regina, state)
    return Case(house, report, house.regina, shown)


def let_go(person: User, state: str) -> None:
    if state == "over":
        for rows in (InstallationRole.objects, Membership.objects):
            held = rows.filter(user=person).exclude(role=Role.READER)
            held.update(ends_at=BEGINS - DAY / 48)
    if state == "closed":
        User.objects.filter(pk=person.pk).update(is_active=False)


def lines_of(case: Case) -> str:
    rows = case.report.coverage_lines.select_related("control")
    words = [
        f"{row.control.label} {'confirmed' if row.confirmed_by_id else 'open'}"
        for row in rows
    ]
    return ", ".join(words) or "nothing"


def on_line(row: Row, case: Case) -> Attempt:
    uuid, by, api = case.report.uuid, case.by, row.door == "api"
    shown, version = case.shown
    route = f"/api/v1/artifact-versions/{uuid}/coverage/"
    if row.verb == "say":
        said = {"section": "VI.9"}
        if api:
            body: Any = {"lines": [said | {"control": "PE-3"}]}
            return Attempt(by, route, body, api=True)
        address = reverse("evidence:version_coverage", args=[uuid])
        return Attempt(by, address, said | {"controls": "PE-3"})
    if row.verb == "copy":
        if api:
            return Attempt(by, f"{route}copy-forward/", {}, api=True)
        address = reverse("evidence:version_coverage_begin", args=[uuid])
        return Attempt(by, address, {"how": "copy"})
    reason = "" if row.verb == "confirm mutely" else "I read section IV."
    if api:
        verb = "remove" if row.verb == "take out" else "confirm"
        body = {"lines": [{"uuid": shown, "version": version}]}
        body |= {"reason": reason} if verb == "confirm" else {}
        return Attempt(by, f"{route}{verb}/", body, api=True)
    body = {"lines": [f"{shown}:{version}"], "reason": reason}
    body |= {"act": "remove"} if row.verb == "take out" else {}
    address = reverse("evidence:version_coverage_lines", args=[uuid])
    return Attempt(by, address, body)


@dataclass
class Cited:
    """A series that oscar cites for Shop."""

    house: House
    artifact: Artifact


def series(house: House, state: str) -> Cited:
    provider = "Harbour" if state == "theirs" else "AWS"
    soc2 = factories.make_artifact(house.regina, [], provider=provider)
    report = factories.make_report(soc2, STARTS, ENDS)
    record_coverage(report, entry(), by=house.regina)
    controls = [factories.implementation(house.system, ref).control
                for ref in ("pe-3", "si-2")]  # fmt: skip
    if state == "cited":
        cite(soc2, house.system, controls, by=house.otto)
    if state == "reviewed":
        record_reliance(report, house.system, conclusion="rely", by=house.rita, **NOTES)
    if state == "withdrawn":
        register.end_version(
            report, state="withdrawn", on=TODAY, reason="They wrote.", by=house.regina
        )
    let_go(house.oscar, state)
    return Cited(house, soc2)


def cited(case: Cited) -> str:
    rows = citation_standings(Citation.objects.filter(artifact=case.artifact))
    words = sorted(row.citation.control.ref_id for row in rows)
    if waiting := sum(row.state == "waiting" for row in rows):
        words.append(f"{waiting} waiting")
    return ", ".join(words) or "nothing"


def on_series(row: Row, case: Cited) -> Attempt:
    by, uuid = case.house.oscar, case.artifact.uuid
    if row.door == "page":
        body = {"system": "shop", "citation": "Section IV"}
        body |= {"proposed": "on"} if row.verb == "proposed" else {}
        return Attempt(by, reverse("evidence:cite", args=[uuid]), body)
    named = ["ac-1"] if row.verb == "ours" else ["pe-3"]
    body = {"system": "shop", "control_ids": named, "citation": "Section IV"}
    return Attempt(by, f"/api/v1/artifacts/{uuid}/citations/", body, api=True)


@pytest.mark.parametrize("row", rows_of(LINES))
def test_what_each_verb_of_a_coverage_line_answers(house, row: Row) -> None:
    wrong = wrong_cells(row, partial(line, house), on_line, lines_of, SENTENCES)
    assert not wrong, "\n".join([str(row), *wrong])


def expected(house: House, state: str) -> Any:
    """What regina registered that a report expects of us for AC-1."""
    soc2 = factories.make_artifact(house.regina, ["pe-3"])
    report = factories.make_report(soc2, STARTS, ENDS)
    remark = register_remark(report, kind="user-control", title="1",
                             control_ids=["ac-1"], by=house.regina)  # fmt: skip
    if state == "asked":
        sent = on_expected(house, "api", remark)
        assert client_of(house.oscar).post(
            sent.address, sent.body, "application/json"
        ).status_code == 201  # fmt: skip
    end = "withdrawn" if state == "let-go" else state
    if end in register.ENDS:
        register.end_version(
            report, state=end, on=TODAY, reason="They wrote.", by=house.regina
        )
    if state == "let-go":
        record_reliance(
            report, house.system, conclusion="do-not-rely", by=house.rita, **NOTES
        )
    let_go(house.oscar, state)
    return remark


def client_of(person: User) -> Client:
    client = Client()
    sign_in_just_now(client, person)
    return client


def on_expected(house: House, door: str, remark: Any) -> Attempt:
    body = {
        "title": "Leavers are removed",
        "cadence": "monthly",
        "purpose": "operation",
        "operates_from": str(TODAY),
        "user_control": str(remark.uuid),
    }
    if door == "page":
        address = reverse("evidence:requirement_new", args=["shop", "ac-1"])
        return Attempt(house.oscar, address, body)
    body |= {"system": "shop", "control_id": "ac-1"}
    return Attempt(house.oscar, "/api/v1/requirements/", body, api=True)


@pytest.mark.parametrize("row", rows_of(ASKING))
def test_what_asking_for_what_a_report_expects_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        partial(expected, house),
        lambda row, remark: on_expected(house, row.door, remark),
        lambda remark: f"{remark.requirements.count()} asks",
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])


def test_citing_says_what_was_added_and_what_has_to_happen(house, client) -> None:
    case = series(house, "reviewed")
    sign_in_just_now(client, house.oscar)
    body = {"system": "shop", "proposed": "on"}
    address = reverse("evidence:cite", args=[case.artifact.uuid])
    page = client.post(address, body, follow=True).content.decode()
    assert "Cited for 1 more of 1 control. It counts once a second person" in page
    page = client.post(address, body, follow=True).content.decode()
    assert "No control is left to cite it for: nothing was added." in page
    everything = {"system": "shop"}
    client.post(address, everything)
    page = client.post(address, everything, follow=True).content.decode()
    assert "3 controls cite it already: nothing was added." in page


@pytest.mark.parametrize("row", rows_of(CITING))
def test_what_citing_a_series_answers(house, row: Row) -> None:
    wrong = wrong_cells(row, partial(series, house), on_series, cited, SENTENCES)
    assert not wrong, "\n".join([str(row), *wrong])
