"""One function says who may take a step; doors, buttons, lists and notices follow it.

For every verb and person: who may is let in by page and API and nobody else is
(AC-01), whoever is shown a button or a row of a list can take the step, whoever is
sent a notice to act can act, and nobody who may and for whom it waits is left out.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from controls import clock
from controls.models import AlternativeImplementation, Role, User
from evidence.files.checks import Checked
from evidence.models import (
    Evidence,
    EvidenceLink,
    Notice,
    RequirementControl,
    SpillRemoval,
)
from evidence.notices.gathering import gather_notices
from evidence.planning import asks, my_work
from evidence.planning.board import board_of
from evidence.planning.narrowed_asks import AskFilter
from evidence.requests.answers import answer
from evidence.requests.requests import RequestDraft, request_evidence
from evidence.reviews import desk
from evidence.submissions import who_may as submissions
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests import factories
from tests.access import world as worlds
from tests.access.verbs import REFUSED, VERBS, Verb
from tests.access.walking import Undo, address, browser_of, doors, files_of
from tests.access.world import COLUMNS, World
from tests.evidence.house import TODAY, patch_report
from tests.one_day import BEGINS

# Besides those of the table: oscar, who asked for what waits for a second person; an
# administrator; an officer whose role ended a second ago.
PEOPLE = ("oscar", "root", "former", *COLUMNS[1:])
DOORS = {door.view: door for door in doors()}


@pytest.fixture
def world(db, settings, tmp_path) -> World:
    """One object of every kind, and some that only one of two teams may touch."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    world = worlds.build()
    world.house.people["root"] = factories.administrator()
    world.house.people["former"] = former = factories.make_user("former")
    ended = BEGINS - dt.timedelta(seconds=1)
    for role in (Role.OFFICER, Role.REVIEWER):
        factories.give_role(former, world.house.system, role, ends_at=ended)
    for make in (_draft, _flagged, _answered):
        make(world)
    approval = {"decision": "approve"}
    for view in (
        "override_decide", "na_decide", "removal_decide", "end_decide",
        "retrospective_decide", "alternative_decide",
    ):  # fmt: skip
        world.bodies[f"POST evidence:{view}"] = approval
    body = world.bodies["POST evidence:control_describe"]
    body["owner_team"] = world.house.team.pk
    return world


def _draft(world: World) -> None:
    house = world.house
    draft = submit(
        replace(patch_report(), draft=True, title="Draft"),
        [store("draft.txt", [b"not ready"])],
        requirement=house.requirement(),
        by=house.alice,
        today=TODAY,
    )
    world.named["submit_draft"] = world.named["evidence-submit"] = {"uuid": draft.uuid}
    world.named["draft"] = {"uuid": draft.revision.evidence.uuid}


def _flagged(world: World) -> None:
    """A file with a script that alice brings after olivia, an officer, collected it."""
    house = world.house
    upload = store("script.txt", [b"a file that starts something" * 3])
    flagged = replace(upload, checked=Checked("text/plain", ("javascript",)))
    said = replace(patch_report(), title="Flagged", collected_by=house.olivia)
    requirement = house.requirement()
    link = submit(said, [flagged], requirement=requirement, by=house.alice, today=TODAY)
    file = link.revision.files.get()
    for view in ("file_clear", "file-clear", "removal_new", "file-remove"):
        world.named[view] = {"uuid": file.uuid}
    world.named["flagged"] = {"uuid": link.revision.evidence.uuid}


def _answered(world: World) -> None:
    """Oscar, an officer, asks; olivia, another officer, answers for the team."""
    house = world.house
    draft = RequestDraft("Shown", ["cm-8"], house.team, TODAY + dt.timedelta(days=5))
    asked = request_evidence(house.system, draft, by=house.oscar)
    evidence = Evidence.objects.get(uuid=world.named["evidence"]["uuid"])
    answer(asked, [evidence], by=house.olivia)
    for view in ("request_judge", "request-accept", "request-send-back"):
        world.named[view] = {"uuid": asked.uuid}
    world.bodies["POST request-accept"] = {"reason": "Enough."}
    world.bodies["POST evidence:request_judge"]["version"] = 2


def _post(client: Client, world: World, view: str, method: str = "POST") -> Any:
    """The answer to one request, whose writing is taken back."""
    door = DOORS[view]
    url, body = address(door, world), world.bodies.get(f"{method} {view}", {})
    options: dict[str, Any] = {"headers": {"If-Match": world.tag(view)}}
    files = files_of(body)
    if url.startswith("/api/") and not files:
        options["content_type"] = "application/json"
    for file in files:
        file.seek(0)
    with suppress(Undo), transaction.atomic():
        ask = getattr(client, method.lower())
        answer = ask(url, {} if method == "GET" else body, **options)
        raise Undo
    return answer


def _let_in(answer: Any, refused: frozenset[int]) -> bool:
    """Whether a request got past the question who asks."""
    to_sign_in = answer.headers.get("Location", "").startswith("/accounts/login")
    return answer.status_code not in refused and not to_sign_in


@pytest.mark.parametrize("part", range(3))
def test_both_doors_let_in_who_may_and_nobody_else(world, part):
    """AC-01, R32."""
    wrong = []
    for name in PEOPLE:
        browser, person = browser_of(world, name), world.house.people[name]
        for verb in VERBS[part::3]:
            may = verb.may(world, person)
            for door in verb.doors:
                method, _, view = door.rpartition(" ")
                answer = _post(browser, world, view, method or "POST")
                if _let_in(answer, verb.refused) != may:
                    wrong.append((name, verb.name, door, answer.status_code, may))
    assert not wrong, "\n".join(map(str, wrong))


def _page(world: World, shown: str) -> str:
    view, _, which = shown.partition(" ")
    if view == "evidence:control":
        return reverse(view, args=["shop", which])
    if which:
        keys = {"waiting": "population_judge", "answered": "request_judge"}
        return reverse(view, args=[world.named[keys.get(which, which)]["uuid"]])
    return address(DOORS[view], world)


# Who asked takes back by the address at which another decides.
WITHDRAW = 'value="withdraw"'
FORM = re.compile(r"<form\b.*?</form>", re.DOTALL)


def _without_taking_back(page: str) -> str:
    """The page without forms that do nothing but take back."""
    return FORM.sub(
        lambda form: (
            ""
            if WITHDRAW in form[0] and form[0].count('name="decision"') == 1
            else form[0]
        ),
        page,
    )


# What a page's button says where it does not name the address of the door.
MARKS = {
    ("take back the request for an override", "evidence:control"): WITHDRAW,
    ("take back the request for not applicable", "evidence:control"): WITHDRAW,
    ("take back the request for an early end", "evidence:control"): WITHDRAW,
    ("take back the request for an alternative", "evidence:control"): WITHDRAW,
    (
        "take back the request for a change in retrospect",
        "evidence:retrospective",
    ): WITHDRAW,
    ("take back the request for a removal", "evidence:removal"): WITHDRAW,
    ("decide on an answer", "evidence:request"): 'value="accept"',
    ("review a population", "evidence:population"): 'value="accept"',
    ("say how far many controls are", "evidence:controls"): 'name="act" value="status"',
    (
        "name the owner of many controls",
        "evidence:controls",
    ): 'name="act" value="owner"',
    ("review", "evidence:queue"): 'class="desk-list"',
    ("review", "evidence:work"): 'id="queue"',
}


def _marker(world: World, verb: Verb, view: str) -> str:
    mark = MARKS.get((verb.name, view))
    return mark or address(DOORS[verb.doors[0]], world)


@pytest.mark.parametrize("part", range(2))
def test_a_page_offers_a_step_to_exactly_those_who_may(world, part):
    wrong = []
    for name in PEOPLE:
        browser, person = browser_of(world, name), world.house.people[name]
        for verb in VERBS[part::2]:
            may = verb.may(world, person)
            for shown in verb.shown:
                answer = browser.get(_page(world, shown))
                page = answer.content.decode() if answer.status_code == 200 else ""
                mark = _marker(world, verb, shown.partition(" ")[0])
                if mark != WITHDRAW:
                    page = _without_taking_back(page)
                offered = f'{mark}"' in page or f"{mark}?" in page or mark in MARKS
                offered = offered or (mark in MARKS.values() and mark in page)
                if offered != may and not (may and answer.status_code == 404):
                    wrong.append((name, verb.name, shown, offered, may))
    assert not wrong, "\n".join(map(str, wrong))


def _waiting(user: User) -> Iterator[tuple[str, str, Any]]:
    """What My work lists for a person: the kind, and the view and row to act on."""
    for link in desk.waiting(user):
        yield "review", "evidence:accept", link
    for population in my_work.populations_to_judge(user):
        yield "review a population", "evidence:population_judge", population
    for override in my_work.overrides_to_decide(user):
        yield "decide an override", "evidence:override_decide", override
    for excluded in my_work.exclusions_to_decide(user):
        yield "decide not applicable", "evidence:na_decide", excluded
    for end in my_work.ends_to_decide(user):
        yield "decide an early end", "evidence:end_decide", end
    for change in my_work.changes_to_decide(user):
        yield "decide a change in retrospect", "evidence:retrospective_decide", change
    for alternative in AlternativeImplementation.objects.to_decide(user):
        yield "decide an alternative", "evidence:alternative_decide", alternative
    for removal in SpillRemoval.objects.to_decide(user):
        yield "decide a removal", "evidence:removal_decide", removal
    asked = my_work.requests_of(user)
    for request in asked["requests_to_decide"]:
        yield "decide on an answer", "evidence:request_judge", request
    for request in asked["requests_to_answer"]:
        yield "answer a request", "evidence:request_answer", request
    for draft in my_work.drafts_of(user):
        yield "submit a draft", "evidence:submit_draft", draft
    board = board_of(user, clock.now())
    shown = [*board.fitting(AskFilter()), *board.fitting(AskFilter(state="current"))]
    requirements = [ask.requirement for row in shown for ask in row.controls]
    for requirement in requirements:
        yield "upload", "evidence:upload", requirement
    for requirement in asks.per_event_of(user, clock.now()):
        yield "bring a population", "evidence:population_new", requirement


# Lists of what waits for all who may; the others are of one's own teams alone.
WHOLE = {
    "review", "review a population", "decide an override", "decide not applicable",
    "decide a removal", "decide on an answer", "decide an early end",
    "decide a change in retrospect",
    "decide an alternative",
}  # fmt: skip


def test_what_my_work_lists_is_what_one_may_do(world):
    """R32: every row can be acted on; what waits for all who may is shown to each."""
    verbs = {verb.name: verb for verb in VERBS}
    wrong = []
    for name in PEOPLE:
        browser, person = browser_of(world, name), world.house.people[name]
        listed = set()
        for kind, view, row in _waiting(person):
            part = view.partition(":")[2]
            if row.uuid == world.named[part]["uuid"]:
                listed.add(kind)
            kept = world.named[part]
            world.named[part] = {"uuid": row.uuid}
            if not _let_in(_post(browser, world, view), frozenset(REFUSED)):
                wrong.append((name, kind, str(row), "listed but refused"))
            world.named[part] = kept
        for kind in WHOLE:
            if verbs[kind].may(world, person) and kind not in listed:
                wrong.append((name, kind, "may but not listed"))
    assert not wrong, "\n".join(map(str, wrong))


def test_the_number_in_the_heading_counts_what_one_can_decide(world):
    for name in ("rita", "olivia", "alice", "root"):
        browser, person = browser_of(world, name), world.house.people[name]
        rows = EvidenceLink.objects.awaiting_review().reviewable_by(person)
        page = browser.get(reverse("evidence:work"))
        submissions = rows.order_by().values("revision").distinct().count()
        assert page.context["waiting"] == submissions
        queue = browser.get(reverse("evidence:queue"))
        assert queue.context["page"].paginator.count == submissions


# Notices that ask for a step, by the verbs that take it.
STEPS = {
    "to-review": ("review", "review a population"),
    "to-approve": (
        "decide an override", "decide not applicable", "decide a removal",
        "decide an early end", "decide a change in retrospect",
    ),
    "to-read": ("review reliance",),
    "asked": ("answer a request",),
    "answered": ("decide on an answer",),
}  # fmt: skip
SUBJECTS = {
    "review": "accept",
    "review a population": "population_judge",
    "decide an override": "override_decide",
    "decide not applicable": "na_decide",
    "decide a removal": "removal_decide",
    "decide an early end": "end_decide",
    "decide a change in retrospect": "retrospective_decide",
    "review reliance": "reliance",
    "answer a request": "request",
    "decide on an answer": "request_judge",
}


def test_a_notice_that_asks_for_a_step_reaches_only_those_who_may(world):
    """Notices about the objects of the table."""
    gather_notices(clock.now())
    verbs = {verb.name: verb for verb in VERBS}
    people = {person.pk: name for name, person in world.house.people.items()}
    told: dict[str, set[str]] = {name: set() for name in SUBJECTS}
    here = Notice.objects.filter(system=world.house.system, ended_at=None)
    for notice in here.filter(kind__in=STEPS):
        for verb in STEPS[notice.kind]:
            if str(world.named[SUBJECTS[verb]]["uuid"]) in notice.key:
                told[verb].add(people[notice.user_id])
    for verb, names in told.items():
        may = {
            name
            for name, person in world.house.people.items()
            if verbs[verb].may(world, person)
        }
        assert names and names <= may, verb
        if verb in WHOLE - {"decide on an answer"}:
            assert names == may - {"root"}, verb
    assert told["decide on an answer"] == {"oscar"}


def test_what_is_said_to_be_due_can_be_uploaded_by_whoever_is_told(world):
    gather_notices(clock.now() + dt.timedelta(days=45))  # what is new is not due yet
    due = Notice.objects.filter(key__regex="^(due|overdue):").select_related("user")
    assert due
    for notice in due:
        asked = RequirementControl.objects.get(uuid=notice.key.split(":")[1])
        assert submissions.may_submit_for(asked, by=notice.user)
