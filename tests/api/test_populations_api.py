"""The second door for populations, samples, proof per item and deviations."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from evidence.models import Population, RequirementControl, SampleItem
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, file
from tests.factories import set_terms

pytestmark = pytest.mark.django_db
START = TODAY - dt.timedelta(days=30)
API = "/api/v1/populations/"


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    found = houses.build()
    asked = found.requirement()
    set_terms(RequirementControl.objects.filter(pk=asked.pk), cadence="per-event")
    return found


def said(house: House, **more):
    asked = RequirementControl.objects.get(implementation__control__ref_id="cm-8")
    return {
        "requirement": str(asked.uuid),
        "starts": str(START),
        "ends": str(TODAY),
        "source": "Tickets",
        "query": "type = change",
        "completeness": "Totals compared.",
    } | more


def rows(number: int = 4):
    return [
        {"key": f"C-{n}", "day": str(START), "team": "Platform"} for n in range(number)
    ]


def post(client, path: str, body: object):
    return client.post(path, body, content_type="application/json")


def make(client, house) -> str:
    client.force_login(house.alice)
    answer = post(client, API, said(house, rows=rows()))
    assert answer.status_code == 201, answer.content
    return answer.json()["uuid"]


def test_from_rows_to_a_proven_item(client, house):
    uuid = make(client, house)
    client.force_login(house.rita)
    assert post(client, f"{API}{uuid}/accept/", {}).json()["state"] == "accepted"
    client.force_login(house.audrey)
    way = {"method": "random", "size": 2, "seed": "x", "reason": "Table"}
    drawn = post(client, f"{API}{uuid}/draw/", way)
    assert drawn.status_code == 201
    sample = f"/api/v1/samples/{drawn.json()['uuid']}/"
    items = client.get(f"{sample}items/").json()["results"]
    assert [each["state"] for each in items] == ["open", "open"]
    client.force_login(house.alice)
    link = client.post(
        "/api/v1/evidence/",
        {
            "requirement": said(house)["requirement"],
            "sample_item": items[0]["uuid"],
            "title": "Approval",
            "performed_on": str(TODAY),
            "period_start": str(START),
            "period_end": str(TODAY),
            "files": file("a.txt", b"approved"),
        },
    )
    assert link.status_code == 201, link.content
    assert link.json()["sample_item"] == items[0]["uuid"]
    failed = {"item": items[1]["uuid"], "note": "No approval"}
    assert post(client, f"{sample}deviations/", failed).status_code == 201
    assert post(client, f"{sample}deviations/", failed).status_code == 409
    after = client.get(f"{sample}items/").json()["results"]
    assert [each["state"] for each in after] == ["submitted", "open"]
    assert after[1]["deviation"] == "No approval"
    assert client.get(sample).json()["deviations"] == 1


def test_a_file_works_like_rows_and_events_are_listed(client, house):
    client.force_login(house.alice)
    body = f"key,day\nA-1,{START}\nA-2,{TODAY}\n".encode()
    made = client.post(API, said(house, file=file("l.csv", body)))
    assert made.status_code == 201
    listed = client.get(f"{API}{made.json()['uuid']}/items/").json()["results"]
    assert [each["key"] for each in listed] == ["A-1", "A-2"]
    assert [each["row_count"] for each in client.get(API).json()["results"]] == [2]


def test_wrong_rows_are_named_and_nothing_is_kept(client, house):
    client.force_login(house.alice)
    wrong = [*rows(), {"key": "C-1", "day": str(START)}, {"key": "x", "day": "later"}]
    answer = post(client, API, said(house, rows=wrong))
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert len(answer.json()["errors"]["rows"]) == 2
    assert post(client, API, said(house)).status_code == 400
    assert not Population.objects.exists()
    none = post(client, API, said(house, none_happened=True))
    assert (none.status_code, none.json()["row_count"]) == (201, 0)


@pytest.mark.parametrize(
    ("name", "seen", "brought"),
    [("bob", 404, 403), ("rita", 200, 403), ("ray", 200, 403), ("mallory", 404, 404)],
)
def test_roles_hold_here_too(client, house, name, seen, brought):
    uuid = make(client, house)
    client.force_login(house.people[name])
    assert client.get(f"{API}{uuid}/").status_code == seen
    assert post(client, API, said(house, rows=rows())).status_code == brought
    way = {"method": "all", "reason": "All"}
    drawn = post(client, f"{API}{uuid}/draw/", way).status_code
    assert drawn == (403 if seen == 200 else 404)


def test_refusals_name_their_fields(client, house):
    uuid = make(client, house)
    way = {"method": "random", "size": 9, "reason": "Table"}
    refused = post(client, f"{API}{uuid}/draw/", way)
    assert refused.status_code == 403  # R16: never by whoever brought it
    assert "no hand in this list" in refused.json()["detail"]
    client.force_login(house.olivia)
    answer = post(client, f"{API}{uuid}/draw/", way)
    assert answer.status_code == 400
    assert "size" in answer.json()["errors"]
    client.force_login(house.alice)
    assert post(client, f"{API}{uuid}/accept/", {}).status_code == 403
    client.force_login(house.olivia)
    gone = post(client, f"{API}{uuid}/withdraw/", {"reason": "Wrong"})
    assert gone.json()["state"] == "withdrawn"
    assert post(client, f"{API}{uuid}/draw/", way | {"size": 1}).status_code == 409
    assert not SampleItem.objects.exists()
