"""A row of My work says how one goes on: a draft, a rejection with its file, a form
that says what it would count as; and the badge counts what is to do (R14, R17, R19).
"""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse

from controls import clock
from evidence.models import EvidenceLink, Notice, RequirementControl
from evidence.notices.gathering import gather_notices
from evidence.requirements.join_checks import AskTerms, NamedControl
from evidence.requirements.joining import join
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House, file, submitted
from tests.evidence.planning.afresh import is_to_do
from tests.one_day import TODAY

WORK = "/work/"
REASON = "The export shows no date."


@pytest.fixture
def house(db, settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = houses.build()
    asked = built.requirement()
    RequirementControl.objects.exclude(pk=asked.pk).delete()
    return built


def words_of(client: Any, url: str = WORK) -> str:
    """The text of the page's main part, in one line."""
    page = client.get(url).content.decode().partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def upload(client: Any, row: RequirementControl, **changes: Any) -> None:
    body = {
        "performed_on": TODAY,
        "period": "2026-10-01--2026-10-31",
        "title": "Inventory",
        "sensitivity": "internal",
        "files": file("inventory-2026-10.csv", b"a,b\n"),
    }
    url = reverse("evidence:upload", args=["shop", row.uuid])
    answer = client.post(url, body | changes)
    assert answer.status_code == 302, answer.content.decode()


def test_r17_a_rejection_stands_with_its_file_only_while_it_is_the_state(client, house):
    """R17: by whom, when, why, which file, and a way to correct it; gone as soon as
    something else waits or counts."""
    link = submitted(house, "one")
    (brought,) = link.revision.files.all()
    link.reject(by=house.rita, reason=REASON)
    client.force_login(house.alice)
    words = words_of(client)
    assert f"CM-8 was rejected by Rita on 23 November 2026: “{REASON}”" in words
    assert f"File: {brought.name}" in words
    page = client.get(WORK).content.decode()
    correction = reverse("evidence:revision_new", args=[link.revision.evidence.uuid])
    assert f'href="{correction}"' in page
    assert client.get(correction).status_code == 200
    second = submitted(house, "two")
    assert REASON not in words_of(client)
    second.accept(by=house.rita)
    assert REASON not in words_of(client, f"{WORK}?state=current")


def test_r11_a_draft_is_named_in_its_row_and_submitted_for_all_its_controls(
    client, house
):
    """R11: with its file; one act submits it for each control it is for."""
    rows = [
        factories.ask_for(
            factories.implementation(house.system, ref_id),
            f"Of {ref_id}",
            grace_days=10,
            owner_team=house.team,
            operates_from=TODAY.replace(month=10, day=1),
        )
        for ref_id in ("ac-1", "si-2")
    ]
    join(
        house.system,
        AskTerms("Settings", "monthly", "operation", grace_days=10),
        [NamedControl(row.uuid, f"The part about {row.title}") for row in rows],
        from_day=TODAY,
        by=house.olivia,
        today=TODAY,
    )
    client.force_login(house.alice)
    upload(client, rows[0], also=[rows[1].pk], draft="1")
    words = words_of(client)
    draft = "Your draft of 23 November: Inventory . File: inventory-2026-10.csv"
    assert words.count(draft) == 1
    assert "My drafts" not in words
    page = client.get(WORK).content.decode()
    (form,) = re.findall(r'action="(/links/[^"]+/submit/)".*?</form>', page, re.S)
    answer = client.post(form, {"next": "work", "together": "1"})
    assert answer.headers["Location"] == WORK
    states = EvidenceLink.objects.values_list("state", flat=True)
    assert sorted(states) == ["submitted", "submitted"]
    assert client.post(form, {"next": "work", "together": "1"}).status_code == 409


def test_a_draft_of_no_row_that_is_shown_keeps_its_list(client, house):
    """UP-01: narrowed to something else, it is still there to be submitted."""
    client.force_login(house.alice)
    upload(client, house.requirement(), draft="1")
    assert "My drafts" not in words_of(client)
    assert "My drafts Inventory for CM-8 in Shop" in words_of(
        client, f"{WORK}?state=rejected"
    )


def test_r14_the_form_in_the_row_says_what_it_counts_as(client, house):
    """R14: late, for which period, before anything is sent; another day is asked for
    by the same address, without the rest of the page."""
    client.force_login(house.alice)
    assert "Late by" in words_of(client)
    page = client.get(WORK).content.decode()
    part, address = re.findall(r'id="(counts-[^"]+)"[^>]*hx-get="([^"]+)"', page)[0]
    headers = {"HX-Request": "true", "HX-Target": part}
    days = {"performed_on": "2026-11-05", "period": "2026-10-01--2026-10-31"}
    counts = client.get(unescape(address).partition("?")[0], days, headers=headers)
    text = counts.content.decode()
    assert "On time" in text and "October 2026" in text
    assert "<form" not in text


def test_r19_supplementary_evidence_says_that_it_proves_nothing_by_itself(
    client, house
):
    """R19: on the page of the upload, of the evidence, of the control, at the desk."""
    client.force_login(house.alice)
    RequirementControl.objects.filter(implementation__control__ref_id="ac-1").delete()
    url = reverse("evidence:upload_supplementary", args=["shop", "ac-1"])
    days = {"performed_on": TODAY, "period": "day", "title": "A note"}
    body = days | {"sensitivity": "internal", "files": file("note.csv", b"a,b\n")}
    assert client.post(url, body).status_code == 302
    (link,) = EvidenceLink.objects.all()
    of_evidence = reverse("evidence:evidence", args=[link.revision.evidence.uuid])
    of_control = reverse("evidence:control", args=["shop", "ac-1"])
    for page in (url, of_evidence, of_control):
        assert "proves nothing by itself" in words_of(client, page), page
    client.force_login(house.rita)
    assert "proves nothing by itself" in words_of(client, reverse("evidence:queue"))


def badge(client: Any) -> str:
    """The number beside My work, on a page that is not My work."""
    cache.clear()
    page = client.get("/requests/").content.decode()
    found = re.search(r'(\d+)<span class="visually-hidden"> to do', page)
    return found[1] if found else ""


def test_the_badge_counts_work_and_not_notices(client, house):
    """R31: one ask, however many notices tell of it; what is information counts for
    nothing, and reading a notice does no work."""
    client.force_login(house.alice)
    assert badge(client) == "1"
    gather_notices(clock.now())
    assert badge(client) == "1"
    Notice.objects.filter(user=house.alice).delete()
    assert badge(client) == "1"
    link = submitted(house, "one")
    link.accept(by=house.rita)
    gather_notices(clock.now())
    told = Notice.objects.filter(user=house.alice, ended_at=None)
    assert "accepted" in {notice.kind for notice in told}
    words = words_of(client)
    number = int(badge(client) or 0)
    rows = [row for row in client.get(WORK).context["asks"] if is_to_do(row)]
    assert number == len(rows), words
    client.force_login(house.rita)
    submitted(house, "two")
    gather_notices(clock.now())
    assert badge(client) == "1"
    client.post("/notices/read/")
    assert badge(client) == "1"
