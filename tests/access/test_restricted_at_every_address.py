"""AC-02, AC-06: restricted evidence through every address, by who it is not for.

Every address that answers a GET is walked, with the objects of the restricted evidence
in the places that name evidence, a revision, a link or a file: its bytes come to nobody
but its team, reviewers and officers, whatever they are packed in; to strangers not
even a title. A new address is walked as soon as it is in the URLconf.
What exports hold is in `tests/evidence/exports/test_evidence_package.py`.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core import mail

from controls import clock
from evidence.models import Evidence, EvidenceLink
from evidence.notices.gathering import gather_notices
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests.access import world as worlds
from tests.access.walking import address, browser_of, doors
from tests.access.world import World
from tests.evidence.house import TODAY, file, patch_report

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
TITLE = "Zanzibar payroll of the year"
NAME = "zanzibar.txt"
SECRET = b"quokka-4711-salaries"
PARTS = {
    "evidence": ("evidence", "revision_new", "attach"),
    "link": (
        "accept", "reject", "reconfirm", "withdraw", "evidence-detail",
        "evidence-if-withdrawn",
    ),
    "revision": ("decide",),
    "file": (
        "download", "preview", "picture", "preview_page", "file_clear", "removal_new",
        "file-detail", "file-content",
    ),
}  # fmt: skip
STRANGERS = ("nora", "otto", "edgar", "anonymous")
ASKING = {
    "evidence:search": {"q": "Zanzibar"},
    "api_search": {"q": "Zanzibar"},
}


@pytest.fixture
def world(settings, tmp_path) -> World:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return worlds.build()


@pytest.fixture
def link(world: World) -> EvidenceLink:
    """Accepted, restricted evidence of alice's, named wherever an address names one."""
    house = world.house
    made = submit(
        replace(patch_report(), title=TITLE, sensitivity="restricted"),
        [store(NAME, [SECRET * 9])],
        requirement=house.requirement(),
        by=house.alice,
        today=TODAY,
    )
    made.accept(by=house.rita)
    rows = {
        "evidence": made.revision.evidence,
        "link": made,
        "revision": made.revision,
        "file": made.revision.files.get(),
    }
    for part, views in PARTS.items():
        for view in views:
            world.named.setdefault(view, {})["uuid"] = rows[part].uuid
    return made


def pieces(content: bytes) -> Iterator[bytes]:
    """The bytes, and those of everything that is packed in them."""
    yield content
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from pieces(archive.read(name))


def bytes_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def walked(world: World, name: str) -> Iterator[tuple[str, bytes]]:
    """What each address answers a person with."""
    browser = browser_of(world, name)
    for door in doors():
        if "GET" in door.methods:
            answer = browser.get(address(door, world), ASKING.get(door.view, {}))
            yield door.view, bytes_of(answer)


def test_those_it_is_for_open_it(world, link) -> None:
    """The walk would see it: by its preview, its page and its file's route."""
    seen = {view for view, content in walked(world, "rita") if SECRET in content}
    assert {"evidence:download", "file-content"} <= seen
    titled = {
        view for view, content in walked(world, "rita") if TITLE.encode() in content
    }
    assert {"evidence:evidence", "evidence:search", "evidence-list"} <= titled


@pytest.mark.parametrize("name", ["ray", "bob", "audrey", *STRANGERS])
def test_no_address_shows_it_to_others(world, link, name: str) -> None:
    leaks, titles = [], []
    for view, content in walked(world, name):
        for piece in pieces(content):
            if SECRET in piece:
                leaks.append(view)
            if TITLE.encode() in piece or NAME.encode() in piece:
                titles.append(view)
    assert leaks == []
    if name in STRANGERS:
        assert titles == []


def test_a_program_says_that_it_is_restricted(client, world) -> None:
    """What it sent was ignored, and stood open to every reader."""
    client.force_login(world.house.alice)
    body = {
        "requirement": str(world.house.requirement().uuid),
        "title": TITLE,
        "performed_on": str(TODAY),
        "period_start": str(TODAY),
        "period_end": str(TODAY),
        "sensitivity": "restricted",
        "files": [file(NAME, SECRET)],
    }
    assert client.post("/api/v1/evidence/", body).status_code == 201
    assert Evidence.objects.get(title=TITLE).sensitivity == "restricted"


def test_no_notice_or_mail_tells_strangers(world, link) -> None:
    gather_notices(clock.now())
    people = [world.house.people[name] for name in ("nora", "otto", "edgar")]
    told = [notice.sentence for person in people for notice in person.notices.all()]
    assert not [sentence for sentence in told if TITLE in sentence]
    addresses = {person.email for person in people}
    assert not [
        letter.subject
        for letter in mail.outbox
        if addresses & set(letter.to) and TITLE in f"{letter.subject} {letter.body}"
    ]
