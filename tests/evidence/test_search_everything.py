"""Somebody types an id or words on any page and finds what may be seen, nothing else.

AC-02: what one may not read is in no list and no count.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from controls.models import Crosswalk, CrosswalkNumber
from evidence.requests.requests import RequestDraft, request_evidence
from evidence.systems.search import search
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import submitted
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings: Any, tmp_path: Any) -> houses.House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


def refs(user: Any, text: str) -> list[str]:
    return [row.control.ref_id for row in search(user, text).controls]


def test_every_page_offers_it_and_an_id_is_found_first(house, client) -> None:
    client.force_login(house.ray)
    page = client.get("/systems/").content.decode()
    assert 'action="/search/"' in page
    found = client.get("/search/", {"q": "cm-08"}).content.decode()
    assert "/systems/shop/controls/cm-8/" in found
    assert "1 match for “cm-08”" in " ".join(found.split())


@pytest.mark.parametrize("text", ["AC-2", "ac 02", "AC-2 (1)", "ac-2.1"])
def test_an_id_in_any_spelling_comes_before_its_enhancements(text) -> None:
    officer = factories.make_user("officer")
    baseline = factories.make_baseline(["ac-2", "ac-2.1", "ac-20", "si-2"], slug="ids")
    factories.make_system(officer, slug="ids", baseline=baseline)
    expected = ["ac-2.1"] if "1" in text else ["ac-2", "ac-2.1"]
    assert refs(officer, text) == expected


def test_words_find_titles_and_what_a_control_asks(house) -> None:
    assert "cm-8" in refs(house.ray, "component inventory")
    assert "cm-8" in refs(house.ray, "everything that makes up")
    assert refs(house.ray, "") == []
    assert refs(house.ray, "%") == []


def test_evidence_reports_and_requests_are_found_by_those_who_may_see_them(
    house,
) -> None:
    link = submitted(house, "proof")
    artifact = factories.make_artifact(house.olivia, ["pe-3"])
    wish = RequestDraft("Show the patch board", ["cm-8"], house.team, TODAY)
    asked = request_evidence(house.system, wish, by=house.olivia)

    found = search(house.rita, "patch")
    assert found.evidence == [link.revision.evidence]
    assert found.requests == [asked]
    assert search(house.rita, artifact.title[:5]).artifacts == [artifact]
    assert search(house.rita, link.revision.digest[:12]).evidence == found.evidence
    nothing = search(house.mallory, "patch")
    assert nothing.count == 0
    assert search(house.mallory, "cm-8").count == 0
    assert search(house.mallory, artifact.title[:5]).count == 0


def test_a_regimes_number_finds_its_controls_and_an_auditors_its_request(house) -> None:
    rows = {row.control.ref_id: row for row in house.system.implementations.all()}
    for title, ended_on in (("Criteria", None), ("Criteria of before", TODAY)):
        table = Crosswalk.objects.create(
            system=house.system,
            imported_by=house.olivia,
            title=title,
            starts_on=TODAY - dt.timedelta(days=9),
            ended_on=ended_on,
            sha256="0" * 64,
        )
        number = "CC6.1" if ended_on is None else "CC9.9"
        CrosswalkNumber.objects.create(
            crosswalk=table, implementation=rows["pe-3"], number=number
        )
    assert refs(house.ray, "cc6.1") == ["pe-3"]
    assert refs(house.ray, "CC9.9") == []
    assert refs(house.mallory, "CC6.1") == []
    wish = RequestDraft("Show the racks", ["cm-8"], house.team, TODAY, number="PBC-12")
    wanted = request_evidence(house.system, wish, by=house.olivia)
    assert search(house.rita, "pbc-12").requests == [wanted]
    assert search(house.mallory, "PBC-12").count == 0


def test_restricted_evidence_of_another_team_is_not_there(house) -> None:
    link = submitted(house, "secret")
    evidence = link.revision.evidence
    type(evidence).objects.filter(pk=evidence.pk).update(sensitivity="restricted")
    assert search(house.alice, "Patch report").evidence == [evidence]
    visible = type(evidence).objects.visible_to(house.bob).filter(pk=evidence.pk)
    assert bool(search(house.bob, "Patch report").evidence) == visible.exists()


@pytest.mark.parametrize("text", ["", "x" * 101, "a\0b", "<b>&\"'", "'; --"])
def test_any_text_is_answered_and_shown_as_text(text, house, client) -> None:
    client.force_login(house.ray)
    answer = client.get("/search/", {"q": text})
    assert answer.status_code == 200
    assert "<b>&" not in answer.content.decode()


def test_four_statements_whatever_is_found(house) -> None:
    submitted(house, "proof")
    counts = []
    for text in ("cm-8", "a", "zebra"):
        with CaptureQueriesContext(connection) as queries:
            search(house.rita, text)
        counts.append(len(queries))
    assert max(counts) == min(counts)
