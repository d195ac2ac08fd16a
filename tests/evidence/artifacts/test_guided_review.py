"""R20-R24: a report read part by part for a system, beginning with the last review."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from controls.models import SystemComponent
from evidence.artifacts.register import add_letter
from evidence.artifacts.reliance_reading import reading_of
from evidence.artifacts.remark_answers import answer_remark, decide_answer
from evidence.artifacts.remarks import register_remark
from evidence.models import RelianceReview
from evidence.requirements.changes import NewTerms, add_requirement
from tests import factories
from tests.evidence import house as houses
from tests.one_day import TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
NOTES = {
    "scope_note": "S3 and EC2 in eu-west-1 read.",
    "period_note": "Ends before the window.",
    "exceptions_note": "None touches us.",
    "cuec_note": "Keys: SC-12.",
    "conclusion": "rely",
}


@pytest.fixture
def house(settings):
    """Shop uses EC2 in one region and S3 in two, of which a report names one."""
    settings.MFA_REQUIRED = False
    house = houses.build()
    rows = SystemComponent.objects.filter(system=house.system)
    rows.filter(variant__service__slug="ec2").update(regions=["eu-west-1"])
    rows.filter(variant__service__slug="s3").update(regions=["eu-west-1", "eu-south-2"])
    house.series = factories.make_artifact(house.olivia, ["pe-3"])
    return house


def made(house, first, last, **more):
    report = factories.make_report(
        house.series, first, last, services=["ec2", "s3"], **more
    )
    report.regions = ["eu-west-1"]
    report.save(update_fields=["regions"])
    return report


def page(client, house, report, name="rita") -> str:
    sign_in_just_now(client, house.people[name])
    answer = client.get(f"/systems/shop/reliance/{report.uuid}/")
    assert answer.status_code == 200, answer.status_code
    return " ".join(answer.content.decode().split())


def seen(text: str) -> str:
    (digest,) = re.findall(r'name="seen" value="([0-9a-f]{64})"', text)
    return digest


def test_each_part_shows_what_is_in_use_and_what_the_report_leaves(
    client, house
) -> None:
    report = made(house, TODAY - 300 * DAY, TODAY - 61 * DAY)
    add_letter(report, issued_on=TODAY - 30 * DAY, ends=TODAY, by=house.olivia)
    exception = register_remark(
        report, kind="exception", title="CC6.1-1", control_ids=["pe-3"], by=house.olivia
    )
    answer = answer_remark(
        exception, house.system, choice="response", text="Ours is stricter.",
        by=house.olivia,
    )  # fmt: skip
    keys = register_remark(
        report, kind="user-control", title="Keys deleted", control_ids=["cm-8", "si-2"],
        by=house.olivia,
    )  # fmt: skip
    add_requirement(
        house.system.implementations.get(control__ref_id="cm-8"),
        NewTerms(
            title="Keys are deleted", cadence="yearly", purpose="operation",
            operates_from=TODAY,
        ),
        by=house.olivia,
        user_control=keys,
    )  # fmt: skip
    text = page(client, house, report)
    # scope, line by line (R23): what does not fit comes first
    reading = reading_of(house.system, report)
    assert [(line.name, line.place, line.code) for line in reading.lines] == [
        ("Amazon S3", "eu-south-2", "region-out"),
        ("Amazon EC2", "eu-west-1", "in-scope"),
        ("Amazon S3", "eu-west-1", "in-scope"),
    ]
    assert "1 of 3 lines not covered" in text and "Region not in scope" in text
    # days (R21): the letter counts to its issue and no further
    (days,) = reading.days
    window = (house.system.window_end - house.system.window_start).days + 1
    assert days.sentence == (
        f"240 audited, 31 asserted, {window - 271} not covered by it"
    )
    assert days.sentence in text
    assert 'role="img" aria-label="Days of' in text  # and in words for who sees none
    # exceptions and complementary controls with their state (R24, R26)
    assert "An answer waits for a second person" in text
    assert "Nobody is asked" in text and "Keys are deleted" in text
    decide_answer(answer, decision="accept", by=house.raul)
    assert "accepted by Raul" in page(client, house, report)


def test_who_registered_it_does_not_review_it(client, house) -> None:
    """R24, R32: a second person, on the page as in the rule."""
    report = made(house, TODAY - 300 * DAY, TODAY - 61 * DAY)
    sign_in_just_now(client, house.olivia)
    path = f"/systems/shop/reliance/{report.uuid}/"
    assert "<textarea" not in client.get(path).content.decode()
    assert client.post(path, NOTES).status_code == 403
    assert not RelianceReview.objects.exists()


def test_everybody_of_the_system_reads_what_reviewers_read(client, house) -> None:
    """The same reading without a form, conclusion first; only reviewers conclude."""
    report = made(house, TODAY - 100 * DAY, TODAY - DAY)
    register_remark(
        report, kind="user-control", title="CUEC", control_ids=["pe-3"], by=house.olivia
    )
    for name, why in (
        ("olivia", "somebody else must review whether to rely on it"),
        ("audrey", "Reviewers of Shop decide. You see what they read."),
    ):
        text = page(client, house, report, name)
        assert why in text
        assert "Not reviewed" in text
        assert "2. Scope against what Shop uses: 1 of" in text
        assert "Record the review" not in text
        assert ("Ask for it" in text) == (name == "olivia")
        refused = client.post(f"/systems/shop/reliance/{report.uuid}/", NOTES)
        assert refused.status_code == 403
    sign_in_just_now(client, house.people["rita"])
    client.post(f"/systems/shop/reliance/{report.uuid}/", NOTES)
    text = page(client, house, report, "ray")
    assert text.index("Whether Shop relies on it") < text.index("1. Period against")
    assert "In the reviewer's words: “Keys: SC-12.”" in text


def test_the_next_period_begins_with_the_last_review(client, house) -> None:
    first = made(house, TODAY - 365 * DAY, TODAY - 200 * DAY)
    sign_in_just_now(client, house.rita)
    path = f"/systems/shop/reliance/{first.uuid}/"
    assert client.post(path, NOTES).status_code == 302
    register_remark(
        first, kind="exception", title="CC7.2-1", control_ids=["pe-3"], by=house.olivia
    )
    second = made(house, TODAY - 199 * DAY, TODAY - 20 * DAY)
    second.service_slugs = ["ec2"]
    second.save(update_fields=["service_slugs"])
    text = page(client, house, second)
    assert "Gone from the report&#x27;s services: Amazon S3." in text
    assert "No longer: CC7.2-1." in text
    assert f"it is {second.starts} to {second.last_day}" in text
    # what did not change is filled in; what did is said anew, and so is the conclusion
    assert f">{NOTES['cuec_note']}</textarea>" in text.replace("> ", ">")
    for part in ("scope_note", "period_note", "exceptions_note"):
        assert f">{NOTES[part]}</textarea>" not in text.replace("> ", ">")
        assert f"“{NOTES[part]}”" in text  # beside what changed
    assert 'value="rely" checked' not in text
    bare = {"cuec_note": NOTES["cuec_note"], "conclusion": "rely"}
    refused = client.post(f"/systems/shop/reliance/{second.uuid}/", bare)
    assert refused.status_code == 400  # R24: nothing is relied on unread


def test_what_changed_while_it_was_read_is_read_again(client, house) -> None:
    report = made(house, TODAY - 300 * DAY, TODAY - 61 * DAY)
    digest = seen(page(client, house, report))
    register_remark(
        report, kind="exception", title="CC6.1-1", control_ids=["pe-3"], by=house.olivia
    )
    path = f"/systems/shop/reliance/{report.uuid}/"
    stale = client.post(path, NOTES | {"seen": digest})
    assert stale.status_code == 412 or stale.status_code == 409
    assert "changed since you opened it" in stale.content.decode()
    assert not RelianceReview.objects.exists()
    fresh = seen(page(client, house, report))
    assert client.post(path, NOTES | {"seen": fresh}).status_code == 302


def test_another_provider_is_read_by_its_sites(house) -> None:
    rows = SystemComponent.objects.filter(system=house.system)
    rows.filter(variant__service__slug="ec2").update(
        provided_by="Landlord", regions=["FRA1", "AMS3"]
    )
    series = factories.make_artifact(
        house.olivia, [], provider="Landlord", series="landlord"
    )
    report = factories.make_report(
        series, TODAY - 300 * DAY, TODAY - 61 * DAY, services=[], sites=["FRA1"]
    )
    lines = reading_of(house.system, report).lines
    assert [(line.place, line.code) for line in lines] == [
        ("AMS3", "site-out"), ("FRA1", "in-scope"),
    ]  # fmt: skip


def test_the_page_takes_as_many_statements_for_more(client, house) -> None:
    report = made(house, TODAY - 300 * DAY, TODAY - 61 * DAY)
    title = "Expected {}"
    register_remark(
        report, kind="user-control", title=title.format(0), control_ids=["cm-8"],
        by=house.olivia,
    )  # fmt: skip
    page(client, house, report)
    with CaptureQueriesContext(connection) as few:
        client.get(f"/systems/shop/reliance/{report.uuid}/")
    for number in range(1, 9):
        register_remark(
            report, kind="user-control", title=title.format(number),
            control_ids=["cm-8", "si-2"], by=house.olivia,
        )  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        client.get(f"/systems/shop/reliance/{report.uuid}/")
    assert len(many) == len(few)
