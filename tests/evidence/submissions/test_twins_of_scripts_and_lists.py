"""The same bytes for the same ask and period over the API, by an ask's address and in a
list of many: named, and taken a second time only on purpose (R14)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from evidence.models import Evidence, RequirementControl
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House, file
from tests.one_day import TODAY

REPORT = b"host,missing\n" * 20  # longer than what files have in common by chance
OTHER = b"host,patched\n" * 20
LISTS = "/systems/shop/upload/"
PLANS = "/api/v1/systems/shop/uploads/"


@pytest.fixture
def house(db, settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def asked(client, house) -> RequirementControl:
    """Brought once by Alice for November, who is signed in."""
    row = house.requirement()
    client.force_login(house.alice)
    assert brought(client, row).status_code == 201
    return row


def brought(client: Any, row: RequirementControl, **changes: Any) -> Any:
    body = {
        "requirement": row.uuid,
        "title": "Patches",
        "performed_on": TODAY,
        "period_start": TODAY.replace(day=1),
        "period_end": TODAY.replace(day=30),
        "files": [file("patch.csv", REPORT)],
    }
    return client.post("/api/v1/evidence/", body | changes)


def test_r14_the_api_names_a_twin_and_takes_it_on_purpose(client, asked):
    """R14: 409 with file, digest, ask, period and time; `again` submits it."""
    refused = brought(client, asked, title="Patches, once more")
    assert refused.status_code == 409
    (sentence,) = [refused.json()["detail"]]
    assert "patch.csv (sha256 " in sentence
    assert "was brought by you for" in sentence
    assert "November 2026, today at 09:" in sentence
    assert "again" in sentence
    assert Evidence.objects.count() == 1
    assert brought(client, asked, again="true").status_code == 201
    assert Evidence.objects.count() == 2
    other = brought(client, asked, files=[file("patch.csv", OTHER)])
    assert other.status_code == 201


def test_r14_an_answer_is_given_again_to_the_same_key(client, house):
    """R14: a script that lost the answer is told the same, and not of itself."""
    client.force_login(house.alice)
    row = house.requirement()
    key = {"Idempotency-Key": "one-and-the-same"}
    answers = [
        client.post(
            "/api/v1/evidence/",
            {
                "requirement": row.uuid,
                "title": "Patches",
                "performed_on": TODAY,
                "period_start": TODAY,
                "period_end": TODAY,
                "files": [file("patch.csv", REPORT)],
            },
            headers=key,
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert Evidence.objects.count() == 1


def test_r14_an_ask_takes_the_same_bytes_of_a_period_once(client, house):
    """R14: nothing is open; the same export of the next night makes no second
    submission for the running month, unless somebody wants it."""
    client.force_login(house.alice)
    row = factories.ask_for(
        factories.implementation(house.system, "si-2"),
        "Patch report",
        cadence="monthly",
        grace_days=10,
        owner_team=house.team,
        operates_from=TODAY.replace(day=1),
    )
    path = f"/api/v1/asks/{row.ask.uuid}/evidence/"

    def sent(*files: Any, **changes: Any) -> Any:
        return client.post(path, {"file": list(files)} | changes)

    yesterday = {"performed_on": TODAY.replace(day=22)}
    assert sent(file("patch.csv", REPORT), **yesterday).status_code == 201
    again = sent(file("patch.csv", REPORT))
    assert (again.status_code, again.json()["new"]) == (200, False)
    assert Evidence.objects.count() == 1
    refused = sent(file("patch.csv", REPORT), file("more.csv", OTHER))
    assert refused.status_code == 409
    assert "patch.csv (sha256 " in refused.json()["detail"]
    on_purpose = sent(file("patch.csv", REPORT), again="true")
    assert (on_purpose.status_code, on_purpose.json()["new"]) == (201, True)


def listed(client: Any, path: str) -> Any:
    body = (
        "file,control,performed_on,period_start,period_end,title\n"
        f"patch.csv,CM-8,{TODAY},2026-11-01,2026-11-30,Patches\n"
        f"other.csv,CM-8,{TODAY},2026-11-01,2026-11-30,Others\n"
    )
    files = [file("patch.csv", REPORT), file("other.csv", OTHER)]
    return client.post(path, {"list": file("list.csv", body.encode()), "files": files})


def test_r14_a_list_names_what_was_brought_before(client, asked):
    """R14: by its line, before anything is recorded; confirmed on purpose only."""
    preview = listed(client, LISTS)
    page = " ".join(preview.content.decode().split())
    assert "1 file was brought before for the same ask and period" in page
    assert "Line 2: patch.csv (sha256 " in page
    earlier = Evidence.objects.get()
    assert reverse("evidence:evidence", args=[earlier.uuid]) in page
    token = {"token": preview.context["token"]}
    refused = client.post(f"{LISTS}confirm/", token)
    assert refused.status_code == 409
    assert "patch.csv (sha256 " in refused.content.decode()
    assert Evidence.objects.count() == 1
    assert 'name="again"' in page
    done = client.post(f"{LISTS}confirm/", token | {"again": "1"})
    assert done.status_code == 302
    assert Evidence.objects.count() == 3


def test_r14_a_plan_over_the_api_does_so_too(client, asked):
    """R14: `twins` names lines, digest and the earlier link; 409 without `again`."""
    plan = listed(client, f"{PLANS}plan/").json()
    (twin,) = plan["twins"]
    assert (twin["rows"], twin["file"], twin["state"]) == (
        [2],
        "patch.csv",
        "submitted",
    )
    token = {"token": plan["token"]}
    as_json = {"content_type": "application/json"}
    assert client.post(f"{PLANS}confirm/", token, **as_json).status_code == 409
    done = client.post(f"{PLANS}confirm/", token | {"again": True}, **as_json)
    assert done.status_code == 201
    assert Evidence.objects.count() == 3


def test_r14_a_list_without_twins_asks_nothing(client, house):
    """R14: the button says what it does, and no more."""
    client.force_login(house.alice)
    house.requirement()
    preview = listed(client, LISTS)
    page = preview.content.decode()
    assert "brought before" not in page
    token = {"token": preview.context["token"]}
    assert client.post(f"{LISTS}confirm/", token).status_code == 302
