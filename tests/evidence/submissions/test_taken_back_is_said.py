"""What was withdrawn says by whom, when and why on every page of that evidence.

And a correction shows what it turns before it is sent, as withdrawing does (R17).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from controls.history.clock import knowledge_now
from evidence.models import EvidenceLink, LinkState
from evidence.requests.answers import answer
from evidence.requests.requests import RequestDraft, request_evidence
from evidence.submissions.withdrawals import withdrawn_from
from tests.evidence import house as houses
from tests.evidence.house import House, submitted
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def link(house: House) -> EvidenceLink:
    made = submitted(house)
    made.accept(by=house.rita)
    return made


def test_every_page_of_the_evidence_says_it(client, house, link):
    asked = request_evidence(
        house.system,
        RequestDraft("The report", ["CM-8"], house.team, TODAY),
        by=house.olivia,
    )
    answer(asked, [link.revision.evidence], by=house.alice)
    client.force_login(house.alice)
    client.post(f"/links/{link.uuid}/withdraw/", {"reason": "The wrong account."})
    evidence = link.revision.evidence
    file = link.revision.files.get()
    for address in (
        f"/evidence/{evidence.uuid}/",
        f"/evidence/{evidence.uuid}/revise/",
        f"/evidence/{evidence.uuid}/attach/",
        f"/files/{file.uuid}/preview/",
        "/systems/shop/controls/cm-8/",
        f"/requests/{asked.uuid}/",
    ):
        page = " ".join(client.get(address).content.decode().split())
        assert "Withdrawn by Alice, 2026-11-23 09:" in page, address
        assert "“The wrong account.”" in page, address


def test_a_correction_shows_what_it_turns_and_changes_nothing(client, house, link):
    client.force_login(house.alice)
    address = f"/evidence/{link.revision.evidence.uuid}/revise/"
    page = client.get(address)
    (turn,) = page.context["turns"]
    assert turn.label == "CM-8"
    assert turn.before.status.customer_half != turn.after.status.customer_half
    assert "What a correction turns" in page.content.decode()
    link.refresh_from_db()
    assert link.state == LinkState.ACCEPTED
    again = client.get(address)
    assert [row.label for row in again.context["turns"]] == ["CM-8"]


def test_as_known_then_what_was_taken_back_later_takes_no_place(house):
    """Many withdrawn since hide none of those that were known to be withdrawn."""
    first = submitted(house)
    first.withdraw(reason="The wrong account.", by=house.alice)
    then = knowledge_now()
    for _ in range(2):
        later = submitted(house)
        later.withdraw(reason="Sent twice.", by=house.alice)
    control = first.implementation_id
    assert [link.pk for link, _ in withdrawn_from(control, then, limit=2)] == [first.pk]
    assert len(withdrawn_from(control, None, limit=2)) == 2
    assert first.pk not in {link.pk for link, _ in withdrawn_from(control, None, 2)}
