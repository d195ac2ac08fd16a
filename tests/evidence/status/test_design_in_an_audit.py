"""R30: inside a Type II audit design alone proves nothing, whoever reads it."""

from __future__ import annotations

import datetime as dt

import pytest

from controls.models import Engagement
from evidence.models import RequirementControl
from tests import factories

pytestmark = pytest.mark.django_db
CONTROL = "ac-4"  # ours alone
INSIDE, AFTER = dt.date(2026, 3, 31), dt.date(2026, 4, 1)


@pytest.fixture
def design(system, alice, rita) -> RequirementControl:
    """Everything asked of a control shows design only; one performance is accepted."""
    asked = factories.requirement(system, CONTROL)
    rows = RequirementControl.objects.filter(implementation=asked.implementation)
    rows.exclude(pk=asked.pk).delete()
    factories.set_terms(
        RequirementControl.objects.filter(pk=asked.pk),
        cadence="half-yearly",
        grace_days=28,
        purpose="design",
    )
    asked.refresh_from_db()
    link = factories.make_evidence(
        asked, by=alice, performed_on=dt.date(2026, 1, 20), title="Design"
    )
    link.accept(by=rita, day=factories.DAY_SHOWN)
    return asked


def audited(system, kind: str) -> None:
    """An audit of this kind over the first quarter."""
    Engagement.objects.create(
        system=system,
        title="Audit",
        kind=kind,
        firm="Audit & Sons",
        window_start=dt.date(2026, 1, 1),
        window_end=INSIDE,
    )


def told(client, system, on: dt.date) -> dict:
    url = f"/api/v1/systems/{system.slug}/controls/{CONTROL}/"
    return client.get(url, {"on": str(on)}).json()


@pytest.mark.parametrize("reader", ["oscar", "alice", "rita"])
def test_inside_the_engagement_it_is_design_only(
    system, design, client, settings, request, reader
):
    """R30: with its reason, and only on the days of the engagement."""
    settings.MFA_REQUIRED = False
    client.force_login(request.getfixturevalue(reader))
    assert told(client, system, INSIDE)["customer_half"] == "proven"
    audited(system, "type2")
    inside = told(client, system, INSIDE)
    assert (inside["customer_half"], inside["verdict"]) == ("design_only", "unproven")
    assert "design_only" in [reason["code"] for reason in inside["reasons"]]
    assert told(client, system, AFTER)["customer_half"] == "proven"


def test_another_kind_of_audit_leaves_it_as_it_is(
    system, design, client, settings, oscar
):
    """R30: Type I asks for design."""
    settings.MFA_REQUIRED = False
    client.force_login(oscar)
    audited(system, "type1")
    assert told(client, system, INSIDE)["customer_half"] == "proven"
