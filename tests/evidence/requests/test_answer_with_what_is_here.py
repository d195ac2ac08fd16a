"""Evidence of the controls asked about is offered first; a search finds the rest."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from evidence.models import Evidence, EvidenceRequest
from evidence.requests.requests import RequestDraft, request_evidence
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House

pytestmark = pytest.mark.django_db
MONTHS = ("2026-09", "2026-10")


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def asked(house: House) -> EvidenceRequest:
    draft = RequestDraft(
        title="Tickets of October",
        control_ids=["cm-8"],
        team=house.team,
        due_on=TODAY + dt.timedelta(days=10),
    )
    return request_evidence(house.system, draft, by=house.olivia)


def brought(house: House, ref_id: str, title: str, month: str = "2026-11") -> Evidence:
    first = dt.date.fromisoformat(f"{month}-01")
    submission = Submission(
        title=title,
        performed_on=first + dt.timedelta(days=9),
        period_start=first,
        period_end=first + dt.timedelta(days=20),
        collected_on=TODAY,
    )
    link = submit(
        submission,
        [store("report.txt", [title.encode()])],
        requirement=house.requirement(ref_id),
        by=house.alice,
        today=TODAY,
    )
    return link.revision.evidence


def offered_on(page) -> list[str]:
    return [row.title for row in page.context["offered"]]


def test_of_the_controls_asked_about_first_and_narrowed_by_a_search(
    client, house, asked
):
    brought(house, "cm-8", "Inventory", "2026-10")
    accepted = brought(house, "cm-8", "Inventory of November")
    brought(house, "si-2", "Patches")
    accepted.revisions.get().links.get().accept(by=house.rita)
    client.force_login(house.alice)
    url = f"/requests/{asked.uuid}/"
    page = client.get(url)
    titles = ["Inventory of November", "Inventory", "Patches"]
    assert offered_on(page) == titles
    assert "about 2026-10-01 to 2026-10-21" in " ".join(page.content.decode().split())
    assert offered_on(client.get(url, {"q": "si-2"})) == ["Patches"]
    assert offered_on(client.get(url, {"q": "inventory"})) == titles[:2]
    assert offered_on(client.get(url, {"state": "accepted"})) == titles[:1]
    assert offered_on(client.get(url, {"day": "2026-10-15"})) == ["Inventory"]


def test_a_search_without_a_script_keeps_what_was_chosen_and_typed(
    client, house, asked
):
    first = brought(house, "cm-8", "Inventory")
    brought(house, "si-2", "Patches")
    client.force_login(house.alice)
    typed = {"find": "1", "q": "si-2", "evidence": [first.pk], "note": "Both of them"}
    page = client.post(f"/requests/{asked.uuid}/answer/", typed)
    assert page.status_code == 200
    assert [row.title for row in page.context["chosen"]] == ["Inventory"]
    assert offered_on(page) == ["Patches"]
    assert "Both of them" in page.content.decode()
    asked.refresh_from_db()
    assert asked.state == "open"


def test_the_message_names_what_answers_whose_request(client, house, asked):
    proofs = [brought(house, "cm-8", "Inventory"), brought(house, "si-2", "Patches")]
    client.force_login(house.alice)
    typed = {"evidence": [proof.pk for proof in proofs], "version": asked.version}
    page = client.post(f"/requests/{asked.uuid}/answer/", typed, follow=True)
    told = page.content.decode()
    assert "“Inventory” and “Patches” answer “Tickets of October”. Olivia asked" in told


def test_nothing_chosen_is_told_at_the_list(client, house, asked):
    brought(house, "cm-8", "Inventory")
    client.force_login(house.alice)
    page = client.post(f"/requests/{asked.uuid}/answer/", {"version": asked.version})
    assert page.status_code == 400
    assert page.content.decode().count("Choose the evidence that answers it.") == 2
