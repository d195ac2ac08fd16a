"""An officer opens a system and sees what needs attention, each with where to go."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.urls import reverse

from controls.models import Role
from evidence.requests.requests import RequestDraft, request_evidence
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store_folder(settings, tmp_path: Path) -> None:
    settings.EVIDENCE_STORE = str(tmp_path)


def lines(browser, system) -> list[tuple[str, str, str]]:
    """Number, sentence and address of each line; empty without the list."""
    page = browser.get(reverse("evidence:dashboard", args=[system.slug])).content
    text = " ".join(page.decode().split())
    _, _, panel = text.partition('<ul class="attention">')
    return re.findall(
        r'<span class="n[^"]*">([^<]*)</span>.*?<strong>([^<]*)</strong>'
        r'.*?<a href="([^"]+)">[^<]*</a> </li>',
        panel.partition("</ul>")[0],
    )


def test_people_missing_status_and_requests_stand_on_top(as_user, oscar, alice):
    """R28, R32: who is missing comes first; each line leads to where it is mended."""
    system = factories.make_system(oscar, slug="shop", stated=False)
    team = factories.make_team()
    factories.give_role(alice, system, Role.CONTRIBUTOR, team=team)
    draft = RequestDraft("Change tickets", ["ac-1"], team, TODAY)
    request_evidence(system, draft, by=oscar)
    (mark, sentence, way), *others = lines(as_user(oscar), system)
    assert (mark, sentence) == ("!", "No second officer: nobody can approve.")
    assert way == reverse("evidence:people", args=[system.slug])
    ways = {sentence: (mark, way) for mark, sentence, way in others}
    (unstated,) = [s for s in ways if "no implementation status" in s]
    assert ways[unstated][1].endswith("?status=not-stated")
    assert ways["request for evidence is not settled."][0] == "1"
    assert lines(as_user(alice), system) == []


def test_it_is_of_today_only(system, as_user, oscar):
    """R31: a page about another day does not speak of what there is to do now."""
    address = reverse("evidence:dashboard", args=[system.slug])
    page = as_user(oscar).get(address, {"on": "2026-06-30"}).content.decode()
    assert "What needs attention" not in page
