"""RE-09, RFC 9110: a change over the API names the version it is based on.

One table for every verb that changes something that is there. `needed`: 428 without
If-Match; `heeded`: it may be left out, and counts where it is sent; `without`: the row
bears no version, so of If-Match only `*` matches.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from controls.alternatives import decide_alternative
from controls.applicability import decide_not_applicable
from controls.models import (
    AlternativeImplementation,
    ApplicabilityDecision,
    EndRequest,
    ResponsibilityOverride,
)
from controls.responsibility.overrides import decide_override
from evidence.models import EvidenceLink, EvidenceRequest, Export, Notice
from evidence.requests.answers import answer
from tests import one_day
from tests.access import world as worlds
from tests.access.walking import Door, doors, said_in_table
from tests.access.world import World
from tests.sign_ins import sign_in_just_now

TODAY = str(one_day.TODAY)


class Verb(NamedTuple):
    """One change: how it takes If-Match, who may do it, what comes before it."""

    header: str
    who: str
    before: Callable[[World], Any] | None = None
    body: dict[str, Any] = {}


def as_draft(world: World) -> None:
    EvidenceLink.objects.update(state="draft", submitted_at=None)


def answered(world: World) -> None:
    house, request = world.house, EvidenceRequest.objects.get()
    evidence = EvidenceLink.objects.get().revision.evidence
    answer(request, [evidence], note="Here", by=house.alice)


def override_holds(world: World) -> None:
    override = ResponsibilityOverride.objects.get()
    decide_override(override, approve=True, by=world.house.olivia)


def override_runs(world: World) -> None:
    """It holds, and nobody has asked for its end."""
    override_holds(world)
    EndRequest.objects.all().delete()


def left_out(world: World) -> None:
    excluded = ApplicabilityDecision.objects.get()
    decide_not_applicable(excluded, approve=True, by=world.house.olivia)


def alternative_holds(world: World) -> None:
    decide_alternative(
        AlternativeImplementation.objects.get(),
        approve=True,
        by=world.house.olivia,
        today=one_day.TODAY,
    )


def export_made(world: World) -> None:
    made = {"state": "done", "sha256": "0" * 64, "finished_at": one_day.BEGINS}
    Export.objects.filter(closing=None).update(**made)


def told(world: World) -> None:
    Notice.objects.update(said={"what": "Inventory", "day": TODAY})


WHY = {"reason": "Because."}
VERBS = {
    "PATCH system-detail": Verb("needed", "olivia"),
    "PATCH system-control": Verb("needed", "olivia"),
    "POST component-end": Verb("needed", "olivia", None, {"last_day": TODAY}),
    "POST system-terms-list": Verb("needed", "olivia"),
    "PUT requirement-detail": Verb("needed", "olivia"),
    "POST requirement-retire": Verb("heeded", "olivia"),
    "POST ask-split": Verb("without", "olivia"),
    "POST ask-controls": Verb("without", "olivia"),
    "POST ask-evidence": Verb("without", "alice"),
    "POST request-answer": Verb("needed", "alice"),
    "POST request-accept": Verb("needed", "olivia", answered),
    "POST request-send-back": Verb("needed", "olivia", answered),
    "POST request-cancel": Verb("needed", "olivia", None, WHY),
    "PATCH engagement-detail": Verb("needed", "olivia"),
    "POST engagement-renew": Verb("needed", "olivia"),
    "POST engagement-end": Verb("needed", "olivia"),
    "PUT engagement-scope": Verb("needed", "olivia"),
    "POST engagement-add-system": Verb("needed", "olivia", None, {"system": "shop"}),
    "POST engagement-take-out": Verb("needed", "olivia", None, WHY),
    "PATCH mark-detail": Verb("needed", "audrey"),
    "PATCH tested-item-detail": Verb("needed", "audrey"),
    "POST export-make-again": Verb("without", "olivia"),
    "POST closing-confirm": Verb("needed", "audrey"),
    "POST closing-refuse": Verb("needed", "audrey", None, WHY),
    "POST closing-withdraw": Verb("needed", "olivia"),
    "POST override-approve": Verb("needed", "olivia"),
    "POST override-refuse": Verb("needed", "olivia"),
    "POST override-withdraw": Verb("needed", "oscar"),
    "POST override-settle": Verb("needed", "olivia", override_runs, WHY),
    "POST end-request-approve": Verb("needed", "olivia", override_holds),
    "POST end-request-refuse": Verb("needed", "olivia", override_holds),
    "POST end-request-withdraw": Verb("needed", "oscar", override_holds),
    "POST retrospective-change-approve": Verb("needed", "olivia"),
    "POST retrospective-change-refuse": Verb("needed", "olivia"),
    "POST retrospective-change-withdraw": Verb("needed", "oscar"),
    "POST component-days": Verb("needed", "olivia"),
    "PATCH person-detail": Verb("needed", "olivia"),
    "POST person-end": Verb("needed", "olivia"),
    "POST person-hand-over": Verb("needed", "olivia"),
    "PATCH saved-filter-detail": Verb("needed", "olivia"),
    "DELETE saved-filter-detail": Verb("needed", "olivia"),
    "POST invitation-send-again": Verb("needed", "olivia"),
    "POST invitation-withdraw": Verb("needed", "olivia"),
    "POST not-applicable-approve": Verb("needed", "olivia"),
    "POST not-applicable-refuse": Verb("needed", "olivia"),
    "POST not-applicable-withdraw": Verb("needed", "oscar"),
    "POST not-applicable-end": Verb("needed", "olivia", left_out, WHY),
    "POST alternative-approve": Verb("needed", "olivia"),
    "POST alternative-refuse": Verb("needed", "olivia"),
    "POST alternative-withdraw": Verb("needed", "oscar"),
    "POST alternative-end": Verb("needed", "olivia", alternative_holds, WHY),
    "POST evidence-submit": Verb("needed", "alice", as_draft),
    "POST evidence-accept": Verb("needed", "rita"),
    "POST evidence-reject": Verb("needed", "rita"),
    "POST evidence-withdraw": Verb("needed", "alice"),
    "POST evidence-attach": Verb("heeded", "alice"),
    "POST evidence-revise": Verb("heeded", "alice"),
    "POST artifact-version-end": Verb(
        "heeded", "olivia", None, {"state": "superseded", "ended_on": TODAY}
    ),
    "POST population-accept": Verb("without", "rita"),
    "POST population-reject": Verb("without", "rita"),
    "POST population-withdraw": Verb("without", "alice"),
    "POST population-draw": Verb("without", "alice"),
    "POST sample-deviations": Verb("without", "alice"),
    "POST file-clear": Verb("without", "olivia"),
    "POST file-remove": Verb("without", "olivia"),
    "POST letter-decisions": Verb("without", "olivia"),
    "POST remark-answer-decide": Verb("without", "olivia"),
    "POST disposition-decide": Verb("without", "olivia"),
    "POST response-decide": Verb("without", "olivia"),
    "POST legal-hold-lift": Verb("without", "olivia", None, WHY),
    "POST report-file-clear": Verb("without", "olivia"),
    "POST report-file-term": Verb("without", "olivia"),
    "POST report-release-take-back": Verb("without", "olivia"),
    "POST report-removal-approve": Verb("without", "olivia"),
    "POST report-removal-refuse": Verb("without", "olivia"),
    "POST report-removal-withdraw": Verb("without", "oscar"),
    "POST report-fetch-accept": Verb("without", "olivia"),
    "POST removal-approve": Verb("without", "olivia"),
    "POST removal-refuse": Verb("without", "olivia"),
    "POST removal-withdraw": Verb("without", "oscar"),
    "POST notice-read": Verb("without", "oscar", told),
    "POST provider-document-end": Verb("without", "olivia"),
    "DELETE citation-detail": Verb("without", "olivia"),
    "DELETE export-detail": Verb("without", "oscar", export_made),
    "DELETE token-detail": Verb("without", "oscar"),
}
# Reconfirm is tried where duties change (test_reconfirm_evidence); the next window is
# confirmed by what was seen besides (test_roll_forward).
ELSEWHERE = {"POST evidence-reconfirm", "POST api_roll_forward"}
# They make something or many things, take a list, or compare: no row is named.
MAKERS = """
component-regions api_services_preview api_services_confirm closing-list
engagement-list mark-list tested-item-list
system-list component-list request-list requirement-list population-list evidence-list
ask-list
requirement-apply-templates requirement-preview-templates evidence-decide artifact-list
artifact-versions artifact-citations artifact-version-letters artifact-version-reliance
artifact-version-remarks remark-answers artifact-version-scope
artifact-version-scope-preview user-control-preview user-control-import-list
coverage-list coverage-preview coverage-import-list
coverage-copy-forward coverage-propose coverage-confirm coverage-remove
artifact-sync-list listed-report-place
report-file-list report-file-release report-file-remove report-fetch-list
disclosure-list
api_account_uses api_account_uses_accept
api_responses observation-list finding-list observation-dispositions
finding-dispositions
citation-decisions
saved-filter-list person-hand-over-preview crosswalk-list crosswalk-preview
finding-import-list finding-import-preview
implementation-status-preview implementation-status-confirm
implementation-status-earlier alternative-list
override-list not-applicable-list export-list token-list notice-read-all api_rereading
invitation-list api_acknowledgements
bulk-upload-plan bulk-upload-confirm
audit-request-list-plan audit-request-list-confirm
provider-document-list provider-document-preview
api_retention legal-hold-list
"""
NO_ROW = {f"POST {view}" for view in MAKERS.split()}
ODD = {
    "garbage": "yesterday",
    "unquoted": "{uuid}:{version}",
    "not-a-number": '"{uuid}:²"',
    "huge": '"{uuid}:' + "9" * 5000 + '"',
    "long": ", ".join(['"x"'] * 500),
    "open": '"{uuid}:{version}',
    "empty-tag": '""',
    "commas": ",,,",
    "star-in-a-list": '*, "{uuid}:0"',
    "stale": '"{uuid}:0"',
    "of-another": '"00000000-0000-4000-8000-000000000000:{version}"',
    "weak": 'W/"{uuid}:{version}"',
    "none-of-several": '"{uuid}:0", W/"{uuid}:{version}"',
}


@pytest.fixture
def world(db, settings, tmp_path) -> World:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return worlds.build()


class Asking(NamedTuple):
    """One verb ready to be done by the person who may; `tag` is empty for none."""

    client: Client
    method: str
    path: str
    body: str
    tag: str

    def answer(self, header: str | None) -> Any:
        headers = {} if header is None else {"If-Match": header}
        send = getattr(self.client, self.method.lower())
        body = {"data": self.body, "content_type": "application/json"}
        return send(self.path, **body, headers=headers)


@contextmanager
def prepared(world: World, verb: str) -> Iterator[Asking]:
    """The person signed in, and the row's ETag as the API tells it; then all undone."""
    how = VERBS[verb]
    with transaction.atomic():
        if how.before:
            how.before(world)
        client = Client(raise_request_exception=False)
        sign_in_just_now(client, world.house.people[how.who])
        method, _, view = verb.partition(" ")
        (door,) = (each for each in doors() if (view, method) in ways(each))
        path = reverse(view, kwargs=world.parts(view, set(door.parts)))
        row = path if method != "POST" else path.rstrip("/").rpartition("/")[0] + "/"
        tag = client.get(row).headers.get("ETag", "")
        body = json.dumps(world.bodies.get(verb, {}) | how.body, default=str)
        yield Asking(client, method, path, body, tag)
        transaction.set_rollback(True)


def ways(door: Door) -> list[tuple[str, str]]:
    return [(door.view, method) for method in door.methods]


def statuses(world: World, verbs: list[str], header: str | None) -> dict[str, int]:
    """What each verb answers to a header, each in the world as it was made."""
    found = {}
    for verb in verbs:
        with prepared(world, verb) as asking:
            sent = header and header.replace("TAG", asking.tag)
            found[verb] = asking.answer(sent).status_code
    return found


def of_kind(*kinds: str) -> list[str]:
    return [verb for verb, how in VERBS.items() if how.header in kinds]


def test_every_change_stands_in_the_table() -> None:
    answers = said_in_table("olivia")
    changes = {
        f"{method} {door.view}"
        for door in doors()
        for method in door.methods
        if door.api and method != "GET" and answers[method, door.view] != 405
    }
    assert changes == VERBS.keys() | ELSEWHERE | NO_ROW


def test_the_tag_that_the_api_told_lets_the_change_through(world) -> None:
    found = statuses(world, of_kind("needed", "heeded"), '"other", TAG')
    # these need files or an id besides; that they ask for them shows that it matched
    further = {"POST evidence-attach": 400, "POST evidence-revise": 400}
    # nothing waits for this person
    further |= {"POST person-hand-over": 400}
    # another officer decides
    waits = (
        "component-days",
        "override-settle",
        "not-applicable-end",
        "alternative-end",
    )
    waits += ("requirement-retire", "system-terms-list")
    further |= {f"POST {view}": 202 for view in waits}
    # a system of the audit already, and its only one
    further |= {"POST engagement-add-system": 400, "POST engagement-take-out": 409}
    further["DELETE saved-filter-detail"] = 204
    assert found == dict.fromkeys(found, 200) | further


def test_a_star_matches_whatever_is_there(world) -> None:
    found = statuses(world, list(VERBS), "*")
    assert not {412, 428, 500} & set(found.values()), found


def test_where_it_is_needed_its_absence_is_428(world) -> None:
    for header in (None, ""):
        found = statuses(world, of_kind("needed"), header)
        assert found == dict.fromkeys(found, 428)


def test_elsewhere_it_may_be_left_out(world) -> None:
    found = statuses(world, of_kind("heeded", "without"), None)
    assert not {412, 428, 500} & set(found.values()), found


@pytest.mark.slow
def test_whatever_else_it_says_is_412_and_changes_nothing(world) -> None:
    """A stale, foreign, weak or broken tag, and a list of such, never match."""
    wrong = []
    for verb in VERBS:
        with prepared(world, verb) as asking:
            uuid, _, version = (asking.tag.strip('"') or "0:1").partition(":")
            for name, header in ODD.items():
                header = header.replace("{uuid}", uuid).replace("{version}", version)
                answer = asking.answer(header)
                if answer.status_code != 412:
                    wrong.append((verb, name, answer.status_code))
            if asking.tag and asking.answer(asking.tag).status_code == 412:
                wrong.append((verb, "changed by what was refused", 412))
    assert not wrong


def test_a_weak_tag_is_told_apart_from_a_stale_one(world) -> None:
    """A proxy that compresses makes tags weak: to say "changed" would be untrue."""
    with prepared(world, "PUT requirement-detail") as asking:
        weak = asking.answer(f"W/{asking.tag}")
        assert weak.headers["Content-Type"] == "application/problem+json"
        assert "weak tag" in weak.json()["detail"] and "proxy" in weak.json()["detail"]
        assert "no ETag" in asking.answer("yesterday").json()["detail"]
        stale = asking.answer(asking.tag.replace(":1", ":7")).json()["detail"]
        assert "changed" in stale and "weak" not in stale


def test_who_may_not_learns_that_and_not_that_the_tag_is_stale(world) -> None:
    """RFC 9110, 13.2.1: a precondition counts only where all else would succeed."""
    with prepared(world, "POST evidence-accept") as asking:
        asking.client.force_login(world.house.alice)
        assert asking.answer('"stale"').status_code == 403
