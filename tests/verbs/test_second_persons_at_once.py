"""R17, R24, R32: what one person takes back, removes or ends at the moment at which
another one decides on it: one of the two happens, and nothing half."""

from __future__ import annotations

import pytest
from django.urls import reverse

from controls.models import AuditEvent, Control, Membership, Role
from evidence.artifacts.citations import cite
from evidence.models import Citation, LetterAcceptance, Review
from tests import factories
from tests.evidence.house import TODAY
from tests.verbs import states
from tests.verbs.matrix import Attempt
from tests.verbs.states import DAY
from tests.verbs.test_at_once import (
    at_once,
    deciding,
    ending,
    house,  # noqa: F401 - a fixture
    waiting_change,
)

pytestmark = pytest.mark.django_db(transaction=True)
ANY = {"If-Match": "*"}


def statuses(taken: list[tuple[int, str]]) -> list[int]:
    return [status for status, _ in taken]


@pytest.mark.parametrize("kind", ["change", "override", "exclusion", "removal"])
def test_one_takes_back_what_the_other_approves(house, kind) -> None:  # noqa: F811
    if kind == "change":
        row = waiting_change(house)
        both = deciding(row, house.oscar, "withdraw"), deciding(row, house.olivia)
    else:
        row = getattr(states, kind)(house, "requested")
        noun = {"override": "overrides", "exclusion": "not-applicable",
                "removal": "removals"}[kind]  # fmt: skip
        headers = {} if kind == "removal" else ANY
        both = tuple(
            Attempt(by, f"/api/v1/{noun}/{row.uuid}/{word}/", {}, api=True,
                    headers=headers)
            for by, word in ((house.oscar, "withdraw"), (house.olivia, "approve"))
        )  # fmt: skip
    taken = at_once(*both)
    assert sorted(statuses(taken)) == [200, 409], taken
    sentence = next(text for status, text in taken if status == 409)
    row.refresh_from_db()
    if statuses(taken) == [200, 409]:
        assert (row.state, row.decided_by_id) == ("withdrawn", None)
        assert "took this request back" in sentence
    else:
        assert (row.state, row.decided_by_id) == ("approved", house.olivia.pk)
        assert "has already decided this" in sentence


def test_a_citation_is_removed_while_it_is_accepted(house) -> None:  # noqa: F811
    neutral = factories.make_user("neutral")
    factories.give_role(neutral, house.system, Role.OFFICER)
    series = factories.make_artifact(neutral, [])
    report = factories.make_report(series, TODAY - 200 * DAY, TODAY - 20 * DAY)
    factories.rely_on(report, house.system, by=house.rita)
    control = Control.objects.get(implementations__system=house.system, ref_id="pe-3")
    cite(series, house.system, [control], by=house.oscar)
    row = Citation.objects.get()
    body = {"system": "shop", "citations": [str(row.uuid)], "decision": "accept"}
    taken = at_once(
        Attempt(house.olivia, "/api/v1/citations/decisions/", body, api=True),
        Attempt(house.oscar, f"/api/v1/citations/{row.uuid}/", {}, api=True,
                method="delete"),
    )  # fmt: skip
    assert statuses(taken)[1] == 204, taken
    assert statuses(taken)[0] in {201, 400, 404}, taken
    assert LetterAcceptance.objects.exists() == (statuses(taken)[0] == 201)
    assert not Citation.objects.exists()


def test_evidence_is_accepted_while_the_reviewers_role_ends(house) -> None:  # noqa: F811
    link = states.link(house, "submitted")
    role = Membership.objects.get(user=house.rita, role=Role.REVIEWER)
    address = reverse("evidence-accept", args=[link.uuid])
    accepting = Attempt(house.rita, address, {}, api=True, headers=ANY)
    taken = at_once(accepting, ending(role, house.olivia))
    assert statuses(taken)[1] == 200, taken
    assert statuses(taken)[0] in {200, 403, 404}, taken
    link.refresh_from_db()
    done = statuses(taken)[0] == 200
    assert (link.state == "accepted") == done == Review.objects.exists()
    assert AuditEvent.objects.filter(verb="evidence.accepted").exists() == done
