"""R24, R32: what answering an exception of a report, and deciding on the answer, give
from each state, at each door."""

from __future__ import annotations

import pytest
from django.urls import reverse

from controls.models import System
from evidence.artifacts.register import end_version
from evidence.artifacts.remark_answers import (
    answer_remark,
    decide_answer,
    remark_standings,
)
from evidence.artifacts.remarks import register_remark
from evidence.models import RemarkAnswer, ReportRemark
from tests import factories
from tests.evidence.house import TODAY, House
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells
from tests.verbs.states import DAY

pytestmark = pytest.mark.django_db

SENTENCES = {
    "waits": "An answer waits for a second person already.",
    "decided": "This answer is decided already.",
    "own": "You answered or registered this; somebody else must decide on it.",
    "why": "A rejection says why.",
    "fits": "That answer does not fit this remark.",
    "reviewer": "You are not a reviewer of this system.",
    "looked-at": "You may not do this",
}
# `anew`: accepted before, and another answer waits. The verdict waits while `open`.
TABLE = """
verb            door   open           waiting        rejected         accepted                 anew
answer          page   =open waiting  409 waits      =open waiting    =accepted waiting        409 waits
answer          api    =open waiting  409 waits      =open waiting    =accepted waiting        409 waits
carve out       api    400 fits       400 fits       400 fits         400 fits                 400 fits
accept          page   -              =accepted      409 decided      409 decided              =accepted
accept          api    -              =accepted      409 decided      409 decided              =accepted
reject          page   -              =open          409 decided      409 decided              =accepted
reject          api    -              =open          409 decided      409 decided              =accepted
reject mutely   page   -              400 why        409 decided      409 decided              400 why
reject mutely   api    -              400 why        409 decided      409 decided              400 why
accept own      page   -              403 own        403 own          403 own                  403 own
accept own      api    -              403 own        403 own          403 own                  403 own
accept as bob   page   -              403 reviewer   403 reviewer     403 reviewer             403 reviewer
accept as bob   api    -              403 reviewer   403 reviewer     403 reviewer             403 reviewer
change          admin  -              403 looked-at  403 looked-at    403 looked-at            403 looked-at
delete          admin  -              403 looked-at  403 looked-at    403 looked-at            403 looked-at
"""  # noqa: E501 - one line for each verb and door
WHO = {
    "answer": "oscar",
    "carve out": "oscar",
    "accept own": "oscar",
    "accept as bob": "bob",
    "change": "admin",
    "delete": "admin",
}


@pytest.fixture
def house(settings, tmp_path):
    return states.build(settings, tmp_path)


def made(house: House, state: str) -> ReportRemark:
    """An exception of a report, registered by olivia and answered by oscar."""
    artifact = factories.make_artifact(house.olivia, ["pe-3"])
    report = factories.make_report(artifact, TODAY - 200 * DAY, TODAY - DAY)
    remark = register_remark(
        report, kind="exception", title="CC6.1", control_ids=["pe-3"], by=house.olivia
    )

    def answered(decision: str = "") -> None:
        answer = answer_remark(
            remark, house.system, choice="response", text="Ours.", by=house.oscar
        )
        if decision:
            decide_answer(answer, decision=decision, reason="Thin.", by=house.rita)

    for decision in {
        "open": [],
        "waiting": [""],
        "rejected": ["reject"],
        "accepted": ["accept"],
        "anew": ["accept", ""],
    }[state]:
        answered(decision)
    return remark


def attempt(house: House, row: Row, remark: ReportRemark) -> Attempt:
    by = states.person(house, WHO.get(row.verb, "rita"))
    answer = RemarkAnswer.objects.filter(remark=remark).order_by("-pk").first()
    if row.door == "admin":
        view = f"admin:evidence_remarkanswer_{row.verb}"
        return Attempt(
            by, reverse(view, args=[answer.pk]), {"text": "x", "post": "yes"}
        )
    if row.verb in ("answer", "carve out"):
        choice = "response" if row.verb == "answer" else "provider"
        sent = {"choice": choice, "text": "We looked at each."}
        if row.door == "page":
            address = reverse("evidence:remark_answer", args=["shop", remark.uuid])
            return Attempt(by, address, sent)
        address = f"/api/v1/report-remarks/{remark.uuid}/answers/"
        return Attempt(by, address, sent | {"system": "shop"}, api=True)
    verb = row.verb.partition(" ")[0]
    sent = {"decision": verb, "reason": "Not enough."}
    if row.verb == "reject mutely":
        sent["reason"] = ""
    if row.door == "page":
        address = reverse("evidence:remark_decide", args=[answer.uuid])
        return Attempt(by, address, sent)
    return Attempt(by, f"/api/v1/remark-answers/{answer.uuid}/decide/", sent, api=True)


def state_of(remark: ReportRemark) -> str:
    """Whether a response counts in the system, and whether another answer waits."""
    (standing,) = remark_standings([remark], [System.objects.get(slug="shop")])
    words = ["open" if standing.open else "accepted"]
    if standing.waiting:
        words.append("waiting")
    return " ".join(words)


@pytest.mark.parametrize("row", rows_of(TABLE))
def test_what_each_verb_of_an_exception_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        lambda state: made(house, state),
        lambda row, remark: attempt(house, row, remark),
        state_of,
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])


def test_an_exception_of_an_ended_report_is_still_answered(house) -> None:
    """A superseded report keeps the days it covered, so its exception keeps mattering;
    one that its auditor withdrew proves nothing, whatever is answered."""
    remark = made(house, "open")
    report = remark.artifact_version
    end_version(report, state="superseded", on=TODAY, by=house.olivia)
    answer = answer_remark(
        remark, house.system, choice="response", text="Ours.", by=house.oscar
    )
    decide_answer(answer, decision="accept", by=house.rita)
    assert state_of(remark) == "accepted"
