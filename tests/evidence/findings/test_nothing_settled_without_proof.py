"""R28, R36, AC-08: whoever writes rows past the pages closes no finding without
accepted evidence of its control, backdates no closing and hides no failing observation;
tried as the application role."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from evidence.models import Disposition, DispositionDecision, Finding
from tests import factories
from tests.evidence.findings.hands import (
    DAY,
    FOUND,
    SAID,
    SEEN,
    asked_for,
    found,
    mended,
    observed,
    proven,
)
from tests.evidence.scenarios.stage import told
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
REFUSAL = "nothing is settled without what settles it"


@pytest.fixture(params=["soc2"])
def system(request: Any, oscar):
    baseline = factories.make_baseline(("ac-2", "ac-12", "si-2"), slug="three")
    return factories.make_system(oscar, baseline=baseline, regime=request.param)


@pytest.fixture
def shown(system, alice, rita):
    """AC-12 is proven by monthly evidence."""
    return proven(system, "ac-12", by=alice, reviewer=rita)


def closure(finding: Finding, link: Any, by: Any) -> Disposition:
    return Disposition(
        system=finding.system,
        finding=finding,
        link=link,
        requested_by=by,
        kind="closure",
        text="Mended.",
        requested_on=TODAY,
        requester_name=str(by),
    )


def acceptance(disposition: Disposition, by: Any, **said: Any) -> DispositionDecision:
    body = {"decision": "accept", "decided_on": TODAY} | said
    return DispositionDecision(
        disposition=disposition,
        system=disposition.system,
        reviewer=by,
        requested_by_id=disposition.requested_by_id,
        recorded_by_id=disposition.subject.recorded_by_id,
        reviewer_name=str(by),
        **body,
    )


def refused(row: Any) -> None:
    with pytest.raises(IntegrityError, match=REFUSAL), transaction.atomic():
        row.save()


def test_a_closing_names_what_was_done_at_its_control_since(
    system, shown, alice, rita, oscar
):
    with connection.cursor() as cursor:
        cursor.execute("SELECT srm_is_owner()")
        assert cursor.fetchone() == (False,)
    finding = found(system, "ac-12", oscar, found_on=TODAY - DAY)
    elsewhere = proven(system, "si-2", by=alice, reviewer=rita)
    refused(closure(finding, elsewhere, oscar))
    refused(closure(finding, shown, oscar))  # performed before it was found
    closure(finding, mended(system, "ac-12", by=alice), oscar).save()


def test_a_closing_is_accepted_after_its_evidence(
    system, shown, as_user, alice, rita, oscar, olga
):
    finding = found(system, "ac-12", oscar)
    link = mended(system, "ac-12", by=alice)
    asked = asked_for(finding, "closure", oscar, link=link)
    refused(acceptance(asked, olga))
    assert told(as_user(olga), system, "ac-12", TODAY)["verdict"] == "partly"
    link.accept(by=rita)
    acceptance(asked, olga).save()
    assert told(as_user(olga), system, "ac-12", TODAY)["verdict"] == "proven"


def test_a_closing_counts_from_its_decision_on(system, shown, alice, rita, oscar, olga):
    finding = found(system, "ac-12", oscar)
    link = mended(system, "ac-12", by=alice)
    link.accept(by=rita)
    asked = asked_for(finding, "closure", oscar, link=link)
    refused(acceptance(asked, olga, decided_on=TODAY - 2 * DAY))
    refused(acceptance(asked, olga, decided_on=FOUND))
    acceptance(asked, olga).save()


@pytest.mark.parametrize("system", ["fedramp"], indirect=True)
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("false-positive", {}),
        ("risk-adjustment", {"severity": "low"}),
        ("operational-requirement", {}),
    ],
)
def test_no_deviation_without_the_official(system, oscar, olga, kind, said):
    asked = asked_for(found(system, "ac-12", oscar), kind, oscar, **said)
    refused(acceptance(asked, olga))
    acceptance(asked, olga, official="A. Official, 20 November, ticket 7").save()


@pytest.mark.parametrize(
    ("ref_id", "found_on"), [("si-2", SEEN), ("ac-12", SEEN + dt.timedelta(days=3))]
)
def test_a_finding_takes_the_place_of_its_own_observation(
    system, shown, as_user, oscar, ref_id, found_on
):
    observation = observed(system, "ac-12", oscar)

    def of_it(ref_id: str, found_on: dt.date) -> Finding:
        return Finding(
            system=system,
            implementation=factories.implementation(system, ref_id),
            observation=observation,
            recorded_by=oscar,
            title="Leavers keep access",
            severity="low",
            found_on=found_on,
            recorder_name=str(oscar),
            **SAID,
        )

    refused(of_it(ref_id, found_on))
    assert told(as_user(oscar), system, "ac-12", TODAY)["verdict"] == "partly"
    of_it("ac-12", SEEN).save()
