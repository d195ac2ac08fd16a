"""The second door for components, other classes, AWS's reports, and old evidence."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from controls.models import AuditEvent, ControlImplementation, Role
from evidence.models import Citation, EvidenceLink, RelianceReview
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, give, submitted

pytestmark = pytest.mark.django_db
SOON = (TODAY + dt.timedelta(days=60)).isoformat()


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    found = houses.build()
    found.people["otto"] = houses.person("otto")
    give(found, "otto", Role.OFFICER)
    return found


@pytest.fixture
def api(client, house):
    """Say who asks, what, and with which ETag; the answer of the API."""

    def ask(name: str, method: str, path: str, body: object = None, tag: str = ""):
        client.force_login(house.people[name])
        send = getattr(client, method)
        return send(
            f"/api/v1/{path}",
            body,
            content_type="application/json",
            headers={"If-Match": tag} if tag else {},
        )

    return ask


def class_of(house: House, ref_id: str) -> str:
    rows = ControlImplementation.objects.filter(system=house.system)
    return rows.get(control__ref_id=ref_id).responsibility


def verbs() -> set[str]:
    return set(AuditEvent.objects.values_list("verb", flat=True))


def test_components_come_into_use_and_end(api, house):
    path = "systems/shop/components/"
    use = {"service": "lambda", "used_from": "2026-01-01", "regions": ["us-east-1"]}
    made = api("olivia", "post", path, use)
    assert made.status_code == 201, made.content
    one = f"{path}{made.json()['uuid']}/"
    assert api("olivia", "post", f"{one}end/", {"last_day": SOON}).status_code == 428
    tag = made["ETag"]
    ended = api("olivia", "post", f"{one}end/", {"last_day": SOON}, tag)
    assert ended.json()["used_until"] > SOON
    stale = api("olivia", "post", f"{one}end/", {"last_day": SOON}, tag)
    assert stale.status_code == 412
    assert {"component.added", "component.ended"} <= verbs()
    services = {row["service"] for row in api("ray", "get", path).json()["results"]}
    assert services == {"ec2", "s3", "lambda"}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"service": "ec3"}, "components"),
        ({"service": "rds", "regions": ["Berlin"]}, "regions"),
    ],
)
def test_a_wrong_component_is_named(api, house, said, field):
    use = {"used_from": "2026-01-01"} | said
    answer = api("olivia", "post", "systems/shop/components/", use)
    assert answer.status_code == 400
    assert field in answer.json()["errors"]


def ask_for_class(api, name: str = "olivia", **changes: object):
    said = {
        "system": "shop",
        "control_id": "cm-8",
        "responsibility": "customer",
        "reason": "We keep the list of their parts ourselves",
        "citation": "Letter of AWS, 2026-03-01",
        "starts_on": TODAY.isoformat(),
        "ends_on": SOON,
    }
    return api(name, "post", "overrides/", said | changes)


def end_early(api, path: str, tag: str, reason: str):
    """Olivia asks for an early end from today, otto approves."""
    verb = "settle" if path.startswith("overrides/") else "end"
    asked = api("olivia", "post", f"{path}{verb}/", {"reason": reason}, tag)
    assert asked.status_code == 202, asked.content
    assert asked.json()["ends_from"] == TODAY.isoformat()
    end, seen = f"end-requests/{asked.json()['uuid']}/", asked["ETag"]
    assert api("olivia", "post", f"{end}approve/", {}, seen).status_code == 403
    assert api("otto", "post", f"{end}approve/").status_code == 428
    approved = api("otto", "post", f"{end}approve/", {}, seen)
    assert approved.json()["state"] == "approved"
    return api("ray", "get", path).json()


def test_another_class_is_asked_approved_and_ended(api, house):
    """R9: asked and approved, and ended before its last day, by two officers."""
    before = class_of(house, "cm-8")
    asked = ask_for_class(api)
    assert asked.status_code == 201, asked.content
    path, tag = f"overrides/{asked.json()['uuid']}/", asked["ETag"]
    assert api("olivia", "post", f"{path}approve/", {}, tag).status_code == 403
    assert api("otto", "post", f"{path}approve/").status_code == 428
    approved = api("otto", "post", f"{path}approve/", {}, tag)
    assert approved.json()["state"] == "approved"
    assert class_of(house, "cm-8") == "customer" != before
    assert api("otto", "post", f"{path}refuse/", {}, tag).status_code == 409
    settled = end_early(api, path, approved["ETag"], "It was a mistake")
    assert settled["settled_on"] == TODAY.isoformat()
    assert class_of(house, "cm-8") == before
    rows = api("ray", "get", "overrides/?system=shop&state=approved").json()
    assert [row["uuid"] for row in rows["results"]] == [asked.json()["uuid"]]


def test_a_duty_moves_to_aws_only_with_its_document(api, house):
    answer = ask_for_class(api, responsibility="inherited", citation="")
    assert answer.status_code == 400
    assert "citation" in answer.json()["errors"]


def test_a_control_is_left_out_and_applies_again(api, house):
    said = {
        "system": "shop",
        "control_id": "cm-8",
        "justification": "There is nothing to list here",
        "review_by": SOON,
    }
    asked = api("olivia", "post", "not-applicable/", said)
    assert asked.status_code == 201, asked.content
    again = api("olivia", "post", "not-applicable/", said)
    assert again.status_code == 409
    path, tag = f"not-applicable/{asked.json()['uuid']}/", asked["ETag"]
    approved = api("otto", "post", f"{path}approve/", {}, tag)
    assert approved.json()["state"] == "approved"
    bare = api("olivia", "post", f"{path}end/", {"reason": ""}, approved["ETag"])
    assert bare.status_code == 400
    ended = end_early(api, path, approved["ETag"], "A warehouse was rented")
    assert (ended["state"], ended["starts_on"]) == ("ended", TODAY.isoformat())
    assert ended["ended_on"] == TODAY.isoformat()
    row = ControlImplementation.objects.get(system=house.system, control__ref_id="cm-8")
    assert row.applicability == "applicable"


SERIES = {
    "title": "AWS SOC 2",
    "series": "aws-soc-2",
    "kind": "period",
    "scheme": "soc2",
}
REPORT = {
    "label": "2026 spring",
    "starts": "2025-10-01",
    "ends": "2026-03-31",
    "services": ["ec2", "s3"],
    "regions": ["*"],
}


@pytest.fixture
def report(api, house) -> dict[str, str]:
    """Paths of a series and of one report in it, registered by olivia."""
    series = api("olivia", "post", "artifacts/", SERIES)
    assert series.status_code == 201, series.content
    path = f"artifacts/{series.json()['uuid']}/"
    made = api("olivia", "post", f"{path}versions/", REPORT)
    assert made.status_code == 201, made.content
    return {"series": path, "one": f"artifact-versions/{made.json()['uuid']}/"}


def test_a_report_is_registered_continued_and_relied_on(api, house, report):
    letter = {"issued_on": "2026-06-30", "ends": "2026-06-30"}
    assert api("olivia", "post", f"{report['one']}letters/", letter).status_code == 201
    shown = api("ray", "get", report["one"]).json()
    assert shown["until"] == "2026-04-01"
    assert shown["letters"][0]["starts"] == "2026-04-01"

    said = {
        "system": "shop",
        "conclusion": "rely",
        "scope_note": "EC2 and S3 are in scope",
        "period_note": "Covers the first half",
    }
    mine = api("olivia", "post", f"{report['one']}reliance/", said)
    assert mine.status_code == 403
    unread = api("rita", "post", f"{report['one']}reliance/", said | {"scope_note": ""})
    assert unread.status_code == 400
    assert "scope_note" in unread.json()["errors"]
    done = api("rita", "post", f"{report['one']}reliance/", said)
    assert done.status_code == 201, done.content
    assert RelianceReview.objects.get().reviewer == house.rita
    (row,) = api("audrey", "get", f"{report['one']}reliance/").json()
    assert (row["system"], row["conclusion"]) == ("shop", "rely")


def test_citations_are_added_and_taken_back(api, house, report):
    said = {"system": "shop", "control_ids": ["pe-3"]}
    path = f"{report['series']}citations/"
    assert api("olivia", "post", path, said).json() == {"cited": 1}
    wrong = api("olivia", "post", path, {"system": "shop", "control_ids": ["zz-9"]})
    assert "zz-9" in str(wrong.json()["errors"]["control_ids"])
    (row,) = api("ray", "get", path).json()
    assert (row["system"], row["state"]) == ("shop", "with-report")
    one = f"citations/{row['uuid']}/"
    assert api("alice", "delete", one).status_code == 403
    assert api("olivia", "delete", one).status_code == 204
    assert not Citation.objects.exists()


def test_a_report_ends_once(api, house, report):
    said = {"state": "superseded", "ended_on": TODAY.isoformat()}
    ended = api("olivia", "post", f"{report['one']}end/", said)
    assert ended.json()["state"] == "superseded"
    assert api("olivia", "post", f"{report['one']}end/", said).status_code == 409


def test_unknown_services_and_regions_of_a_report_are_named(api, house, report):
    path = f"{report['series']}versions/"
    other = REPORT | {"label": "2026 autumn"}
    wrong = api("olivia", "post", path, other | {"services": ["ec3"]})
    assert "ec3" in str(wrong.json()["errors"]["services"])
    wrong = api("olivia", "post", path, other | {"regions": ["Berlin"]})
    assert "Berlin" in str(wrong.json()["errors"]["regions"])


@pytest.mark.parametrize("name", ["alice", "rita", "ray", "audrey"])
def test_others_do_not_do_what_officers_do(api, house, report, name):
    use = {"service": "rds", "used_from": "2026-01-01"}
    answers = [
        api(name, "post", "systems/shop/components/", use),
        ask_for_class(api, name),
        api(name, "post", "artifacts/", SERIES | {"series": "other"}),
        api(name, "post", f"{report['one']}letters/", {}),
        api(name, "post", f"{report['one']}end/", {}),
    ]
    assert {answer.status_code for answer in answers} == {403}


def test_strangers_find_nothing(api, house, report):
    asked = ask_for_class(api)
    link = submitted(house)
    paths = [
        f"overrides/{asked.json()['uuid']}/",
        f"evidence/{link.uuid}/if-withdrawn/",
        report["one"],
    ]
    assert {api("mallory", "get", path).status_code for path in paths} == {404}
    use = {"service": "rds", "used_from": "2026-01-01"}
    made = api("mallory", "post", "systems/shop/components/", use)
    assert made.status_code == 404
    assert ask_for_class(api, "mallory").status_code == 404


def test_evidence_is_withdrawn_after_seeing_what_turns(api, house):
    link = submitted(house)
    link.accept(by=house.rita)
    path = f"evidence/{link.uuid}/"
    (turn,) = api("alice", "get", f"{path}if-withdrawn/").json()
    assert turn["control_id"] == "cm-8"
    assert turn["half_before"] != turn["half_after"]
    assert api("bob", "get", f"{path}if-withdrawn/").status_code == 403
    tag = api("alice", "get", path)["ETag"]
    assert api("alice", "post", f"{path}withdraw/", {}, tag).status_code == 400
    done = api("alice", "post", f"{path}withdraw/", {"reason": "Wrong host"}, tag)
    assert done.json()["state"] == "withdrawn"


def revise(client, link: EvidenceLink, **changes: object):
    said = {
        "kind": "correction",
        "reason": "The wrong month",
        "performed_on": TODAY.isoformat(),
        "period_start": TODAY.isoformat(),
        "period_end": TODAY.isoformat(),
        "files": SimpleUploadedFile("report.txt", b"the right one"),
    }
    return client.post(f"/api/v1/evidence/{link.uuid}/revise/", said | changes)


def test_evidence_is_corrected_and_used_again(client, api, house):
    link = submitted(house)
    client.force_login(house.bob)
    assert revise(client, link).status_code == 403
    client.force_login(house.alice)
    assert revise(client, link, kind="other").status_code == 400
    (new,) = revise(client, link).json()
    assert (new["control_id"], new["state"]) == ("cm-8", "submitted")
    assert new["uuid"] != str(link.uuid)

    other = {"requirement": str(house.requirement("si-2").uuid)}
    path = f"evidence/{new['uuid']}/attach/"
    made = api("alice", "post", path, other)
    assert (made.status_code, made.json()["control_id"]) == (201, "si-2")
    assert api("alice", "post", path, other).status_code == 409
