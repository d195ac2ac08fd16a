"""My work, calendar and queue read what was brought last, not all that ever was.

R13, R14, R17: the answers are those of going through every link; a page takes the same
statements for one link and for many.
"""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls.models import SystemComponent
from evidence.models import EvidenceLink, LinkState, Proof
from evidence.models.proof import NO_END
from evidence.planning.newest_links import NewestLinks, newest_links
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests import factories
from tests.evidence import house as houses
from tests.evidence.files.test_refuse_bad_content import make_pdf, script
from tests.evidence.house import TODAY, House, patch_report, submitted
from tests.evidence.reviews.hands import accepted

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store_folder(settings, tmp_path: Path) -> None:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False


@pytest.fixture
def house(store_folder) -> House:
    return houses.build()


def brought(house: House, number: int, day: dt.date) -> EvidenceLink:
    """Evidence of a day, submitted by alice."""
    submission = Submission(
        title=f"Report {number}",
        performed_on=day,
        period_start=day,
        period_end=day,
        collected_on=day,
    )
    return submit(
        submission,
        [store("report.txt", [f"bytes {number} of {day}".encode()])],
        requirement=house.requirement("cm-8" if number % 2 else "ac-1"),
        by=house.alice,
        today=TODAY,
    )


def every_link_gone_through(requirement: int) -> NewestLinks:
    """The answer for one row by reading all its links and proof."""
    links = EvidenceLink.objects.filter(requirement=requirement)
    holding = Proof.objects.holding_on(TODAY).filter(requirement=requirement)
    proof = max(
        holding.filter(state=LinkState.ACCEPTED).select_related(
            "link__revision__evidence"
        ),
        key=lambda row: (row.ends, row.starts, row.link_id),
        default=None,
    )
    rejected = max(
        links.filter(state=LinkState.REJECTED),
        key=lambda row: row.submitted_at,
        default=None,
    )
    standing = links.filter(state__in=["accepted", "submitted"])
    return NewestLinks(
        proven_link=proof.link_id if proof else None,
        proven_evidence=proof.link.revision.evidence.uuid if proof else None,
        proven_to=proof.ends if proof and proof.ends != NO_END else None,
        proven_submitted=proof.link.submitted_at if proof else None,
        waiting=links.filter(state=LinkState.SUBMITTED).exists(),
        rejected_at=rejected.submitted_at if rejected else None,
        rejection=rejected.reviews.get().reason if rejected else "",
        answered=frozenset(
            (row.occurrence, row.occurrence_ends)
            for row in standing
            if row.occurrence is not None
        ),
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_newest_are_those_of_going_through_every_link(house, seed):
    chance = random.Random(seed)
    for number in range(12):
        day = TODAY - dt.timedelta(days=chance.randrange(0, 300))
        link = brought(house, number, day)
        fate = chance.choice(["accept", "accept", "reject", "leave", "withdraw"])
        if fate == "accept":
            link.accept(by=house.rita)
        elif fate == "reject":
            link.reject(by=house.rita, reason=f"Reason {number}.")
        elif fate == "withdraw":
            link.withdraw(by=house.alice, reason="Wrong file.")
    keys = [house.requirement(ref_id).pk for ref_id in ("cm-8", "ac-1", "si-2")]
    newest = newest_links(keys, TODAY, since=dt.date.min)
    assert newest == {key: every_link_gone_through(key) for key in keys}


def test_periods_before_the_day_asked_about_are_left_out(house):
    link = brought(house, 1, TODAY - dt.timedelta(days=200))
    key = house.requirement().pk
    since = link.occurrence + dt.timedelta(days=1)
    assert newest_links([key], TODAY, since=link.occurrence)[key].answered
    assert not newest_links([key], TODAY, since=since)[key].answered


PAGES = (
    ("alice", reverse("evidence:work")),
    ("alice", reverse("evidence:my_calendar")),
    ("rita", reverse("evidence:work")),
    ("rita", reverse("evidence:queue")),
    ("alice", "/api/v1/files/"),
)


@pytest.mark.parametrize(("who", "page"), PAGES)
def test_a_page_takes_the_same_statements_for_one_link_and_for_many(
    client, house, who, page
):
    """Files of which a scan or an officer has to say something, too."""

    def statements() -> int:
        client.get(page)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(page).status_code == 200
        return len(captured)

    def bring(text: str) -> None:
        accepted(submitted(house, f"accepted {text}"))
        submitted(house, f"waits {text}")
        submitted(house, f"refused {text}").reject(by=house.rita, reason="No.")

    client.force_login(getattr(house, who))
    bring("first")
    few = statements()
    for number in range(6):
        bring(str(number))
    assert statements() == few


def test_flagged_files_take_no_statement_each(client, house):
    """Whether an officer cleared one is read with the files."""
    pdf = make_pdf(script)

    def bring(number: int) -> None:
        upload = store("form.pdf", [pdf + f"\n% {number}\n".encode()])
        submit(
            patch_report(),
            [upload],
            requirement=house.requirement(),
            by=house.alice,
            today=TODAY,
        )

    client.force_login(house.olivia)
    counts = []
    for numbers in (range(1), range(1, 7)):
        for number in numbers:
            bring(number)
        client.get("/api/v1/files/")
        with CaptureQueriesContext(connection) as captured:
            answer = client.get("/api/v1/files/").json()
        assert all("must clear it" in row["obstacle"] for row in answer["results"])
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_describing_a_system_takes_no_statement_for_each_component(client):
    """Services are looked up by their names at once."""
    client.force_login(factories.administrator())
    many = ["s3", "ec2", "rds", "kms", "elb"]
    counts = []
    for slug, services in (
        # what is kept for all requests is read, and each basis is written once
        ("first", ["s3"]),
        ("first-of-many", many),
        ("few", ["s3"]),
        ("many", many),
    ):
        body = {
            "name": slug.title(),
            "slug": slug,
            "regime": "soc2",
            "impact_level": "moderate",
            "baseline": factories.make_baseline().slug,
            "window_start": "2026-01-01",
            "window_end": "2026-12-31",
            "components": [
                {"service": service, "used_from": "2026-01-01"} for service in services
            ],
            "owners": {},
        }
        with CaptureQueriesContext(connection) as captured:
            answer = client.post(
                reverse("system-list"), body, content_type="application/json"
            )
        assert answer.status_code == 201, answer.content
        counts.append(len(captured))
    assert counts[2] == counts[3]


def test_one_service_at_two_sites_is_two_components(client):
    """Each component keeps its own days and places, in the order of the body."""
    client.force_login(factories.administrator())
    days = ("2026-01-01", "2026-03-01")
    body = {
        "name": "Two",
        "slug": "two",
        "regime": "soc2",
        "impact_level": "moderate",
        "baseline": factories.make_baseline().slug,
        "window_start": "2026-01-01",
        "window_end": "2026-12-31",
        "components": [
            {"service": "s3", "used_from": day, "name": f"From {day}"} for day in days
        ],
    }
    answer = client.post(reverse("system-list"), body, content_type="application/json")
    assert answer.status_code == 201, answer.content
    rows = SystemComponent.objects.filter(system__slug="two").order_by("pk")
    assert [str(row.used_from) for row in rows] == list(days)
