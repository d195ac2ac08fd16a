"""Sign-off scenario 15 through models and API: populations cover days."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from evidence.models import EvidenceLink, SampleItem
from evidence.models.confirmed_days import NOT_CONFIRMED
from evidence.populations.event_list import EventRow, Events
from evidence.populations.populations import (
    PopulationStatement,
    decide_population,
    submit_population,
)
from evidence.populations.samples import draw_sample, record_deviation
from evidence.populations.selection import SelectionMethod
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests.evidence.scenarios.past import TICKET, Past, at, counted

pytestmark = pytest.mark.django_db(transaction=True)
D = dt.date
CONTROL = "ac-4"  # ours alone


class Leavers:
    """What is asked per event of one control, and how populations of it are brought."""

    def __init__(self, control: str = CONTROL) -> None:
        self.past = Past.described(D(2026, 1, 1))
        self.asked = self.past.ask(
            control,
            "Leavers: access removed",
            cadence="per-event",
            grace_days=30,
            operates_from=D(2026, 1, 1),
        )

    def drawn(
        self,
        first: dt.date,
        last: dt.date,
        rows: int,
        on: dt.date,
        *,
        sample: int = 0,
        proven: int = 0,
        deviations: int = 0,
        day: Any = NOT_CONFIRMED,
    ) -> None:
        """A population drawn and accepted on a day, and what its sample showed."""
        said = PopulationStatement(
            "HR", "left = yes", first, last, "Totals agree", none_happened=not rows
        )
        events = Events([EventRow(n, f"{first}-{n}", first) for n in range(rows)])
        past = self.past
        with at(on):
            population = submit_population(
                self.asked, said, events, by=past.alice, today=on
            )
            decide_population(population, accept=True, by=past.rita, day=day)
            if not sample:
                return
            way = SelectionMethod("random", size=sample, seed="7")
            items = draw_sample(population, way, reason="Table", by=past.oscar).items
            for number, item in enumerate(items.order_by("pk")):
                if number < proven:
                    self.show(item, on)
                elif number < proven + deviations:
                    record_deviation(item, note="Removed late", by=past.rita)

    def show(self, item: SampleItem, on: dt.date) -> EvidenceLink:
        """Evidence of one sampled item, brought and accepted on a day."""
        said = Submission(
            title=f"Leaver {item.pk}",
            performed_on=on,
            period_start=on,
            period_end=on,
            collected_on=on,
        )
        upload = store("leaver.txt", [f"Access of leaver {item.pk} removed".encode()])
        link = submit(
            said,
            [upload],
            requirement=self.asked,
            item=item,
            by=self.past.alice,
            today=on,
        )
        link.accept(by=self.past.rita)
        return link


@pytest.fixture
def leavers(as_owner, settings, tmp_path) -> Leavers:
    settings.MFA_REQUIRED = False
    settings.EVIDENCE_STORE = str(tmp_path)
    with as_owner():
        found = Leavers()
        found.drawn(
            D(2026, 1, 1), D(2026, 3, 31), 12, D(2026, 4, 10), sample=5, proven=5
        )
        found.drawn(
            D(2026, 4, 1),
            D(2026, 6, 15),
            7,
            D(2026, 7, 10),
            sample=3,
            proven=2,
            deviations=1,
        )
        found.drawn(D(2026, 7, 1), D(2026, 9, 30), 0, D(2026, 10, 12))
        found.drawn(
            D(2026, 10, 15), D(2026, 12, 31), 9, D(2027, 1, 12), sample=4, proven=3
        )
    return found


def test_on_15_february_and_after_the_gap_is_drawn(leavers, client, as_owner):
    """R14, R16: to the numbers of the scenario, as known before and after."""
    past = leavers.past
    browser = past.browser(client)
    answer = past.told(browser, CONTROL, D(2027, 2, 15))
    assert counted(answer) == [4, 2, 0, 2, 0]
    assert answer["customer_half"] == "lapsed"
    assert answer["period"]["result"] == "exceptions"
    assert (answer["period"]["sampled"], answer["period"]["deviations"]) == (12, 1)
    page = browser.get(
        f"/systems/{past.system.slug}/controls/{CONTROL}/", {"on": "2027-02-15"}
    ).content.decode()
    assert "no population from 2026-06-16 to 2026-06-30" in page
    assert "no population from 2026-10-01 to 2026-10-14" in page
    with as_owner():
        leavers.drawn(
            D(2026, 6, 16),
            D(2026, 6, 30),
            2,
            D(2027, 2, 20),
            sample=2,
            proven=2,
            day=TICKET,
        )
    answer = past.told(browser, CONTROL, D(2027, 2, 25))
    assert counted(answer) == [4, 3, 0, 1, 0]
    assert (answer["period"]["sampled"], answer["period"]["deviations"]) == (14, 1)
    page = browser.get(
        f"/systems/{past.system.slug}/controls/{CONTROL}/", {"on": "2027-02-25"}
    ).content.decode()
    assert "recorded 205 days after its due day" in page


@pytest.mark.parametrize(
    ("on", "known", "half"),
    [
        (D(2026, 11, 15), D(2026, 11, 15), "proven"),
        (D(2027, 1, 1), D(2027, 1, 1), "expiring"),
        (D(2026, 7, 30), D(2026, 7, 31), "expiring"),
        (D(2026, 7, 31), D(2026, 7, 31), "lapsed"),
        (D(2026, 7, 31), None, "lapsed"),
        (D(2027, 1, 30), None, "expiring"),
        (D(2027, 1, 31), None, "lapsed"),
    ],
)
def test_our_half_on_a_day(leavers, client, on, known, half):
    """R13, R16: it holds to the due day of the period after the last one performed."""
    browser = leavers.past.browser(client)
    assert leavers.past.told(browser, CONTROL, on, known)["customer_half"] == half
