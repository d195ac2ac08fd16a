"""The page of a series opens its newest report and what its reader has to read; what
was read stands folded below, with how many systems have read it."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.urls import reverse

from evidence.artifacts import register
from tests.evidence import house as houses

pytestmark = pytest.mark.django_db
NOTES = {"scope_note": "All services in scope", "period_note": "Ends in March"}


def test_what_was_read_is_folded_and_what_waits_is_open(client, settings):
    settings.MFA_REQUIRED = False
    house = houses.build()
    soc2 = register.register_artifact(
        title="SOC 2", series="soc2", kind="period", scheme="soc2", by=house.olivia
    )
    spring, _ = (
        register.register_version(
            soc2, label=label, starts=starts, ends=ends, by=house.olivia,
            services=["*"], regions=["*"],
        )
        for label, starts, ends in (
            ("Spring", dt.date(2025, 10, 1), dt.date(2026, 3, 31)),
            ("Autumn", dt.date(2026, 4, 1), dt.date(2026, 9, 30)),
        )
    )  # fmt: skip
    client.force_login(house.rita)
    page = reverse("evidence:artifact", args=[soc2.uuid])

    def folded() -> dict[str, bool]:
        body = client.get(page).content.decode()
        reports = re.findall(r'class="card report" (open)?.*?<h3>\s*(\w+)', body, re.S)
        return {label: not is_open for is_open, label in reports}

    assert folded() == {"Autumn": False, "Spring": False}  # both wait for her
    rely = reverse("evidence:reliance", args=[house.system.slug, spring.uuid])
    assert client.post(rely, NOTES | {"conclusion": "rely"}).status_code == 302
    assert folded() == {"Autumn": False, "Spring": True}
    body = re.sub(r"\s+", " ", client.get(page).content.decode())
    assert "reviewed in 1 of 1 system" in body
    assert body.index("Autumn") < body.index("Spring")
