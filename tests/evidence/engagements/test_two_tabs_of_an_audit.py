"""AZ-08, RE-03: what an auditor chose in a table of marks is told back in few words
when it was not saved, and kept when the session had ended; nothing else is called
typed."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from controls.models import Engagement
from evidence.models import ControlMark
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.platform.test_signed_out_while_typing import sign_in, signed_in_before
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
NOT_BEGUN = "not_started:0"
TABLE = {
    f"{part}-{ref_id}": state
    for ref_id in ("ac-1", "cm-8", "pe-3", "si-2")
    for part, state in (("state", "not_started"), ("seen", NOT_BEGUN))
}
CHANGED = TABLE | {"state-cm-8": "satisfied", "state-pe-3": "in_progress"}


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = houses.build()
    for person in (built.audrey, built.alice):
        person.set_password(factories.PASSWORD)
        person.save()
    return built


@pytest.fixture
def door(house: House) -> str:
    audit: Engagement = house.system.engagements.get()
    return reverse("evidence:marks_save", args=[audit.uuid])


def typed(answer: Any) -> list[tuple[str, str]]:
    """Labels and texts that a page shows as typed."""
    fields = re.findall(
        r"What you typed(?:, to copy)?: ([^<]+)</label>\s*<textarea[^>]*>([^<]*)<",
        answer.content.decode(),
    )
    return [(unescape(label), unescape(text)) for label, text in fields]


def test_what_another_tab_marked_meanwhile_is_told_with_ones_own_changes(
    house, door
) -> None:
    hers = sign_in_just_now(Client(), house.audrey)
    assert hers.post(door, TABLE | {"state-cm-8": "in_progress"}).status_code == 302
    answer = hers.post(door, CHANGED)
    assert answer.status_code == 409
    assert (
        "Somebody else has marked these since you opened the page: CM-8." in answer.text
    )
    assert typed(answer) == [
        ("State cm 8", "satisfied"),
        ("State pe 3", "in_progress"),
    ]
    assert ControlMark.objects.count() == 1


def test_a_table_sent_after_the_session_is_kept_and_sent_again(house, door) -> None:
    browser = signed_in_before(house.audrey)
    answer = browser.post(door, CHANGED)
    page = sign_in(browser, house.audrey, answer["Location"])
    assert typed(page) == [("State cm 8", "satisfied"), ("State pe 3", "in_progress")]
    form = page.content.decode().partition(f'action="{door}"')[2].partition("</form")[0]
    sent = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
    sent |= dict(re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>([^<]*)<', form))
    assert {name: sent[name] for name in CHANGED} == CHANGED
    assert browser.post(door, sent).status_code == 302
    assert set(ControlMark.objects.values_list("state", flat=True)) == {
        "satisfied",
        "in_progress",
    }


@pytest.mark.parametrize("version", ["9" * 5000, "9" * 10, "-1", "", "x"])
def test_a_version_that_no_page_shows_saves_nothing(house, door, version) -> None:
    """Many digits were answered with 500."""
    hers = sign_in_just_now(Client(raise_request_exception=False), house.audrey)
    body = {"state-cm-8": "satisfied", "seen-cm-8": f"not_started:{version}"}
    answer = hers.post(door, body, follow=True)
    assert "No mark was changed, so nothing was saved." in answer.text
    assert not ControlMark.objects.exists()


def test_digests_that_a_page_sends_are_nothing_typed(house) -> None:
    """Duties acknowledged in another tab."""
    browser = sign_in_just_now(Client(), house.alice)
    slug = house.system.slug
    page = browser.get(reverse("evidence:matrix", args=[slug])).content.decode()
    (digest,) = set(re.findall(r'name="duties" value="([0-9a-f]{64})"', page))
    ours = {"team": house.team.slug, "duties": digest}
    acknowledge = reverse("evidence:duties_acknowledge", args=[slug])
    assert browser.post(acknowledge, ours).status_code == 302
    told = browser.post(acknowledge, ours, follow=True)
    assert "Your team has acknowledged these duties already." in told.text
    assert digest not in told.text.partition("</section>")[0]
    assert not typed(told)
