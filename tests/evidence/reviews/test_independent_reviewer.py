"""Nobody reviews what they submitted or collected, nor the same bytes (R17, R32).

The rule is one: what a person's queue shows is what that person can decide, by every
door, and who is told of it is who can decide it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from controls import clock
from evidence.models import EvidenceLink, Notice
from evidence.notices.gathering import gather_notices
from evidence.reviews import reconfirm as reconfirmation
from evidence.submissions.revise import newest
from tests.evidence.house import TODAY, House, file
from tests.evidence.reviews import hands
from tests.evidence.reviews.hands import REVIEWERS, World, upload

pytestmark = pytest.mark.django_db
PEOPLE = (*REVIEWERS, "ray", "audrey", "mallory", "root")


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    return hands.build(settings, tmp_path)


@pytest.fixture
def world(client, house: House) -> World:
    return hands.change_hands(client, house)


class Undo(Exception):
    """Raised to take back what a decision wrote."""


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is written within is taken back."""
    try:
        with transaction.atomic():
            yield
            raise Undo
    except Undo:
        pass


def _page(verb: str) -> Callable[[Client, EvidenceLink], Any]:
    def decide(client: Client, link: EvidenceLink) -> Any:
        return client.post(
            reverse(f"evidence:{verb}", args=[link.uuid]), {"reason": "Because."}
        )

    return decide


def _several(client: Client, link: EvidenceLink) -> Any:
    body = {f"decision-{link.uuid}": "accept"}
    return client.post(reverse("evidence:review_several"), body)


def _api(verb: str) -> Callable[[Client, EvidenceLink], Any]:
    def decide(client: Client, link: EvidenceLink) -> Any:
        return client.post(
            reverse(f"evidence-{verb}", args=[link.uuid]),
            {"reason": "Because."},
            content_type="application/json",
            headers={"If-Match": f'"{link.uuid}:{link.version}"'},
        )

    return decide


def _api_decide(client: Client, link: EvidenceLink) -> Any:
    body = [{"link": str(link.uuid), "accept": True}]
    url = reverse("evidence-decide")
    return client.post(url, body, content_type="application/json")


DOORS = {
    "page accept": _page("accept"),
    "page reject": _page("reject"),
    "page several": _several,
    "API accept": _api("accept"),
    "API reject": _api("reject"),
    "API decide": _api_decide,
}


@pytest.mark.parametrize("door", DOORS)
def test_a_decision_succeeds_for_exactly_those_who_may(client, world, door):
    """R17, R32, AC-07: no authors, no superuser by that alone, at every door."""
    for name in PEOPLE:
        client.force_login(world.person(name))
        decided = set()
        # one link says as much as all of people who review nothing
        links = list(world.links.items())[: None if name in REVIEWERS else 1]
        for what, link in links:
            with undone():
                answer = DOORS[door](client, link)
                assert answer.status_code in {200, 302, 403, 404, 409}, (name, what)
                if answer.status_code in {200, 302}:
                    decided.add(what)
                    assert link.reviews.get().reviewer == world.person(name)
                else:
                    assert not link.reviews.exists()
        assert decided == world.decidable(name), name


def test_what_a_person_is_shown_is_what_that_person_may_decide(client, world):
    """R17, R32: queue, several at once, My work and its count."""
    names = {str(link.uuid): name for name, link in world.links.items()}
    for person in PEOPLE:
        client.force_login(world.person(person))
        expected = world.decidable(person)
        pages = {
            "several": (
                reverse("evidence:review_several"),
                r"decision-([0-9a-f-]{36})",
            ),
        }
        for page, (url, pattern) in pages.items():
            keys = set(re.findall(pattern, client.get(url).content.decode()))
            shown = {names[key] for key in keys if key in names}
            assert shown == expected, (person, page)
        work = client.get(reverse("evidence:work"))
        rows = EvidenceLink.objects.awaiting_review().reviewable_by(
            world.person(person)
        )
        revisions = {str(row.revision.uuid) for row in rows}
        assert work.context["waiting"] == len(revisions)
        listed = client.get(reverse("evidence:queue")).content.decode()
        assert set(re.findall(r"\?item=([0-9a-f-]{36})\"", listed)) == revisions
        for revision in revisions:
            item = client.get(reverse("evidence:queue"), {"item": revision})
            keys = set(
                re.findall(r"name=\"accept-([0-9a-f-]{36})", item.content.decode())
            )
            assert {names[key] for key in keys} <= expected
        assert {names[str(row.uuid)] for row in rows} - expected == set()


def test_who_is_told_is_who_may_decide(world):
    """R17: a submission is told of once, to whoever may decide one of its controls; a
    closed account is told nothing (AC-03)."""
    world.house.raul.is_active = False
    world.house.raul.save(update_fields=["is_active"])
    gather_notices(clock.now())
    of_revision = defaultdict(set)
    for what, link in world.links.items():
        of_revision[link.revision_id] |= world.independent[what] - {"raul"}
    for revision, independent in of_revision.items():
        first = EvidenceLink.objects.filter(revision=revision).earliest("pk")
        told = Notice.objects.filter(key=f"to-review:{first.uuid}", ended_at=None)
        people = {notice.user.name.lower() for notice in told.select_related("user")}
        assert people == independent, first


def test_reconfirming_takes_the_same_independence(client, world, monkeypatch):
    """R17: list, button and both doors of a confirmation."""
    for link in world.links.values():
        hands.accepted(link)
    marks = [_mark(link) for link in world.links.values()]

    def every_link(implementations: Any, moment: Any) -> list[Any]:
        return [mark for mark in marks if mark.implementation in implementations]

    from evidence.views import control_page

    monkeypatch.setattr(reconfirmation, "marks", every_link)
    monkeypatch.setattr(control_page, "marks", every_link)
    names = {str(link.uuid): name for name, link in world.links.items()}
    for person in PEOPLE:
        client.force_login(world.person(person))
        expected = world.decidable(person)
        shown = set()
        for ref_id in ("cm-8", "si-2"):
            url = reverse("evidence:control", args=[world.house.system.slug, ref_id])
            page = client.get(url).content.decode()
            shown |= set(re.findall(r"links/([0-9a-f-]{36})/reconfirm", page))
        assert {names[key] for key in shown} == expected, person
        for decide in (_page("reconfirm"), _api("reconfirm")):
            confirmed = set()
            for what, link in world.links.items():
                with undone():
                    if decide(client, link).status_code in {200, 302}:
                        confirmed.add(what)
            assert confirmed == expected, person


def _mark(link: EvidenceLink) -> reconfirmation.ReconfirmationMark:
    return reconfirmation.ReconfirmationMark(
        link=link.uuid,
        link_id=link.pk,
        implementation=link.implementation_id,
        since=TODAY,
        added=("platform of rds",),
        gone=(),
    )


def test_a_refusal_says_what_one_had_to_do_with_it(client, world):
    client.force_login(world.house.raul)
    answer = _page("accept")(client, world.links["bytes after"])
    assert answer.status_code == 403
    assert "or the same file" in answer.content.decode()


def test_a_correction_by_program_keeps_or_names_the_collector(client, world):
    """R17: nothing that a program says of the collector is dropped."""
    house = world.house
    link = upload(house, "alice", "by program", collector="rita")
    body = {
        "kind": "correction",
        "reason": "Wrong account",
        "performed_on": TODAY,
        "period_start": TODAY.replace(day=1),
        "period_end": TODAY,
    }
    client.force_login(house.alice)
    url = reverse("evidence-revise", args=[link.uuid])
    for content, more, collector in (
        (b"again", {}, house.rita),
        (b"and again", {"collected_by": house.raul.email}, house.raul),
        (b"and again and again", {}, house.raul),
    ):
        answer = client.post(url, body | more | {"files": [file(content=content)]})
        assert answer.status_code == 201, answer.content
        assert newest(link.revision.evidence).collected_by == collector
    last = newest(link.revision.evidence).links.get()
    independent = [
        name
        for name in REVIEWERS
        if EvidenceLink.objects.filter(pk=last.pk)
        .reviewable_by(house.people[name])
        .exists()
    ]
    assert independent == ["bob", "olivia"]
