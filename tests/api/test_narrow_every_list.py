"""API: lists are narrowed by system, control, ask and state where their rows have such
a thing, and a parameter that nobody knows is refused with a sentence.

One mechanism (`controls.api.filters`): each story walks all addresses of the schema.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from django.conf import settings as django_settings
from django.urls import reverse

from evidence.models import EvidenceLink
from tests import factories
from tests.access import world as worlds
from tests.access.walking import browser_of
from tests.evidence import house as houses
from tests.evidence.house import House, submitted
from tests.one_day import TODAY

SCHEMA = yaml.safe_load(
    (Path(django_settings.BASE_DIR) / "docs/openapi.yaml").read_text()
)
LISTS = sorted(
    path
    for path, methods in SCHEMA["paths"].items()
    if "{" not in path
    and "Paginated" in str(methods.get("get", {}).get("responses", {}).get("200"))
)
# What rows have: by the last part of the address.
HAVE = {
    "alternatives": {"system", "control", "state"},
    "artifacts": {"system"},
    "asks": {"system", "control"},
    "end-requests": {"system", "control", "state"},
    "evidence": {"system", "control", "ask", "state"},
    "exports": {"system", "state"},
    "files": {"system", "control", "ask", "state"},
    "not-applicable": {"system", "control", "state"},
    "notices": {"system"},
    "overrides": {"system", "control", "state"},
    "populations": {"system", "control", "ask", "state"},
    "removals": {"system", "state"},
    "requests": {"system", "control", "state"},
    "requirements": {"system", "control", "ask"},
    "retrospective-changes": {"system", "state"},
    "samples": {"system", "control", "ask"},
}


@pytest.fixture
def house(db, settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


def names_of(path: str) -> set[str]:
    parameters = SCHEMA["paths"][path]["get"].get("parameters", ())
    return {each["name"] for each in parameters if each["in"] == "query"}


def test_the_schema_lists_the_filters_of_every_list():
    assert {path.split("/")[-2] for path in LISTS} >= set(HAVE)
    for path in LISTS:
        expected = HAVE.get(path.split("/")[-2], set())
        assert expected <= names_of(path), path


@pytest.fixture
def world(db, settings, tmp_path: Path) -> worlds.World:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return worlds.build()


def test_every_list_takes_each_of_its_filters_and_refuses_another(world):
    """What fits narrows, another system or control leaves nothing, and a word that is
    no state, no uuid or no parameter at all is refused by name."""
    browser = browser_of(world, "olivia")
    for path in LISTS:
        unknown = browser.get(path, {"colour": "red"})
        assert unknown.status_code == 400, path
        problem = unknown.json()
        assert "There is no such parameter." in problem["detail"], path
        assert list(problem["errors"]) == ["colour"]
        for name in names_of(path) & {"system", "control"}:
            nothing = browser.get(path, {name: "zz-99"})
            assert nothing.status_code == 200, (path, name)
            assert nothing.json()["results"] == [], (path, name)
        if "ask" in names_of(path):
            assert browser.get(path, {"ask": "no-uuid"}).status_code == 400, path
            of_none = browser.get(path, {"ask": str(uuid4())})
            assert of_none.json()["results"] == [], path
        if "state" in names_of(path):
            refused = browser.get(path, {"state": "sideways"})
            assert refused.status_code == 400, path
            assert "“sideways” is none of" in refused.json()["detail"], path
        everything = browser.get(path).json()["results"]
        if "system" in names_of(path) and path.split("/")[-2] != "notices":
            mine = browser.get(path, {"system": "shop"}).json()["results"]
            assert len(mine) == len(everything), path


def test_what_is_no_list_refuses_what_it_does_not_know(client, house):
    client.force_login(house.alice)
    row = house.requirement()
    one = reverse("requirement-detail", args=[row.uuid])
    assert client.get(one).status_code == 200
    assert client.get(one, {"colour": "red"}).status_code == 400
    calendar = reverse("api_calendar", args=["shop"])
    assert client.get(calendar, {"from": str(TODAY)}).status_code == 200
    refused = client.get(calendar, {"form": str(TODAY)})
    assert refused.status_code == 400
    assert "Known here: from, team and to." in refused.json()["detail"]


def test_evidence_is_narrowed_by_control_ask_and_state(client, house):
    first = submitted(house, "one")
    other = house.requirement("si-2")
    second = submitted(house, "two", requirement=other)
    second.reject(by=house.rita, reason="No date.")
    client.force_login(house.alice)

    def found(**filters: Any) -> set[str]:
        rows = client.get("/api/v1/evidence/", filters).json()["results"]
        return {row["uuid"] for row in rows}

    both = {str(first.uuid), str(second.uuid)}
    assert found() == found(system="shop") == both
    assert found(control="SI-2") == found(control="si-2") == {str(second.uuid)}
    assert found(ask=other.ask.uuid) == {str(second.uuid)}
    assert found(state="submitted") == {str(first.uuid)}
    assert found(state="rejected", control="CM-8") == set()
    files = client.get("/api/v1/files/", {"control": "si-2"}).json()["results"]
    assert len(files) == 1
    asks = client.get("/api/v1/asks/", {"control": "SI-2"}).json()["results"]
    assert str(other.ask.uuid) in {ask["uuid"] for ask in asks}
    assert EvidenceLink.objects.count() == 2


def test_controls_of_a_system_are_narrowed_by_control_ask_and_verdict(client, house):
    link = submitted(house, "one")
    link.accept(by=house.rita)
    client.force_login(house.alice)
    path = "/api/v1/systems/shop/controls/"

    def found(**filters: Any) -> list[str]:
        rows = client.get(path, {"evidence": "none"} | filters).json()["results"]
        return sorted(row["control_id"] for row in rows)

    assert len(found()) == 4
    assert found(control="CM-8") == ["cm-8"]
    assert found(ask=house.requirement().ask.uuid) == ["cm-8"]
    by_verdict = [row for verdict in ("proven", "partly", "unproven", "not_applicable")
                  for row in found(state=verdict)]  # fmt: skip
    assert sorted(by_verdict) == found()
    assert client.get(path, {"state": "green"}).status_code == 400
    of_one = f"{path}cm-8/evidence/"
    assert len(client.get(of_one, {"state": "accepted"}).json()["results"]) == 1
    assert client.get(of_one, {"state": "rejected"}).json()["results"] == []
    assert factories.implementation(house.system, "cm-8").pk
