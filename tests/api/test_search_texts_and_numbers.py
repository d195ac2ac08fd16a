"""Programs search, read what a control asks, and bring the regime's own numbers.

AC-02: what one may not read is in no answer. R31: a table is compared before it counts.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from controls.models import Crosswalk
from controls.reference.control_texts import import_texts
from tests import factories
from tests.one_day import TODAY
from tests.oscal_catalog import as_bytes, catalog
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
SEARCH = "/api/v1/search/"
NUMBERS = "/api/v1/systems/payments/crosswalks/"
TABLE = b"Control ID,Criterion\nAC-2,CC6.1; CC6.2\nPE-3,CC6.4\nAC-04,CC6.1\n"


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Any) -> None:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False


@pytest.fixture
def officer(oscar: Any, system: Any) -> Client:
    return sign_in_just_now(Client(), oscar)


def sent(content: bytes = TABLE, **more: Any) -> dict[str, Any]:
    table = SimpleUploadedFile("soc2.csv", content)
    return {"title": "SOC 2", "starts_on": str(TODAY), "file": table} | more


def confirmed(client: Client, seen: Any, **more: Any) -> Any:
    """The answer to confirming a preview."""
    token = seen.json()["token"] if hasattr(seen, "json") else seen["token"]
    return client.post(NUMBERS, {"token": token} | more, "application/json")


def test_ac_02_an_id_comes_first_and_strangers_find_nothing(officer) -> None:
    answer = officer.get(SEARCH, {"q": "ac 02"}).json()
    first = answer["controls"][0]
    assert (first["system"], first["control_id"]) == ("payments", "ac-2")
    assert answer["cut"] is False
    stranger = sign_in_just_now(Client(), factories.make_user("stranger"))
    nothing = {"controls": [], "evidence": [], "artifacts": [], "requests": []}
    assert stranger.get(SEARCH, {"q": "ac 02"}).json() == nothing | {"cut": False}


def test_what_cannot_be_searched_for_is_said(officer) -> None:
    for text in ("", "  ", "x" * 101):
        answer = officer.get(SEARCH, {"q": text})
        assert (answer.status_code, "q" in answer.json()["errors"]) == (400, True)
    assert officer.get(SEARCH, {"q": "ac-2", "colour": "red"}).status_code == 400


def test_r18_what_a_control_asks_is_read_with_the_baselines_values(officer) -> None:
    place = "/api/v1/systems/payments/controls/ac-2/text/"
    before = officer.get(place).json()
    assert before["official"] is None
    assert before["summary"]
    import_texts(BytesIO(as_bytes(catalog())), source="catalog.json", by=None)
    after = officer.get(place).json()["official"]
    texts = {part["statement_id"]: part["text"] for part in after["parts"]}
    assert "ac-2_smt.h.1" in texts
    assert after["edition"]["source"] == "catalog.json"
    then = officer.get(place, {"known_at": "2026-11-01"})
    assert then.json()["official"] is None


def test_a_table_of_numbers_is_compared_then_imported(officer, system) -> None:
    seen = officer.post(f"{NUMBERS}preview/", sent())
    assert seen.status_code == 200, seen.content
    rows = {row["control_id"]: row["numbers"] for row in seen.json()["controls"]}
    assert rows == {"ac-2": ["CC6.1", "CC6.2"], "ac-4": ["CC6.1"], "pe-3": ["CC6.4"]}
    assert not Crosswalk.objects.exists()
    by_file = officer.post(NUMBERS, sent(sha256=seen.json()["sha256"]))
    assert by_file.status_code == 400
    assert {"token", "file"} <= by_file.json()["errors"].keys()  # no file is taken here
    made = confirmed(officer, seen)
    assert made.status_code == 201, made.content
    assert (made.json()["controls"], made.json()["criteria"]) == (3, 3)
    assert confirmed(officer, seen).json() == made.json()
    assert Crosswalk.objects.count() == 1
    listed = officer.get(NUMBERS).json()["results"]
    assert [row["uuid"] for row in listed] == [made.json()["uuid"]]
    without = sent(b"Control ID,Criterion\nAC-2,CC6.1\n")
    left = officer.post(f"{NUMBERS}preview/", without).json()["left"]
    assert {row["control_id"] for row in left} == {"ac-2", "ac-4", "pe-3"}


def test_r31_what_cannot_be_placed_is_named_and_nobody_else_imports(
    officer, alice
) -> None:
    odd = TABLE + b"ZZ-9,CC9.9\n"
    seen = officer.post(f"{NUMBERS}preview/", sent(odd)).json()
    assert any("ZZ-9" in error for error in seen["errors"])
    contributor = sign_in_just_now(Client(), alice)
    assert confirmed(contributor, seen).status_code == 403
    assert confirmed(officer, seen).status_code == 400
    made = confirmed(officer, seen, leave_out=True)
    assert (made.status_code, made.json()["controls"]) == (201, 3)
    assert contributor.post(f"{NUMBERS}preview/", sent()).status_code == 403
    assert contributor.get(NUMBERS).status_code == 200


def test_a_preview_is_ones_own_and_says_what_is_still_so(officer, olga, system) -> None:
    seen = officer.post(f"{NUMBERS}preview/", sent())
    second = sign_in_just_now(Client(), olga)
    assert confirmed(second, seen).status_code == 409
    broken = {"token": seen.json()["token"][:-2] + "xx"}
    assert officer.post(NUMBERS, broken, "application/json").status_code == 409
    another = sent(b"Control ID,Criterion\nAC-2,CC6.3\n")
    first = second.post(f"{NUMBERS}preview/", another)
    assert confirmed(second, first).status_code == 201
    late = confirmed(officer, seen)  # what would stand no more was not in its preview
    assert (late.status_code, Crosswalk.objects.count()) == (409, 1)
    assert "changed since" in late.content.decode()
    unknown = sent(b"Control ID,Criterion\nZZ-1,CC6.3\n")
    nothing = officer.post(f"{NUMBERS}preview/", unknown)
    assert nothing.json()["token"] == ""
