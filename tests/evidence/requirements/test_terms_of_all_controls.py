"""R11: an ask says one thing for all its controls, to come and ended ones too."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from controls.models import System
from evidence.models import EvidenceRequirement, RequirementControl
from evidence.requirements.join_checks import AskTerms, NamedControl
from evidence.requirements.joining import join, join_to
from evidence.requirements.retiring import carry_out_end
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db(transaction=True)
DAY = dt.timedelta(days=1)
TITLE = "Log settings"


@pytest.fixture
def ask(system: System, oscar) -> EvidenceRequirement:
    """Monthly, of AC-2 and AT-2 from today on; CM-2 joins it in ten days."""
    rows = [
        factories.ask_for(
            factories.implementation(system, ref_id),
            "Look",
            operates_from=factories.START,
        )
        for ref_id in ("ac-2", "at-2", "cm-2")
    ]
    lines = [NamedControl(row.uuid, f"Its part {row.pk}") for row in rows]
    terms = AskTerms(TITLE, "monthly", "operation", grace_days=5)
    since: dict[str, Any] = {"by": oscar, "today": TODAY}
    ask = join(system, terms, lines[:2], from_day=TODAY, **since)
    join_to(ask, lines[2:], from_day=TODAY + 10 * DAY, **since)
    return ask


def put(client: Client, row: RequirementControl, **changes: Any) -> int:
    """Change what an ask says, over the API."""
    url = f"/api/v1/requirements/{row.uuid}/"
    tag = client.get(url)["ETag"]
    body = {"title": TITLE, "cadence": "monthly", "purpose": "operation",
            "operates_from": str(factories.START), "reason": "Agreed."}  # fmt: skip
    answer = client.put(
        url,
        body | changes,
        content_type="application/json",
        headers={"If-Match": tag},
    )
    return int(answer.status_code)


def said(ask: EvidenceRequirement, day: dt.date) -> set[tuple[str, str]]:
    """Control and cadence of each row that stands under the ask on a day."""
    terms = ask.joined_terms.in_force(day)
    rows = terms.values_list(
        "ask__controls__implementation__control__ref_id", "cadence"
    )
    return set(rows)


def test_whoever_joins_later_joins_what_is_said_now(ask, as_user, oscar, olga):
    """Also where two officers change it for days that are over (R31)."""
    client = as_user(oscar)
    ref_id = "implementation__control__ref_id"
    mine = RequirementControl.objects.filter(title=TITLE)
    assert put(client, mine.get(**{ref_id: "ac-2"}), cadence="weekly") == 200
    assert said(ask, TODAY) == {("ac-2", "weekly"), ("at-2", "weekly")}
    later = TODAY + 10 * DAY
    assert said(ask, later) == said(ask, TODAY) | {("cm-2", "weekly")}


def test_a_row_that_has_ended_is_no_hindrance(ask, as_user, oscar):
    """AT-2 is no longer asked: what the others are asked may change all the same."""
    client = as_user(oscar)
    ref_id = "implementation__control__ref_id"
    mine = RequirementControl.objects.filter(title=TITLE)
    ended = mine.get(**{ref_id: "at-2"})
    carry_out_end(ended, until=TODAY, reason="Over.", by=oscar)
    assert put(client, mine.get(**{ref_id: "ac-2"}), cadence="quarterly") == 200
    assert said(ask, TODAY) == {("ac-2", "quarterly"), ("at-2", "quarterly")}
    ended.refresh_from_db()
    assert ended.operates_until == TODAY
