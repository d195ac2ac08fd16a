"""IN-03: what AWS calls failed is imported into a system, seen before it counts, and
closes nothing."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls.engagement_scope import choose_controls
from controls.models import AuditEvent
from evidence.findings.source_files import MAX_BYTES, read_findings
from evidence.models import Disposition, FailingObservation, FindingImport, SourceReport
from tests import factories
from tests.evidence.findings.hands import asked_for, decided, found, mended, proven
from tests.evidence.scenarios.stage import codes, told
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
OURS, THEIRS = "111122223333", "999988887777"
REAL = os.environ.get("SRM_TEST_FINDINGS", "")


@pytest.fixture
def system(oscar):
    baseline = factories.make_baseline(("ac-2", "ac-12", "si-2"), slug="three")
    return factories.make_system(oscar, baseline=baseline)


def asff(number: int, status: str = "FAILED", **change: Any) -> dict[str, Any]:
    """A finding as Security Hub writes it."""
    finding = {
        "Id": f"arn:aws:securityhub:us-east-1:{OURS}:finding/{number}",
        "AwsAccountId": OURS,
        "ProductArn": "arn:aws:securityhub:us-east-1::product/aws/securityhub",
        "Title": f"Check {number} <b>bold</b>",
        "Description": "What the check looks at.",
        "CreatedAt": "2026-11-02T10:00:00.000Z",
        "UpdatedAt": "2026-11-20T10:00:00.000Z",
        "Resources": [
            {"Type": "AwsIamUser", "Id": f"arn:aws:iam::{OURS}:user/{number}"}
        ],
        "Compliance": {
            "Status": status,
            "SecurityControlId": f"IAM.{number}",
            "RelatedRequirements": ["NIST.800-53.r5 AC-12", "PCI DSS v3.2.1/8.1.4"],
        },
        "Workflow": {"Status": "NEW"},
        "RecordState": "ACTIVE",
    }
    return finding | change


def file(content: Any, name: str = "findings.json") -> SimpleUploadedFile:
    text = content if isinstance(content, str) else json.dumps(content, indent=1)
    return SimpleUploadedFile(name, text.encode())


def sent(browser: Any, system: Any, content: Any, **more: Any) -> Any:
    """The page after a file was sent."""
    name = more.pop("name", "findings.json")
    body = {"file": file(content, name), "accounts": OURS, **more}
    upload = reverse("evidence:finding_import_upload", args=[system.slug])
    return browser.post(upload, body, follow=True)


def imported(browser: Any, system: Any, content: Any, **more: Any) -> Any:
    """The page after its preview was confirmed."""
    shown = sent(browser, system, content, **more)
    assert shown.context["shown"].token, shown.text
    return confirmed(browser, shown)


def confirmed(browser: Any, shown: Any) -> Any:
    page = shown.redirect_chain[-1][0]
    leave_out = {"leave_out": "yes"} if 'name="leave_out"' in shown.text else {}
    return browser.post(f"{page}confirm/", leave_out, follow=True)


def test_a_failing_check_contradicts_its_control_once_it_is_confirmed(
    system, alice, rita, oscar, as_user
):
    """R28: shown first, counted once; the same file again changes nothing; wrong
    accounts, unclear and unnamed findings are named by their lines."""
    proven(system, "ac-12", by=alice, reviewer=rita)
    browser = as_user(oscar)
    assert told(browser, system, "ac-12", TODAY)["verdict"] == "proven"
    findings = [
        asff(1),
        asff(1, UpdatedAt="2026-11-21T10:00:00Z"),
        asff(2, AwsAccountId=THEIRS),
        asff(3, "WARNING"),
        asff(4, "PASSED"),
        asff(5, Compliance={"Status": "FAILED", "SecurityControlId": "S3.1"}),
        asff(6, UpdatedAt="2027-01-01T00:00:00Z"),
        asff(7, Workflow={"Status": "SUPPRESSED"}),
        "no object",
    ]
    shown = sent(browser, system, {"NextToken": "x", "Findings": findings})
    plan = shown.context["plan"]
    assert [row.result.words for row in plan.new] == [
        "FAILED, NEW",
        "FAILED, SUPPRESSED",
    ]
    assert (len(plan.unclear), plan.passing, len(plan.twice)) == (1, 1, 1)
    sentences = "\n".join(str(refusal) for refusal in plan.refusals)
    for part in (f"account {THEIRS}", "S3.1 names no control", "2027-01-01", "object"):
        assert part in sentences
        assert part in shown.text
    lines = [refusal.line for refusal in plan.refusals]
    assert lines == sorted(lines)
    assert len(set(lines)) == 4
    assert "&lt;b&gt;bold" in shown.text
    assert not FailingObservation.objects.exists()
    without = reverse(
        "evidence:finding_import_confirm",
        args=[system.slug, shown.context["shown"].token],
    )
    assert browser.post(without).status_code == 400  # what stays out has to be said
    done = confirmed(browser, shown)
    assert "2 failing observations are recorded" in done.text
    first, _ = FailingObservation.objects.order_by("pk")
    assert (str(first.observed_on), first.recorded_by) == ("2026-11-02", oscar)
    assert f"account {OURS}" in first.source
    answer = told(browser, system, "ac-12", TODAY)
    assert answer["verdict"] == "partly"
    assert "contradicted" in codes(answer)
    again = confirmed(browser, shown)  # back, and the button once more
    assert "submitted before" in again.text
    assert FindingImport.objects.count() == 1
    verbs = AuditEvent.objects.filter(verb="findings.imported")
    assert [json.loads(event.body)["made"] for event in verbs] == [2]
    same = sent(browser, system, {"Findings": findings[:2]})
    assert not same.context["shown"].token
    assert "changes nothing" in same.text
    listed = browser.get(reverse("evidence:finding_imports", args=[system.slug])).text
    assert "4 lines" in listed
    assert f'value="{OURS}"' in listed  # the account of last time


def test_what_its_source_calls_passed_closes_nothing(system, oscar, rita, as_user):
    """IN-03, R28: a later pass is noted; a person settles it. Failing again after that
    is a new observation."""
    browser = as_user(oscar)
    imported(browser, system, [asff(1), asff(2), asff(3)])
    first, second, _ = FailingObservation.objects.order_by("pk")
    later = {"UpdatedAt": "2026-11-21T10:00:00Z"}
    done = imported(
        browser,
        system,
        [
            asff(1, "PASSED", **later),
            asff(2, RecordState="ARCHIVED", **later),
            asff(3, Workflow={"Status": "RESOLVED"}, **later),
        ],
    )
    assert "2 known ones are called passed: that closes nothing" in done.text
    assert done.text.count("its source calls it passed") == 2
    assert not Disposition.objects.exists()
    rows = browser.get("/api/v1/observations/").json()["results"]
    assert {row["state"] for row in rows} == {"open"}
    page = browser.get(reverse("evidence:observation", args=[first.uuid])).text
    assert "called PASSED" in page
    assert "That closes nothing" in page
    # an older file changes nothing any more
    assert not sent(browser, system, [asff(1)]).context["shown"].token
    decided(asked_for(first, "explained", oscar), rita)
    even_later = {"UpdatedAt": "2026-11-22T10:00:00Z"}
    imported(browser, system, [asff(1, **even_later), asff(2, **even_later)])
    fresh = FailingObservation.objects.order_by("pk").last()
    assert FailingObservation.objects.count() == 4
    assert str(fresh.observed_on) == "2026-11-22"
    assert SourceReport.objects.filter(observation=second).count() == 3


def test_a_closed_finding_that_fails_again_is_seen_again(
    system, oscar, alice, rita, as_user
):
    """R36: reports up to the day of the closing change nothing, later ones do."""
    browser = as_user(oscar)
    imported(browser, system, [asff(1)])
    observation = FailingObservation.objects.get()
    written = found(system, "ac-12", oscar, observation=observation, found_on=None)
    link = mended(system, "ac-12", by=alice)
    link.accept(by=rita)
    decided(asked_for(written, "closure", oscar, link=link), rita)
    shown = sent(browser, system, [asff(1, UpdatedAt="2026-11-22T08:00:00Z")])
    plan = shown.context["plan"]
    assert (len(plan.new), len(plan.again)) == (0, 1)  # before the day of the closing


OCSF = {
    "class_uid": 2004,
    "status_code": "FAIL",
    "status": "New",
    "metadata": {"event_code": "iam_check", "product": {"name": "Prowler"}},
    "finding_info": {
        "uid": "prowler-1",
        "title": "MFA is on",
        "created_time": 1795600000,
    },
    "time_dt": "2026-11-20T14:27:03.913874",
    "time": 1795600000,
    "cloud": {"account": {"uid": OURS}},
    "resources": [{"uid": "arn:one"}],
    "unmapped": {
        "compliance": {
            "NIST-800-53-Revision-5": ["ac_2_d_1", "ac_12"],
            "CIS-3.0": ["1.20"],
        }
    },
}


def test_ocsf_and_csv_are_read_by_what_they_are(system, oscar, as_user):
    """IN-03: unknown class_uid, one document a line, `;` and line breaks in cells."""
    browser = as_user(oscar)
    unknown = OCSF | {"class_uid": 3002}
    lines = "\n".join(json.dumps(one) for one in (OCSF, unknown))
    shown = sent(browser, system, lines, name="findings.ndjson")
    plan = shown.context["plan"]
    labels = [row.implementation.control.label for row in plan.new]
    assert labels == ["AC-2", "AC-12"]
    assert [str(refusal) for refusal in plan.refusals] == [
        "Line 2: Its class_uid 3002 is no finding that is read here. Read are 2002,"
        " 2003 and 2004."
    ]
    rows = [
        "FINDING_UID;ACCOUNT_UID;STATUS;CHECK_ID;STATUS_EXTENDED;TIMESTAMP;COMPLIANCE;MUTED",
        f'c-1;{OURS};FAIL;one;"two\nlines; and more";2026-11-20 14:27:03.9;'
        "CIS: 1.2 | NIST-800-53-Revision-5: ac_2_1, si_2;True",
        f"c-2;{OURS};MANUAL;two;;2026-11-20 14:27:03.9;;False",
        f"c-3;{OURS};FAIL;three;;yesterday;;False",
        f"c-4;{OURS};FAIL;four;=cmd();2026-11-20;;False",
    ]
    shown = sent(browser, system, "\n".join(rows), name="prowler.csv", control="si-2")
    plan = shown.context["plan"]
    assert [
        (row.result.line, row.implementation.control.ref_id) for row in plan.new
    ] == [
        (2, "si-2"),
        (6, "si-2"),
    ]
    assert plan.new[0].result.words == "FAIL, muted"
    assert plan.unclear == (4,)
    assert [str(refusal) for refusal in plan.refusals] == [
        "Line 5: “yesterday” is no time such as 2026-10-31T08:00Z."
    ]


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (json.dumps([asff(1), asff(2)])[:-90], "f.json", "ends in the middle"),
        ('[{"Id": 1},\n{"Id": nope}]', "f.json", "is no JSON at line 2"),
        ("[" * 100_000, "f.json", "nested too deep"),
        ("", "f.json", "empty"),
        ("[]", "f.json", "holds no finding"),
        ("a;b\n1;2\n", "f.csv", "called “finding id”"),
        ("<x/>", "f.xml", ".json or .csv"),
        ("[" + "{}," * 20_001 + "]", "f.json", "more than 20,000 findings"),
        (json.dumps([asff(1)]) + "[1", "f.json", "ends in the middle"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_where(
    system, oscar, as_user, content, name, sentence
):
    """IN-03: truncated and hostile files leave nothing, and are refused in words."""
    answer = sent(as_user(oscar), system, content, name=name)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert not FindingImport.objects.exists()


def test_a_file_of_100_megabytes_is_refused_before_it_is_read(system, oscar, as_user):
    """IN-03, UP-01: by its announced length; what a command is given, by its size."""
    browser = as_user(oscar)
    upload = reverse("evidence:finding_import_upload", args=[system.slug])
    for path in (upload, f"/api/v1/systems/{system.slug}/finding-imports/preview/"):
        answer = browser.generic(
            "POST",
            path,
            b"--x\r\n",
            content_type="multipart/form-data; boundary=x",
            CONTENT_LENGTH="100000000",
        )
        assert answer.status_code == 413, path
    with pytest.raises(Exception, match="larger than 40 MB"):
        read_findings(io.BytesIO(b"[]"), "f.json", MAX_BYTES + 1)


def test_programs_import_with_the_token_of_a_preview_once(
    system, oscar, olga, alice, audrey, as_user
):
    """Officers and auditors; a token of another, or used twice, makes nothing."""
    place = f"/api/v1/systems/{system.slug}/finding-imports/"

    def shown(who: Any, number: int = 1, **more: Any) -> Any:
        body = {"file": file([asff(number)]), "accounts": OURS, **more}
        return as_user(who).post(f"{place}preview/", body)

    def confirm(who: Any, seen: Any) -> Any:
        token = {"token": seen.json()["token"]}
        return as_user(who).post(place, token, "application/json")

    assert shown(alice).status_code == 403
    seen = shown(audrey)
    body = seen.json()
    assert (body["new_count"], body["new"][0]["control_id"]) == (1, "ac-12")
    assert confirm(olga, seen).status_code == 409
    made = confirm(audrey, seen)
    assert (made.status_code, made.json()["made"]) == (201, 1)
    assert confirm(audrey, seen).json()["uuid"] == made.json()["uuid"]
    for wrong, words in (
        ({"accounts": "12"}, "12 digits"),
        ({"control": "q"}, "no co"),
    ):
        refused = shown(audrey, **wrong)
        assert refused.status_code == 400
        assert words in refused.text
    # what was seen is not so any more
    stale = shown(olga, 2)
    imported(as_user(oscar), system, [asff(2)])
    late = confirm(olga, stale)
    assert late.status_code == 409
    assert "changed since the preview" in late.text
    assert FailingObservation.objects.count() == 2


def test_the_command_shows_and_records(system, oscar, alice, tmp_path, capsys):
    path = tmp_path / "findings.json"
    path.write_text(json.dumps([asff(1), asff(2, AwsAccountId=THEIRS)]))
    words = [system.slug, str(path), "--account", OURS]
    call_command("import_findings", *words, "--by", oscar.email)
    out = capsys.readouterr().out
    assert "new: line 1, AC-12" in out
    assert f"account {THEIRS}" in out
    for more, code in (
        (["--by", alice.email], 1),
        (["--by", "nobody@example.com"], 2),
        (["--by", oscar.email, "--confirm"], 1),  # a line is refused
    ):
        with pytest.raises(SystemExit) as stop:
            call_command("import_findings", *words, *more)
        assert stop.value.code == code
    assert not FailingObservation.objects.exists()
    call_command(
        "import_findings", *words, "--by", oscar.email, "--confirm", "--leave-out"
    )
    assert "Recorded 1 failing observation" in capsys.readouterr().out


def test_many_findings_cost_the_same_statements(system, oscar, as_user):
    browser = as_user(oscar)
    counts = []
    for numbers in (range(1), range(1, 1_200)):
        with CaptureQueriesContext(connection) as statements:
            imported(browser, system, [asff(number) for number in numbers])
        counts.append(len(statements))
    assert counts[0] == counts[1] < 70
    assert FailingObservation.objects.count() == 1_200
    page = browser.get(reverse("evidence:findings", args=[system.slug]))
    assert "And 700 more" in page.text
    page = browser.get(reverse("evidence:control", args=[system.slug, "ac-12"]))
    assert "And 1150 more" in page.text


@pytest.mark.skipif(not REAL, reason="SRM_TEST_FINDINGS names no folder")
def test_real_files_are_read():
    """Files of Prowler and of Security Hub, each finding of them."""
    for path in sorted(Path(REAL).glob("*.*")):
        with path.open("rb") as body:
            read = read_findings(body, path.name, path.stat().st_size)
        assert read.results, path
        assert not read.refusals, path
        assert {row.result for row in read.results} <= {"failed", "passed", "unclear"}


@pytest.mark.parametrize(
    ("time", "sentence"),
    [
        ("2026-11-20T10:00:00+23:59", ""),  # more than the database takes: in UTC
        ("0001-01-01T00:00:00+14:00", "is no time such as"),
        ("0001-01-01T00:30:00Z", "is no time such as"),
        ("9999-12-31T23:59:59-14:00", "is no time such as"),
    ],
)
def test_times_with_odd_offsets_are_read_or_named(
    time, sentence, system, as_user, oscar
):
    """A file's time is read by its own offset, whatever zone the system is in."""
    type(system).objects.filter(pk=system.pk).update(time_zone="Pacific/Honolulu")
    odd = asff(1, CreatedAt=time, UpdatedAt=time)
    shown = sent(as_user(oscar), system, {"Findings": [odd]})
    assert shown.status_code == 200
    if sentence:
        assert sentence in shown.text
    else:
        confirmed(as_user(oscar), shown)
        assert str(FailingObservation.objects.get().observed_on) == "2026-11-19"


def test_an_auditor_imports_nothing_about_controls_out_of_their_scope(
    system, oscar, audrey, as_user
):
    """AC-05: refused line by line in the words of the page, over the API too; what an
    officer recorded there is not called passed by them; officers import all."""
    engagement = audrey.memberships.get().engagement
    choose_controls(engagement, ["ac-2"], reason="Agreed.", by=oscar)
    related = ["NIST.800-53.r5 AC-12", "NIST.800-53.r5 AC-2"]
    both = asff(1)
    both["Compliance"]["RelatedRequirements"] = related
    shown = sent(as_user(audrey), system, [both])
    sentence = "Line 2: AC-12 is out of the scope of your audit"
    plan = shown.context["plan"]
    assert sentence in shown.text
    assert [row.implementation.control.label for row in plan.new] == ["AC-2"]
    confirmed(as_user(audrey), shown)
    assert FailingObservation.objects.get().implementation.control.label == "AC-2"
    unnamed = asff(2, Compliance={"Status": "FAILED", "SecurityControlId": "S3.1"})
    chosen = sent(as_user(audrey), system, [unnamed], control="si-2")
    assert "SI-2 is out of the scope of your audit" in chosen.text
    assert not chosen.context["shown"].token
    imported(as_user(oscar), system, [asff(3)])
    later = asff(3, "PASSED", UpdatedAt="2026-11-21T10:00:00Z")
    place = f"/api/v1/systems/{system.slug}/finding-imports/preview/"
    body = {"file": file([later]), "accounts": OURS}
    seen = as_user(audrey).post(place, body).json()
    assert (seen["passed_count"], seen["token"]) == (0, "")
    assert "AC-12 is out of the scope" in str(seen["refused"])
    choose_controls(engagement, None, by=oscar)
    assert sent(as_user(audrey), system, [later]).context["shown"].token
