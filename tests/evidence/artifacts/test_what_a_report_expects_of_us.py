"""R26: complementary user entity controls come by a list, are asked of a team in each
system, open ones first; and what we expect of providers is a page and an export."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook
from rest_framework.test import APIClient

from controls import clock
from controls.errors import NotPermitted
from controls.history.clock import knowledge_now
from controls.models import AuditEvent
from evidence.artifacts.register import end_version
from evidence.artifacts.reliance import record_reliance
from evidence.artifacts.remarks import register_remark
from evidence.models import (
    ArtifactVersion,
    AskStanding,
    Notice,
    RelianceReview,
    ReportRemark,
    RequirementControl,
)
from evidence.notices.gathering import gather_notices
from evidence.planning.standing_check import standing_differences
from evidence.planning.standing_upkeep import keep_standings
from evidence.requirements.changes import NewTerms, add_requirement
from evidence.requirements.retiring import retire_requirement
from evidence.status.control_status import ControlStatus, control_statuses
from evidence.status.gather import Moment
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
HEADER = "Number,Summary in our words,Our controls\n"


@pytest.fixture
def house(settings) -> House:
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def report(house) -> ArtifactVersion:
    artifact = factories.make_artifact(house.olivia, ["pe-3", "si-2", "cm-8"])
    return factories.make_report(artifact, TODAY - 200 * DAY, TODAY - DAY)


def rely(house, report) -> None:
    record_reliance(
        report,
        house.system,
        conclusion="rely",
        scope_note="s",
        period_note="p",
        by=house.rita,
    )


def send(client, report, content: str | bytes, name: str = "list.csv"):
    data = content.encode() if isinstance(content, str) else content
    url = reverse("evidence:version_user_controls", args=[report.uuid])
    return client.post(url, {"file": SimpleUploadedFile(name, data)})


def ask_for(house: House, remark: ReportRemark) -> None:
    add_requirement(
        factories.implementation(house.system, "pe-3"),
        NewTerms(
            title="Keys are deleted",
            cadence="yearly",
            purpose="operation",
            operates_from=TODAY,
        ),
        by=house.olivia,
        user_control=remark,
    )
    assert RequirementControl.objects.filter(user_control=remark).exists()


def test_a_list_is_seen_then_registered_once(client, house, report):
    client.force_login(house.olivia)
    page = client.get(reverse("evidence:version_user_controls", args=[report.uuid]))
    assert "Template as CSV" in page.content.decode()
    faulty = (
        f"{HEADER}1,We remove leavers,PE-3; SI-2\n,No number,PE-3\n1,Again,PE-3\n"
        "2,Nothing of ours,\n3,Wrong,XX-77 and more\n4,Part,AC-2 (a)\n"
    )
    shown = send(client, report, faulty)
    assert shown.status_code == 422
    assert [str(error) for error in shown.context["preview"].errors] == [
        "Line 3, column A: It has no number to find it again.",
        "Line 4, column A: “1” stands in line 2, column A already.",
        "Line 5, column C: Name the controls of ours that it is for.",
        "Line 6, column C: “XX-77 and more” is not the id of a control, such as"
        " AC-2(1).",
        "Line 7, column C: AC-2 (a) is a part: name the whole control.",
    ]
    assert "token" not in shown.context
    good = f"\ufeff{HEADER}1,We remove leavers,PE-3; SI-2\n2,=cmd|x,CM-8\n"
    token = send(client, report, good).context["token"]
    assert not ReportRemark.objects.exists()
    url = reverse("evidence:version_user_controls_import", args=[report.uuid])
    for _ in range(2):
        assert client.post(url, {"token": token}).status_code == 302
    rows = ReportRemark.objects.order_by("pk")
    assert [(row.title, row.control_ids) for row in rows] == [
        ("1", ["pe-3", "si-2"]),
        ("2", ["cm-8"]),
    ]
    assert AuditEvent.objects.filter(verb="remark.registered").count() == 2
    # what is registered stays; a template sent back says nothing new
    other = send(client, report, f"{HEADER}1,Other words,PE-3\n")
    assert "stays as it is" in other.content.decode()
    template = reverse("evidence:version_user_controls_template", args=[report.uuid])
    workbook = client.get(template, {"format": "xlsx"}).content
    again = send(client, report, workbook, "b.xlsx").content.decode()
    assert "registered already" in again
    text = client.get(template).content.decode()
    assert "'=cmd|x" in text  # IN-04: no spreadsheet runs it

    stale = send(client, report, f"{HEADER}3,More,PE-3\n").context["token"]
    register_remark(
        report, kind="user-control", title="3", control_ids=["pe-3"], by=house.olivia
    )
    assert client.post(url, {"token": stale}).status_code == 409
    client.force_login(house.rita)
    assert send(client, report, good).status_code == 403
    assert client.post(url, {"token": stale}).status_code == 403


def test_open_ones_stand_first_until_a_team_is_asked(client, house, report):
    """Another report of the series that is relied on expects no more by the same
    number."""
    api = APIClient()
    api.force_authenticate(house.olivia)
    base = f"/api/v1/artifact-versions/{report.uuid}/user-controls/"
    file = SimpleUploadedFile("a.csv", f"{HEADER}1,Keys,PE-3\n2,Odd,MP-6\n".encode())
    shown = api.post(f"{base}preview/", {"file": file}, format="multipart").json()
    made = api.post(f"{base}import/", {"token": shown["token"]}, format="json")
    assert made.json() == {"registered": 2}

    here = f"/api/v1/systems/{house.system.slug}/user-controls/"
    assert api.get(here).json() == []  # nobody relies on the report yet
    rely(house, report)
    rows = api.get(here).json()
    assert [(row["control_id"], row["state"]) for row in rows] == [
        ("pe-3", "open"),
        ("mp-6", "elsewhere"),
    ]
    client.force_login(house.olivia)
    url = reverse("evidence:user_controls", args=[house.system.slug])
    text = client.get(url).content.decode()
    assert "Ask a team" in text
    assert "1 is open" in " ".join(text.split())
    remark = ReportRemark.objects.get(title="1")
    asking = reverse("evidence:requirement_new", args=[house.system.slug, "pe-3"])
    first = client.get(asking, {"user_control": str(remark.uuid)})
    assert first.context["form"].initial["user_control"] == str(remark.uuid)
    ask_for(house, remark)
    (asked, _) = api.get(here).json()
    assert asked["state"] == "asked"
    newer = factories.make_report(report.artifact, TODAY - DAY, TODAY, label="next")
    register_remark(
        newer, kind="user-control", title="1", control_ids=["pe-3"], by=house.olivia
    )
    rely(house, newer)
    states = [row["state"] for row in api.get(here).json()]
    assert sorted(states) == ["asked", "elsewhere"]
    sheet = client.get(
        reverse("evidence:user_controls_file", args=[house.system.slug]),
        {"format": "xlsx"},
    )
    rows = list(load_workbook(io.BytesIO(sheet.content)).active.values)
    assert rows[0][0] == "State"
    assert rows[1][0] == "Asked, not shown yet"
    client.force_login(house.mallory)
    assert client.get(url).status_code == 404


def test_the_same_number_of_another_series_is_another_control(
    house, report, settings, tmp_path
):
    """R26, R28: the page of user controls and the verdict say the same of each."""
    settings.EVIDENCE_STORE = str(tmp_path)
    soc1 = factories.make_artifact(
        house.olivia, ["pe-3"], title="SOC 1", series="soc1", scheme="soc1"
    )
    other = factories.make_report(soc1, TODAY - 200 * DAY, TODAY - DAY)
    for of in (report, other):
        register_remark(
            of,
            kind="user-control",
            title="1",
            control_ids=["pe-3"],
            by=house.olivia,
        )
        rely(house, of)
    api = APIClient()
    api.force_authenticate(house.ray)
    base = f"/api/v1/systems/{house.system.slug}/"

    def states() -> tuple[list[str], bool]:
        rows = api.get(f"{base}user-controls/").json()
        control = api.get(f"{base}controls/pe-3/").json()
        codes = {reason["code"] for reason in control["reasons"]}
        return sorted(row["state"] for row in rows), "cuec_open" in codes

    assert states() == (["open", "open"], True)
    for number, of in enumerate((report, other), start=1):
        remark = ReportRemark.objects.get(artifact_version=of)
        ask_for(house, remark)
        asked = RequirementControl.objects.get(user_control=remark)
        link = houses.submitted(house, f"keys {number}", requirement=asked)
        link.accept(by=house.rita)
        assert states() == (sorted(["shown"] * number + ["open"] * (2 - number)),
                            number == 1)  # fmt: skip


def test_what_we_expect_of_providers_on_page_file_and_api(client, house, report):
    house.system.components.update(regions=["us-east-1"])
    client.force_login(house.ray)
    url = reverse("evidence:providers_expected", args=[house.system.slug])
    shown = client.get(url)
    duties = shown.context["duties"]
    by_control = {duty.control_id: duty for duty in duties if duty.provider == "AWS"}
    assert "pe-3" in by_control
    assert "ac-1" not in by_control  # a policy is nobody's but ours
    assert by_control["pe-3"].proof not in ("proven", "expiring")
    assert by_control["pe-3"].layers
    rely(house, report)
    with CaptureQueriesContext(connection) as queries:
        text = client.get(url).content.decode()
    assert "SOC 2 Type II" in text
    file = reverse("evidence:providers_expected_file", args=[house.system.slug])
    lines = client.get(file).content.decode().splitlines()
    assert lines[0].startswith("\ufeffProvider,Control,Title")
    assert len(lines) == len(duties) + 1
    api = APIClient()
    api.force_authenticate(house.ray)
    rows = api.get(f"/api/v1/systems/{house.system.slug}/expected-of-providers/")
    assert len(rows.json()) == len(duties)
    before = client.get(url, {"on": "2020-01-01", "known_at": "2020-01-01"})
    assert before.context["duties"] == []
    assert len(queries) < 40


def of_pe_3(house: House, moment: Moment) -> ControlStatus:
    pk = factories.implementation(house.system, "pe-3").pk
    window = (house.system.window_start, house.system.window_end)
    (answer,) = control_statuses(house.system, moment, pks=[pk], window=window)
    return answer


def required(answer: ControlStatus) -> tuple[bool, bool]:
    """Whether something is expected of us on the day, and on days of the window."""
    assert answer.period is not None
    return answer.facts.customer_required, bool(answer.period.occurrences.expected)


def do_not_rely(house, report, *, by) -> None:
    record_reliance(
        report,
        house.system,
        conclusion="do-not-rely",
        scope_note="s",
        period_note="p",
        by=by,
    )


WITHDRAWAL = {"state": "withdrawn", "on": TODAY, "reason": "The auditor's letter."}


def test_a_registrar_alone_frees_us_of_nothing_that_a_report_expects(house, report):
    """R20, R26, R32: a withdrawal takes the provider's days at once; our half is let
    go once a second person does not rely on it, as known from then on."""
    factories.give_installation_roles(house.raul)
    registered = {"kind": "user-control", "control_ids": ["pe-3"], "by": house.olivia}
    keys = register_remark(report, title="CUEC-1", text="We delete keys.", **registered)
    rely(house, report)
    today = Moment(TODAY)
    assert not required(of_pe_3(house, today))[0]
    assert "cuec_open" in codes(of_pe_3(house, today))
    end_version(report, by=house.raul, **WITHDRAWAL)
    assert "cuec_open" in codes(of_pe_3(house, today))  # nobody is asked, and it waits
    before_asking = knowledge_now()
    ask_for(house, keys)  # a withdrawn report may still be asked for
    assert required(of_pe_3(house, today)) == (True, True)

    for hand in (house.olivia, house.raul):  # who registered it, who withdrew it
        with pytest.raises(NotPermitted, match="somebody else"):
            do_not_rely(house, report, by=hand)
    with pytest.raises(DatabaseError, match="R32"), transaction.atomic():
        RelianceReview.objects.create(
            artifact_version=report,
            system=house.system,
            reviewer=house.raul,
            registered_by=house.olivia,
            conclusion="do-not-rely",
            reviewed_on=TODAY,
            reviewer_name="x",
        )
    before = knowledge_now()
    do_not_rely(house, report, by=house.rita)
    assert required(of_pe_3(house, today)) == (False, False)
    assert "cuec_open" not in codes(of_pe_3(house, today))
    assert required(of_pe_3(house, Moment(TODAY, before)))[0]
    assert "cuec_open" in codes(of_pe_3(house, Moment(TODAY, before_asking)))

    days = TODAY - 400 * DAY, TODAY - 201 * DAY
    other = factories.make_report(report.artifact, *days)
    rely(house, other)
    register_remark(other, title="CUEC-1", text="We delete keys.", **registered)
    assert required(of_pe_3(house, today))[0]  # another report of the series has it
    assert not required(of_pe_3(house, Moment(TODAY, before_asking)))[0]


def test_who_did_not_rely_and_then_withdraws_is_one_person(house, report):
    """R32: the same hand twice lets nothing go."""
    factories.give_installation_roles(house.raul)
    keys = register_remark(
        report, kind="user-control", title="1", control_ids=["pe-3"], by=house.olivia
    )
    ask_for(house, keys)
    do_not_rely(house, report, by=house.raul)
    end_version(report, by=house.raul, **WITHDRAWAL)
    assert required(of_pe_3(house, Moment(TODAY))) == (True, True)
    row = RequirementControl.objects.filter(user_control=keys)
    assert row.expected_of_us([house.system], TODAY).exists()
    do_not_rely(house, report, by=house.rita)
    assert required(of_pe_3(house, Moment(TODAY))) == (False, False)
    assert not row.expected_of_us([house.system], TODAY).exists()


def codes(answer: ControlStatus) -> set[str]:
    return {reason.code for reason in answer.status.reasons}


def test_what_nobody_relies_on_any_more_is_asked_of_nobody(client, house, report):
    """R11, R20, R26: My work, its kept standings, the burden and the verdict go by one
    rule, on both clocks; to end such an ask then needs no second officer."""
    factories.give_installation_roles(house.raul)
    registered = {"kind": "user-control", "control_ids": ["pe-3"], "by": house.olivia}
    keys = register_remark(report, title="CUEC-1", text="We delete keys.", **registered)
    rely(house, report)
    ask_for(house, keys)
    asked = RequirementControl.objects.get(user_control=keys)
    client.force_login(house.raul)
    end = reverse("evidence:version_end", args=[report.uuid])
    shown = client.post(end, WITHDRAWAL | {"version": report.version}, follow=True)
    assert "What it expects of us stays asked" in shown.content.decode()
    client.force_login(house.alice)
    keep_standings(clock.now())
    assert asked_on_pages(client, house) == (True, True, True)
    before = knowledge_now()
    client.force_login(house.raul)
    work = client.get(reverse("evidence:work")).content.decode()
    assert "recorded its withdrawal" in work
    client.force_login(house.rita)
    decide = reverse("evidence:reliance", args=[house.system.slug, report.uuid])
    assert decide in client.get(reverse("evidence:work")).content.decode()
    gather_notices(clock.now())
    assert Notice.objects.get(path=decide).user == house.rita
    assert "is let go" in client.get(decide).content.decode()
    review = {"conclusion": "do-not-rely", "scope_note": "s", "period_note": "p"}
    told = client.post(decide, review, follow=True).content.decode()
    assert "What it expected of us is let go" in told
    assert decide not in client.get(reverse("evidence:work")).content.decode()
    client.force_login(house.alice)
    assert asked_on_pages(client, house) == (False, False, False)
    keep_standings(clock.now())
    assert asked_on_pages(client, house) == (False, False, False)
    assert not AskStanding.objects.filter(pk=asked.pk).exists()
    assert not standing_differences(house.system, clock.now())
    api = f"/api/v1/systems/{house.system.slug}/controls/pe-3/"
    then = client.get(api, {"on": TODAY, "known_at": before.isoformat()}).json()
    now = client.get(api).json()
    assert then["customer_half"] != now["customer_half"]

    days = TODAY - 400 * DAY, TODAY - 201 * DAY
    other = factories.make_report(report.artifact, *days)
    register_remark(other, title="CUEC-1", text="We delete keys.", **registered)
    assert asked_on_pages(client, house) == (True, True, True)
    end_version(other, by=house.raul, **WITHDRAWAL)
    assert asked_on_pages(client, house) == (True, True, True)
    do_not_rely(house, other, by=house.rita)
    assert not retire_requirement(
        asked,
        until=TODAY + DAY,
        reason="Nobody expects it.",
        by=house.olivia,
        today=TODAY,
    )


def asked_on_pages(client, house: House) -> tuple[bool, bool, bool]:
    """Whether PE-3 is in My work, in the burden of its family, and in the API's."""
    work = client.get(reverse("evidence:work"))
    of_control = {
        ask.requirement.implementation.control.ref_id
        for row in work.context["asks"]
        for ask in row.controls
    }
    page = client.get(reverse("evidence:burden", args=[house.system.slug]))
    families = {share.name: share for share in page.context["shares"].families}
    burden = client.get(f"/api/v1/systems/{house.system.slug}/burden/").json()
    of_api = {share["name"]: share["asks"] for share in burden["families"]}
    return "pe-3" in of_control, bool(families["PE"].burden.asks), bool(of_api["PE"])
