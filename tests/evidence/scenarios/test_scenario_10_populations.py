"""Sign-off scenario 10, populations of leavers: through models and the API.

AC-2 is shared and AWS's half proven, so that what becomes of ours decides.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from evidence.models.confirmed_days import DayConfirmation
from evidence.models.populations import Population
from tests import factories
from tests.evidence.scenarios.past import at
from tests.evidence.scenarios.test_scenario_15_through_models import Leavers

pytestmark = pytest.mark.django_db(transaction=True)
D = dt.date
YEAR = (D(2026, 1, 1), D(2026, 12, 31))
DRAWN, ASKED_ABOUT = D(2027, 1, 8), D(2027, 1, 10)
STAMP = DayConfirmation(confirmed=True, shown_by="Stamp of the export")


@pytest.fixture
def leavers(as_owner: Any, settings: Any, tmp_path: Any) -> Leavers:
    """What is asked of AC-2 per event; AWS's report of 2026 is relied on."""
    settings.MFA_REQUIRED = False
    settings.EVIDENCE_STORE = str(tmp_path)
    with as_owner():
        leavers = Leavers("ac-2")
        past = leavers.past
        with at(D(2027, 1, 4)):
            artifact = factories.make_artifact(past.oscar, ["ac-2"])
            report = factories.make_report(artifact, *YEAR)
        with at(D(2027, 1, 5)):
            factories.rely_on(report, past.system, by=past.rolf)
    return leavers


def told(leavers: Leavers, client: Client) -> tuple[dict[str, Any], str]:
    """The API's answer about AC-2 in January, and its page."""
    past = leavers.past
    browser = past.browser(client)
    answer = past.told(browser, "ac-2", ASKED_ABOUT)
    assert (answer["responsibility"], answer["aws_half"]) == ("shared", "proven")
    page = browser.get(
        f"/systems/{past.system.slug}/controls/ac-2/", {"on": str(ASKED_ABOUT)}
    )
    return answer, page.content.decode()


def test_no_rows_with_their_query_prove_that_nothing_happened(
    leavers, client, as_owner
):
    """R16: the year 2026, no rows, accepted."""
    before, _ = told(leavers, client)
    assert (before["customer_half"], before["verdict"]) == ("missing", "partly")
    with as_owner():
        leavers.drawn(*YEAR, 0, DRAWN, day=STAMP)
    assert Population.objects.get().query == "left = yes"
    answer, page = told(leavers, client)
    assert (answer["customer_half"], answer["verdict"]) == ("proven", "proven")
    assert "no_events" in {reason["code"] for reason in answer["reasons"]}
    assert "no events" in page


def test_of_five_sampled_items_one_is_open(leavers, client, as_owner):
    """R16: 14 rows, sample 5, 4 proven; the fifth shown, it is proven."""
    with as_owner():
        leavers.drawn(*YEAR, 14, DRAWN, sample=5, proven=4, day=STAMP)
    answer, page = told(leavers, client)
    assert (answer["customer_half"], answer["verdict"]) == ("missing", "partly")
    assert "sample_open" in {reason["code"] for reason in answer["reasons"]}
    assert "1 of 5 in the sample still open" in page
    assert "4 of 5 proven, 1 open" in page
    population = Population.objects.get()
    item = population.samples.get().items.order_by("-pk")[0]
    with as_owner():
        leavers.show(item, DRAWN)
    answer, _ = told(leavers, client)
    assert (answer["customer_half"], answer["verdict"]) == ("proven", "proven")
