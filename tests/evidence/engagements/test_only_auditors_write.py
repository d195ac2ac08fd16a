"""AC-05, R29: the database takes marks and results of a running engagement's auditors
only, whoever writes rows past the pages; tried as the application role."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction

from controls.engagements import end_engagement
from controls.models import Engagement, Membership, Role, User
from evidence.engagements.item_results import record_result
from evidence.engagements.marks import MarkDraft, mark_control
from evidence.models import ControlMark, SampleItem, TestedItem
from evidence.populations.samples import draw_sample
from evidence.populations.selection import SelectionMethod
from tests import factories
from tests.evidence import per_event
from tests.evidence.engagements.test_test_a_sample import made_population
from tests.evidence.house import House, give, person
from tests.one_day import BEGINS

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
REFUSAL = "only auditors of this running engagement write here"


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> House:
    return per_event.build(settings, tmp_path)


@pytest.fixture
def audit(house: House) -> Engagement:
    return house.system.engagements.get()


@pytest.fixture
def item(house: House) -> SampleItem:

    population = made_population(house, per_event.made_per_event(house))
    everything = SelectionMethod("all")
    drawn = draw_sample(population, everything, reason="Few.", by=house.audrey)
    return drawn.items.for_upload().order_by("pk")[0]


@pytest.fixture(params=["mark", "result"])
def row(request: Any, house: House, audit: Engagement, item: SampleItem) -> Any:
    """A row as audrey would write it, not yet stored."""
    if request.param == "mark":
        return ControlMark(
            system=house.system,
            engagement=audit,
            implementation=factories.implementation(house.system, "cm-8"),
            marked_by=house.audrey,
            marked_at=BEGINS,
            state="satisfied",
        )
    return TestedItem(
        system=house.system,
        engagement=audit,
        sample_item=item,
        tested_by=house.audrey,
        tested_at=BEGINS,
        result="passed",
    )


def named(row: models.Model, who: User) -> models.Model:
    """The row in the name of somebody."""
    setattr(row, "marked_by" if isinstance(row, ControlMark) else "tested_by", who)
    return row


def refused(row: models.Model) -> None:
    """Whether new or stored, the row is not written."""
    with pytest.raises(IntegrityError, match=REFUSAL), transaction.atomic():
        row.save()


def test_the_application_writes_what_auditors_say(row: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT srm_is_owner()")
        assert cursor.fetchone() == (False,)
    row.save()
    row.note = "Looked twice."
    row.save()


@pytest.mark.parametrize("who", ["olivia", "alice", "rita", "ray", "mallory"])
def test_no_row_names_anybody_else(row: Any, house: House, who: str) -> None:
    refused(named(row, house.people[who]))
    named(row, house.audrey).save()
    refused(named(row, house.people[who]))


def test_a_superuser_is_no_auditor(row: Any) -> None:
    refused(named(row, factories.make_user("root", is_superuser=True)))


def test_auditors_of_another_engagement_write_nothing(row: Any, house: House) -> None:
    other = factories.make_engagement(house.system)
    house.people["ann"] = person("ann")
    give(house, "ann", Role.AUDITOR, engagement=other, ends_at=BEGINS + 9 * DAY)
    refused(named(row, house.ann))


@pytest.mark.parametrize(
    "change", ["over", "not begun", "closed account", "engagement ended"]
)
def test_who_is_let_in_no_more_writes_and_changes_nothing(
    row: Any, house: House, audit: Engagement, change: str
) -> None:
    row.save()
    grants = Membership.objects.filter(user=house.audrey)
    if change == "over":
        grants.update(starts_at=BEGINS - 9 * DAY, ends_at=BEGINS - DAY)
    elif change == "not begun":
        grants.update(starts_at=BEGINS + DAY, ends_at=BEGINS + 9 * DAY)
    elif change == "closed account":
        User.objects.filter(pk=house.audrey.pk).update(is_active=False)
    else:
        Engagement.objects.filter(pk=audit.pk).update(ended_at=BEGINS)
    row.note = "Changed later."
    refused(row)


def test_what_was_said_stays_as_it_was_when_the_engagement_ends(
    house: House, audit: Engagement, item: SampleItem
) -> None:
    control = factories.implementation(house.system, "cm-8")
    draft = MarkDraft("satisfied")
    mark = mark_control(audit, control, draft, by=house.audrey, now=BEGINS)
    said = record_result(
        audit, item, result="unclear", note="", by=house.audrey, now=BEGINS
    )
    end_engagement(audit, by=house.olivia, now=BEGINS)
    for rows, change in (
        (ControlMark.objects.filter(pk=mark.pk), {"state": "other_than_satisfied"}),
        (TestedItem.objects.filter(pk=said.pk), {"result": "passed"}),
    ):
        with pytest.raises(IntegrityError, match=REFUSAL), transaction.atomic():
            rows.update(**change)


def test_an_audit_says_nothing_about_another_system(row: Any, house: House) -> None:
    other = factories.make_system(house.olivia, slug="elsewhere")
    row.system = other
    refused(row)
    grant = factories.let_auditor_in(house.audrey, other)
    row.engagement = grant.engagement
    refused(row)
