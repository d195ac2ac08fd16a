"""The numbers of My work filter it, and so do system, due day, control and title."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence import house as houses
from tests.evidence.house import House, submitted

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def labels_for(client, house):
    """The controls on alice's page with a query."""
    for ref_id in houses.CONTROLS[:2]:
        house.requirement(ref_id)
    submitted(house)
    client.force_login(house.alice)

    def labels(**query: str) -> set[str]:
        rows = client.get("/work/", query).context["asks"]
        asks = [ask.requirement for row in rows for ask in row.controls]
        return {requirement.implementation.control.label for requirement in asks}

    return labels


def test_each_number_leads_to_what_it_counts(client, labels_for):
    page = client.get("/work/")
    for code, word, number in page.context["counts"]:
        assert f"<b>{number}</b> {word.lower()}" in " ".join(
            page.content.decode().split()
        )
        assert len(client.get("/work/", {"state": code}).context["asks"]) == number


def test_it_is_narrowed_by_control_system_and_due_day(client, labels_for):
    everything = labels_for()
    assert "CM-8" in everything
    assert labels_for(control="cm-8") == {"CM-8"}
    assert labels_for(system="shop") == everything
    assert labels_for(due="overdue") <= labels_for(due="soon") <= everything
    assert labels_for(control="no such control") == set()
    nothing = client.get("/work/", {"control": "no such control"}).content.decode()
    assert "No ask matches." in nothing
    assert labels_for(system="of nobody") == everything  # no choice: not narrowed


def test_all_asks_are_reached_page_by_page(client, labels_for, monkeypatch):
    everything = labels_for()
    monkeypatch.setattr("evidence.views.my_work.ASKS_PER_PAGE", 1)
    first, second = labels_for(), labels_for(page="2")
    assert len(first) == len(second) == 1
    assert first != second
    pages = client.get("/work/").context["page"].paginator.num_pages
    assert set.union(*(labels_for(page=str(n + 1)) for n in range(pages))) == everything
    assert 'rel="next" href="?page=2"' in client.get("/work/").content.decode()
    # a filter begins at its first page, and the numbers count all pages
    narrowing = client.get("/work/", {"page": "2"})
    assert "page=" not in narrowing.content.decode().partition("Asks by state")[2][:600]
    assert narrowing.context["number"] == len(everything)


def test_who_decides_nothing_is_asked_for_no_decision(client, house):
    """A contributor's page reads nothing of what only officers and reviewers decide;
    theirs does (AC-03)."""
    for person, decides in ((house.alice, False), (house.rita, True)):
        client.force_login(person)
        context = client.get("/work/").context
        assert ("overrides" in context) == decides
