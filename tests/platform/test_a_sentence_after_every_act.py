"""After every act one sentence says what was done and what is next: for every form that
makes something, and for every step that decides, ends or cancels."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from evidence.models import RequirementControl, SpillRemoval
from tests.access import world as worlds
from tests.access.world import World
from tests.evidence.house import file
from tests.factories import make_system
from tests.platform.test_done_already import STEPS, prepared
from tests.platform.test_forms_sent_twice import NAMES, Page
from tests.sign_ins import sign_in_just_now

MESSAGE = re.compile(r'<li class="notice[^"]*">(.*?)</li>', re.S)
MIN_WORDS = 3


@pytest.fixture
def world(db, settings, tmp_path) -> World:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = worlds.build()
    house = built.house
    make_system(
        house.olivia, slug="depot", baseline=house.system.baseline, services=("s3",)
    )
    # something is left for the templates to ask
    RequirementControl.objects.filter(implementation__control__ref_id="ac-1").delete()
    return built


def sentence_behind(browser: Client, answer: Any) -> str:
    """The one message of the page that an act leads to."""
    assert answer.status_code == 302, answer.content.decode()
    shown = browser.get(answer["Location"], follow=True).content.decode()
    said = [
        " ".join(re.sub(r"<[^>]+>", "", text).split())
        for text in MESSAGE.findall(shown)
    ]
    assert len(said) <= 1, said
    return html.unescape(said[0]) if said else ""


def fault_of(sentence: str) -> str:
    """What is wrong with what was said; "" for a sentence."""
    if not sentence:
        return "silent"
    if len(sentence.split()) < MIN_WORDS or sentence[-1] not in ".!":
        return f"no sentence: {sentence}"
    return ""


def test_every_form_that_makes_something_is_followed_by_a_sentence(world) -> None:
    faults = {}
    with transaction.atomic():
        SpillRemoval.objects.update(
            state="refused", decided_by=world.house.people["olivia"]
        )
        for view in NAMES:
            with transaction.atomic():
                page = Page(world, view)
                body = dict(page.form.body)
                for name, content in page.form.files.items():
                    body[name] = file("report.txt", content)
                answer = page.client.post(page.path, body)
                faults[view] = fault_of(sentence_behind(page.client, answer))
                transaction.set_rollback(True)
    assert {view: fault for view, fault in faults.items() if fault} == {}


def test_every_step_that_decides_or_ends_is_followed_by_a_sentence(world) -> None:
    from tests.access.walking import Door, address, doors

    by_view: dict[str, Door] = {door.view: door for door in doors()}
    faults = {}
    for view, who, _, sent, _ in STEPS:
        with transaction.atomic():
            prepared(world, view)
            browser = Client(raise_request_exception=False)
            sign_in_just_now(browser, world.house.people[who])
            path = address(by_view[f"evidence:{view}"], world)
            answer = browser.post(path, sent)
            faults[view] = fault_of(sentence_behind(browser, answer))
            transaction.set_rollback(True)
    assert {view: fault for view, fault in faults.items() if fault} == {}
