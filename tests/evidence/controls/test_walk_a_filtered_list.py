"""An officer filters the controls, opens one, goes on to the next and back to the list.

Filter, order, day, what was known and window stay in every link (R31: an answer about
a day as known then is not left by a click).
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from controls import clock
from tests.evidence import house as houses
from tests.evidence.house import submitted
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
LIST = "/systems/shop/controls/"
WINDOW = "window_from=2026-01-01&window_to=2026-12-31"


@pytest.fixture
def house(settings: Any, tmp_path: Any) -> houses.House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def olivia(client: Any, house: houses.House) -> Any:
    client.force_login(house.olivia)
    return client


def links(page: str) -> list[str]:
    """Every address that the content of a page leads to."""
    content = page.partition('<main id="main"')[2].partition("<footer")[0]
    return [unescape(url) for url in re.findall(r'href="([^"]+)"', content)]


def neighbours(page: str) -> dict[str, str]:
    found = re.findall(r'rel="(prev|next)"\s+href="([^"]+)"', page)
    return {rel: unescape(url) for rel, url in found}


def test_previous_and_next_are_those_of_the_filtered_list(olivia) -> None:
    listed = olivia.get(LIST, {"status": "implemented"}).content.decode()
    first = next(url for url in links(listed) if url.startswith(f"{LIST}ac-1/"))
    assert "status=implemented" in first

    page = olivia.get(first).content.decode()
    assert "1 of 4" in page
    assert "Controls: Implemented (4)" in " ".join(page.split())
    assert "prev" not in neighbours(page)
    second = olivia.get(neighbours(page)["next"]).content.decode()
    assert "2 of 4" in second
    assert neighbours(second)["prev"] == first
    assert f"{LIST}?status=implemented" in links(second)


def test_a_control_that_left_the_filter_leads_back_to_the_list(olivia) -> None:
    page = olivia.get(f"{LIST}ac-1/", {"family": "pe"}).content.decode()
    assert "Controls: PE (1)" in " ".join(page.split())
    assert not neighbours(page)
    assert f"{LIST}?family=pe" in links(page)


def test_a_filter_for_verdicts_is_walked_too(olivia) -> None:
    page = olivia.get(LIST, {"verdict": "unproven"})
    labels = [a.implementation["ref_id"] for a in page.context["page"]]
    assert labels
    shown = olivia.get(f"{LIST}{labels[0]}/", {"verdict": "unproven"}).content.decode()
    assert f"1 of {len(labels)}" in shown


def test_the_list_is_put_in_order(olivia, house) -> None:
    house.system.implementations.filter(control__ref_id="pe-3").update(owner_team=None)

    def order(**query: str) -> list[str]:
        page = olivia.get(LIST, query)
        return [answer.implementation["ref_id"] for answer in page.context["page"]]

    assert order() == ["ac-1", "cm-8", "pe-3", "si-2"]
    assert order(sort="owner") == ["pe-3", "ac-1", "cm-8", "si-2"]
    by_class = order(sort="class")
    assert by_class[-1] == "pe-3"  # inherited, after what is ours
    verdicts = [
        answer.status.verdict
        for answer in olivia.get(LIST, {"sort": "verdict"}).context["page"]
    ]
    rank = ["unproven", "partly", "not_applicable", "proven"]
    assert verdicts == sorted(verdicts, key=rank.index)
    page = olivia.get(f"{LIST}pe-3/", {"sort": "owner"}).content.decode()
    assert "1 of 4" in page
    assert neighbours(page)["next"] == f"{LIST}ac-1/?sort=owner"


def of_controls(page: str) -> list[str]:
    return [url for url in links(page) if re.match(rf"{LIST}([a-z]|\?|$)", url)]


def test_day_knowledge_and_window_survive_every_link(olivia, house) -> None:
    """From the list to a control, to the next one and back."""
    known = clock.now().isoformat().replace("+", "%2B")
    then = f"on=2026-10-31&known_at={known}&{WINDOW}"
    page = olivia.get(f"{LIST}?{then}").content.decode()
    to_controls = [url for url in links(page) if url.startswith(f"{LIST}ac-1/")]
    assert to_controls and all(url.endswith(then) for url in to_controls)
    for name in ("on", "known_at", "window_from", "window_to"):
        assert f'type="hidden" name="{name}"' in page  # filtering keeps them
    page = olivia.get(f"{LIST}?{then}&family=ac").content.decode()
    (there,) = {url for url in links(page) if url.startswith(f"{LIST}ac-1/")}
    control = olivia.get(there).content.decode()
    to_controls = [url for url in of_controls(control) if url != f"{LIST}ac-1/"]
    assert to_controls  # all but “Back to today”
    assert [url for url in to_controls if then not in url] == []


def test_the_page_of_evidence_leads_back_to_the_same_day(olivia, house) -> None:
    link = submitted(house, "proof")
    window = WINDOW
    page = olivia.get(f"{LIST}cm-8/?{window}").content.decode()
    there = f"/evidence/{link.revision.evidence.uuid}/?{window}"
    assert there in links(page)
    evidence = olivia.get(there).content.decode()
    assert f"{LIST}cm-8/?{window}" in links(evidence)
    assert f"{LIST}?{window}" in links(evidence)
    then = "on=2026-06-30&" + window
    evidence = olivia.get(f"/evidence/{link.revision.evidence.uuid}/?{then}")
    shown = evidence.content.decode()
    assert "You come from a page about 30 June 2026" in shown
    assert f"{LIST}cm-8/?{then}" in links(shown)


def test_the_tile_names_the_day_and_the_page_begins_with_the_next_step(olivia) -> None:
    today = olivia.get(f"{LIST}cm-8/").content.decode()
    tiles = " ".join(
        today.partition('class="tiles')[0].rsplit("next-step", 1)[-1].split()
    )
    assert "Verdict today" in " ".join(today.split())
    assert 'class="button"' in tiles  # above every tile
    then = olivia.get(f"{LIST}cm-8/", {"on": "2026-06-30"}).content.decode()
    assert "Verdict on 30 June 2026" in " ".join(then.split())
    assert "next-step" not in then  # nobody acts in the past


def test_the_contents_lead_to_what_is_there(olivia) -> None:
    page = olivia.get(f"{LIST}cm-8/").content.decode()
    contents = page.partition('class="toc"')[2].partition("</nav>")[0]
    named = re.findall(r'href="#([\w-]+)"', contents)
    assert len(named) > 8
    assert [name for name in named if f'id="{name}"' not in page] == []


def test_a_status_is_said_of_what_was_ticked_alone(olivia, house) -> None:
    """R28: seen first, and nothing else is touched."""
    page = olivia.get(LIST).content.decode()
    form = page.partition('id="act-on-many"')[2]
    there = unescape(re.findall(r'action="([^"]*)"', form)[0])
    body = {"implementation_status": "planned", "stated_from": str(TODAY)}
    choice = {"act": "status", "ticked": ["cm-8", "si-2", "zz-9"]}
    preview = olivia.post(olivia.post(there, choice)["Location"], body)
    shown = preview.content.decode()
    assert "State “Planned” of 2 controls" in shown
    token = re.findall(r'name="token" value="([^"]+)"', shown)[0]
    confirm = unescape(re.findall(r'action="(/systems/shop/[^"]*)"', shown)[-1])
    olivia.post(confirm, {"token": token})
    stated = house.system.implementations.filter(implementation_status="planned")
    labels = stated.order_by("control__sort_order")
    assert list(labels.values_list("control__ref_id", flat=True)) == ["cm-8", "si-2"]
    chosen = olivia.post(there, choice | {"ticked": ["cm-8"]})["Location"]
    faulty = olivia.post(chosen, body | {"stated_from": "never"})
    assert faulty.status_code == 422
    assert "State the implementation of 1 control" in faulty.content.decode()


@pytest.mark.parametrize("page", [LIST, f"{LIST}pe-3/"])
def test_another_day_is_asked_about_within_the_same_list(olivia, page) -> None:
    shown = olivia.get(page, {"family": "pe", "q": "<b>"}).content.decode()
    form = shown.partition('class="clocks"')[2].partition("</form>")[0]
    assert '<input type="hidden" name="family" value="pe">' in form
    assert '<input type="hidden" name="q" value="&lt;b&gt;">' in form
