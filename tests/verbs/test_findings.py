"""R28, R32, R36: what each verb of observations, findings and responses answers from
each state, at each door.

audrey, an auditor, wrote down what failed; olivia asks for what is to be made of it,
with evidence of alice's; rita decides. ended's role is over, closed's account is.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any

import pytest
from django.urls import reverse

from controls.models import Membership, Role
from evidence.findings.dispositions import (
    decide_disposition,
    request_disposition,
    standing_of,
)
from evidence.findings.recording import record_finding, record_observation
from evidence.findings.responses import decide_response, items_answered, respond
from evidence.models import Disposition, EvidenceLink, ItemResponse
from evidence.status.rows import Moment
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, give, patch_report
from tests.one_day import BEGINS
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
NUMBER = count(1)
SENTENCES = {
    "decided": "This is decided already.",
    "waits": "Another request about this waits for a second person already.",
    "is-closed": "This finding is closed.",
    "is-positive": "This was decided to be a false positive.",
    "is-explained": "This observation is explained.",
    "has-finding": "A finding was written from it: what is to be done stands there.",
    "written": "A finding was written from it already.",
    "own": "somebody else must decide.",
    "not-proof": "The evidence that it names is not accepted",
    "gone": "",
    "looked-at": "You may not do this",
    "no-item": "Nothing in the window is to be answered there",
    "response-waits": "A response to it waits for a second person.",
    "response-decided": "This response is decided already.",
}
# A cell says where the observation stands, and how much waits.
OBSERVATIONS = """
verb       door   open           waiting        refused        explained         finding          gone
explain    page   =open, 1       409 waits      =open, 1       409 is-explained  409 has-finding  =open, 1
explain    api    =open, 1       409 waits      =open, 1       409 is-explained  409 has-finding  =open, 1
accept     page   -              =explained, 0  409 decided    409 decided       -                -
accept     api    -              =explained, 0  409 decided    409 decided       -                -
reject     page   -              =open, 0       409 decided    409 decided       -                -
reject     api    -              =open, 0       409 decided    409 decided       -                -
accept own  page   -              403 own        403 own        403 own           -                -
accept own  api    -              403 own        403 own        403 own           -                -
find       page   =finding, 0    =finding, 0    =finding, 0    =finding, 0       409 written      404 gone
find       api    =finding, 0    =finding, 0    =finding, 0    =finding, 0       409 written      404 gone
change     admin  403 looked-at  403 looked-at  403 looked-at  403 looked-at     403 looked-at    403 looked-at
"""  # noqa: E501 - one line for each verb and door
# A cell says where the finding stands, and how much waits.
FINDINGS = """
verb          door   open           waiting        proven         refused        closed         false-positive  gone
close         page   =open, 1       409 waits      409 waits      =open, 1       409 is-closed  409 is-positive  =open, 1
close         api    =open, 1       409 waits      409 waits      =open, 1       409 is-closed  409 is-positive  =open, 1
deviate       page   =open, 1       409 waits      409 waits      =open, 1       409 is-closed  409 is-positive  =open, 1
deviate       api    =open, 1       409 waits      409 waits      =open, 1       409 is-closed  409 is-positive  =open, 1
accept        page   -              409 not-proof  =closed, 0     409 decided    409 decided    409 decided     -
accept        api    -              409 not-proof  =closed, 0     409 decided    409 decided    409 decided     -
reject        page   -              =open, 0       =open, 0       409 decided    409 decided    409 decided     -
reject        api    -              =open, 0       =open, 0       409 decided    409 decided    409 decided     -
accept own    page   -              403 own        403 own        403 own        403 own        403 own         -
accept own    api    -              403 own        403 own        403 own        403 own        403 own         -
accept ended  page   -              404 gone       404 gone       404 gone       404 gone       404 gone        -
accept ended  api    -              404 gone       404 gone       404 gone       404 gone       404 gone        -
change        admin  403 looked-at  403 looked-at  403 looked-at  403 looked-at  403 looked-at  403 looked-at   403 looked-at
"""  # noqa: E501 - one line for each verb and door
# A cell says what stands beside the item: nothing, a response that waits, or one that
# was accepted.
RESPONSES = """
verb        door   open           waiting             rejected              accepted              filled
respond     page   =waits         409 response-waits  =waits                =accepted, waits      404 no-item
respond     api    =waits         409 response-waits  =waits                =accepted, waits      400 no-item
accept      page   -              =accepted           409 response-decided  409 response-decided  -
accept      api    -              =accepted           409 response-decided  409 response-decided  -
reject      page   -              =nothing            409 response-decided  409 response-decided  -
reject      api    -              =nothing            409 response-decided  409 response-decided  -
accept own  page   -              403 own             403 own               403 own               -
accept own  api    -              403 own             403 own               403 own               -
change      admin  403 looked-at  403 looked-at       403 looked-at         403 looked-at         -
"""  # noqa: E501 - one line for each verb and door
SAID = {"source": "A walk", "text": "Doors stood open."}
RESPONSE = {"cause": "Ill.", "effect": "None.", "measures": "Two now.", "owner": "Ops"}


@dataclass
class Case:
    """Something written down in a state, with what its verbs name."""

    house: House
    subject: Any
    asked: Disposition | None = None
    link: EvidenceLink | None = None


@pytest.fixture
def house(settings, tmp_path) -> House:
    built = states.build(settings, tmp_path)
    built.people["ended"] = houses.person("ended")
    give(built, "ended", Role.REVIEWER, ends_at=BEGINS - DAY / 48)
    return built


def control_of(house: House) -> Any:
    return factories.implementation(house.system, "cm-8")


def let_go(house: House) -> None:
    """The access of the auditor who wrote it down has ended since."""
    Membership.objects.filter(user=house.audrey).update(ends_at=BEGINS - DAY / 48)


def asked(subject: Any, kind: str, house: House, **more: Any) -> Disposition:
    return request_disposition(
        subject, kind=kind, text="See the ticket.", by=house.olivia, **more
    )


def decide(disposition: Disposition, decision: str, house: House) -> None:
    reason = "" if decision == "accept" else "Not so."
    decide_disposition(disposition, decision=decision, reason=reason, by=house.rita)


def observation(house: House, state: str) -> Case:
    made = record_observation(
        control_of(house), observed_on=TODAY - DAY, by=house.audrey, **SAID
    )
    case = Case(house, made)
    if state in {"waiting", "refused", "explained"}:
        case.asked = asked(made, "explained", house)
    if state in {"refused", "explained"}:
        decide(case.asked, "accept" if state == "explained" else "reject", house)
    if state == "finding":
        record_finding(control_of(house), title="Doors", severity="low", text="Open.",
                       observation=made, by=house.audrey)  # fmt: skip
    if state == "gone":
        let_go(house)
    return case


def finding(house: House, state: str) -> Case:
    made = record_finding(
        control_of(house), title="Doors", severity="low", found_on=TODAY - DAY,
        by=house.audrey, **SAID,
    )  # fmt: skip
    link = submit(
        replace(patch_report(), performed_on=TODAY),
        [store("mended.txt", [b"mended %d" % next(NUMBER)])],
        requirement=house.requirement(),
        by=house.alice,
        today=TODAY,
    )
    case = Case(house, made, link=link)
    if state in {"waiting", "proven", "refused", "closed"}:
        case.asked = asked(made, "closure", house, link=link)
    if state in {"proven", "closed"}:
        link.accept(by=house.rita)
    if state == "closed":
        decide(case.asked, "accept", house)
    if state == "refused":
        decide(case.asked, "reject", house)
    if state == "false-positive":
        case.asked = asked(made, "false-positive", house)
        decide(case.asked, "accept", house)
    if state == "gone":
        let_go(house)
    return case


def state_of(case: Case) -> str:
    standing = standing_of(case.subject, Moment(TODAY))
    return f"{standing.state}, {int(bool(standing.waiting))}"


def attempt(noun: str, row: Row, case: Case) -> Attempt:
    """The request by which a verb of an observation or a finding is taken."""
    verb, _, who = row.verb.partition(" ")
    uuid = case.subject.uuid
    if row.door == "admin":
        view = f"admin:evidence_{case.subject._meta.model_name}_change"
        address = reverse(view, args=[case.subject.pk])
        return Attempt(factories.administrator(), address, {"severity": "high"})
    if verb in {"accept", "reject"}:
        person = {"own": "olivia", "ended": "ended"}.get(who, "rita")
        assert case.asked is not None
        return _decision(row, case, verb, person, case.asked.uuid)
    if verb == "find":
        return _find(row, case)
    body: dict[str, Any] = {"kind": "explained", "text": "A test account."}
    if verb == "close":
        assert case.link is not None
        body["kind"], body["link"] = "closure", str(case.link.uuid)
    if verb == "deviate":
        body["kind"] = "false-positive"
    by = case.house.olivia
    if row.door == "api":
        return Attempt(by, f"/api/v1/{noun}s/{uuid}/dispositions/", body, api=True)
    return Attempt(by, reverse(f"evidence:{noun}_dispose", args=[uuid]), body)


def _decision(row: Row, case: Case, verb: str, person: str, uuid: Any) -> Attempt:
    by, kind = case.house.people[person], "disposition"
    if not isinstance(case.asked, Disposition):
        kind = "response"
    body = {"decision": verb, "reason": "As it is."}
    if row.door == "api":
        return Attempt(by, f"/api/v1/{kind}s/{uuid}/decide/", body, api=True)
    return Attempt(by, reverse(f"evidence:{kind}_decide", args=[uuid]), body)


def _find(row: Row, case: Case) -> Attempt:
    """A finding of an observation, by the auditor who recorded it."""
    by, uuid = case.house.audrey, str(case.subject.uuid)
    body = {"title": "Doors", "severity": "low", "text": "They stood open."}
    if row.door == "page":
        address = reverse("evidence:finding_new", args=["shop", "cm-8"])
        more = {"source": "A walk", "part": ""}
        return Attempt(by, f"{address}?observation={uuid}", body | more)
    named = {"system": "shop", "control_id": "cm-8", "observation": uuid}
    return Attempt(by, "/api/v1/findings/", body | named, api=True)


@dataclass
class Item:
    """An item of the window, and the response to it."""

    house: House
    key: str
    asked: ItemResponse | None = None


def window_of(house: House) -> tuple[dt.date, dt.date]:
    return house.system.window_start, house.system.window_end


def items_of(house: House) -> list[Any]:
    return items_answered(
        house.system,
        Moment(TODAY),
        window_of(house),
        implementations=[control_of(house)],
    )


def response(house: House, state: str) -> Item:
    """The first missed period of CM-8 that alice answers for. `filled`: it is no item
    any more, since the key names another one."""
    house.requirement()
    row = next(row for row in items_of(house) if row.item.kind == "missed")
    case = Item(house, row.item.key if state != "filled" else "0" * 16)
    if state in {"waiting", "rejected", "accepted"}:
        case.asked = respond(
            control_of(house), case.key, window_of(house), **RESPONSE, by=house.olivia
        )
    if state == "rejected":
        decide_response(case.asked, decision="reject", reason="No.", by=house.rita)
    if state == "accepted":
        decide_response(case.asked, decision="accept", by=house.rita)
    return case


def state_of_response(case: Item) -> str:
    row = next(row for row in items_of(case.house) if row.item.key == case.key)
    words = ["accepted"] if row.accepted else []
    words += ["waits"] if row.waiting else []
    return ", ".join(words) or "nothing"


def attempt_on_response(row: Row, case: Item) -> Attempt:
    verb, _, who = row.verb.partition(" ")
    if row.door == "admin":
        made = case.asked or 1
        pk = made if isinstance(made, int) else made.pk
        address = reverse("admin:evidence_itemresponse_change", args=[pk])
        return Attempt(factories.administrator(), address, {"owner": "Me"})
    if verb in {"accept", "reject"}:
        person = "olivia" if who == "own" else "rita"
        assert case.asked is not None
        return _decision(row, case, verb, person, case.asked.uuid)
    by = case.house.alice
    if row.door == "page":
        args = ["shop", "cm-8", case.key]
        return Attempt(by, reverse("evidence:response_new", args=args), dict(RESPONSE))
    body = RESPONSE | {"control_id": "cm-8", "item": case.key}
    return Attempt(by, "/api/v1/systems/shop/responses/", body, api=True)


@pytest.mark.parametrize("row", rows_of(OBSERVATIONS))
def test_what_each_verb_of_an_observation_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        partial(observation, house),
        partial(attempt, "observation"),
        state_of,
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])


@pytest.mark.parametrize("row", rows_of(FINDINGS))
def test_what_each_verb_of_a_finding_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row, partial(finding, house), partial(attempt, "finding"), state_of, SENTENCES
    )
    assert not wrong, "\n".join([str(row), *wrong])


@pytest.mark.parametrize("row", rows_of(RESPONSES))
def test_what_each_verb_of_a_response_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row, partial(response, house), attempt_on_response, state_of_response, SENTENCES
    )
    assert not wrong, "\n".join([str(row), *wrong])
