"""The second door for files, requirements, removals and many decisions at once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from controls.models import AuditEvent, BaselineControl, Role
from evidence.files import spill_removal
from evidence.models import Evidence, EvidenceFile, RequirementControl, SpillRemoval
from tests.evidence import house as houses
from tests.evidence.files.test_refuse_bad_content import HTML, make_pdf, script
from tests.evidence.house import TODAY, House, give, submitted

pytestmark = pytest.mark.django_db


@pytest.fixture
def store_folder(settings, tmp_path: Path) -> Path:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return tmp_path


@pytest.fixture
def house(store_folder) -> House:
    found = houses.build()
    found.people["otto"] = houses.person("otto")
    give(found, "otto", Role.OFFICER)
    return found


def post(client, path: str, body: object, **headers: str):
    return client.post(
        f"/api/v1/{path}", body, content_type="application/json", headers=headers
    )


def send(client, house: House, body: bytes = b"patched", **changes):
    said = {
        "requirement": str(house.requirement().uuid),
        "title": "Patch report",
        "performed_on": TODAY.isoformat(),
        "period_start": TODAY.isoformat(),
        "period_end": TODAY.isoformat(),
        "files": SimpleUploadedFile("report.txt", body),
    }
    return client.post("/api/v1/evidence/", said | changes)


def lying(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


def test_up_02_the_digest_that_was_announced_is_the_one_that_came(
    client, house, store_folder
):
    client.force_login(house.alice)
    wrong = send(client, house, expected_sha256="0" * 64)
    assert wrong.status_code == 422
    assert "“report.txt” has the sha256" in wrong.json()["detail"]
    assert lying(store_folder) == []
    right = hashlib.sha256(b"patched").hexdigest()
    assert send(client, house, expected_sha256=right).status_code == 201


def test_up_01_too_much_is_refused_while_it_comes(
    client, house, settings, store_folder
):
    settings.MAX_UPLOAD_BYTES = 1000
    client.force_login(house.alice)
    answer = send(client, house, b"x" * 5000)
    assert answer.status_code == 413
    assert lying(store_folder) == []
    assert not Evidence.objects.exists()


def test_up_03_what_is_not_taken_is_named(client, house, store_folder):
    client.force_login(house.alice)
    page = SimpleUploadedFile("report.pdf", HTML)
    answer = send(client, house, files=page)
    assert answer.status_code == 400
    assert "“report.pdf” is not the PDF" in answer.json()["detail"]
    assert lying(store_folder) == []


def test_one_upload_proves_several_requirements(client, house):
    client.force_login(house.alice)
    other = house.requirement("si-2")
    assert send(client, house, also=[str(other.uuid)]).status_code == 201
    assert Evidence.objects.get().revisions.get().links.count() == 2


def test_files_say_what_stands_in_the_way_and_officers_clear_them(client, house):
    client.force_login(house.alice)
    send(client, house, files=SimpleUploadedFile("a.pdf", make_pdf(script)))
    file = EvidenceFile.objects.get()
    path = f"files/{file.uuid}/"
    assert "must clear it" in client.get(f"/api/v1/{path}").json()["obstacle"]
    assert client.get(f"/api/v1/{path}content/").status_code == 409
    assert post(client, f"{path}clear/", {"reason": "x"}).status_code == 403
    client.force_login(house.olivia)
    assert post(client, f"{path}clear/", {}).status_code == 400
    assert post(client, f"{path}clear/", {"reason": "A sum"}).status_code == 200
    answer = client.get(f"/api/v1/{path}content/")
    assert b"".join(answer.streaming_content).startswith(b"%PDF")
    assert answer["Content-Disposition"].startswith("attachment")


def test_a_spill_is_removed_by_two_officers(client, house):
    file = submitted(house).revision.files.get()
    client.force_login(house.olivia)
    asked = post(client, f"files/{file.uuid}/remove/", {"reason": "A key"})
    assert asked.status_code == 201
    path = f"removals/{asked.json()['uuid']}/"
    assert post(client, f"{path}approve/", {}).status_code == 403
    client.force_login(house.rita)
    assert post(client, f"{path}approve/", {}).status_code == 403
    client.force_login(house.mallory)
    assert post(client, f"{path}approve/", {}).status_code == 404
    client.force_login(house.otto)
    assert post(client, f"{path}approve/", {}).json()["state"] == "approved"
    spill_removal.destroy(SpillRemoval.objects.get().pk)
    assert client.get(f"/api/v1/{path}").json()["outcome"].startswith("The bytes were")
    assert post(client, f"{path}refuse/", {}).status_code == 409


def test_requirements_are_added_changed_and_retired(client, house):
    client.force_login(house.olivia)
    said = {
        "system": "shop",
        "control_id": "cm-8",
        "title": "Second look",
        "cadence": "quarterly",
        "operates_from": TODAY.isoformat(),
        "owner_team": "data",
    }
    made = post(client, "requirements/", said)
    assert made.status_code == 201
    path = f"/api/v1/requirements/{made.json()['uuid']}/"
    fixed = {"system", "control_id"}  # where it is asked, said once
    changed = {n: v for n, v in said.items() if n not in fixed}
    changed["title"] = "Third look"
    put = {"content_type": "application/json"}
    assert client.put(path, changed, **put).status_code == 428
    tag = {"If-Match": made["ETag"]}
    assert client.put(path, changed, headers=tag, **put).json()["title"] == "Third look"
    assert client.put(path, changed, headers=tag, **put).status_code == 412
    gone = {"until": "2199-01-01", "reason": "Merged"}
    retired = post(client, f"requirements/{made.json()['uuid']}/retire/", gone)
    assert retired.json()["operates_until"] == "2199-01-01"
    verbs = set(AuditEvent.objects.values_list("verb", flat=True))
    assert {
        "requirement.added",
        "requirement.changed",
        "requirement.retired",
    } <= verbs


def test_less_often_than_the_baseline_is_refused_at_its_field(client, house):
    BaselineControl.objects.filter(control__ref_id="cm-8").update(
        parameters={"cm-08_odp.02": "at least monthly"}
    )
    client.force_login(house.olivia)
    said = {
        "system": "shop",
        "control_id": "cm-8",
        "title": "Once a year",
        "cadence": "yearly",
        "operates_from": TODAY.isoformat(),
    }
    answer = post(client, "requirements/", said)
    assert answer.status_code == 400
    assert "rarer_because" in answer.json()["errors"]


def test_templates_are_previewed_and_applied(client, house):
    RequirementControl.objects.all().delete()
    client.force_login(house.olivia)
    seen = post(client, "requirements/preview_templates/", {"system": "shop"}).json()
    done = post(client, "requirements/apply_templates/", {"system": "shop"}).json()
    assert done["added"] == len(seen) == RequirementControl.objects.count()


@pytest.mark.parametrize(("name", "status"), [("alice", 403), ("mallory", 404)])
def test_others_tune_nothing(client, house, name, status):
    client.force_login(house.people[name])
    asked = {"system": "shop"}
    path = "requirements/apply_templates/"
    assert post(client, path, asked).status_code == status


def test_many_decisions_are_all_recorded_or_none(client, house):
    one, two = submitted(house, "one"), submitted(house, "two")
    client.force_login(house.rita)
    said = [
        {"link": str(one.uuid), "accept": True},
        {"link": str(two.uuid), "accept": False},
    ]
    answer = post(client, "evidence/decide/", said)
    assert answer.status_code == 409
    assert str(two.uuid) in answer.json()["errors"]
    said[1]["reason"] = "No date on it"
    states = {row["state"] for row in post(client, "evidence/decide/", said).json()}
    assert states == {"accepted", "rejected"}
