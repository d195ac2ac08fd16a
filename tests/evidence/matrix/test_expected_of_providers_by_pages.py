"""R26: what we expect of providers is read by pages, open ones first, and whole."""

from __future__ import annotations

import pytest
from django.urls import reverse

from evidence.systems.expected_of_providers import ProviderDuty
from tests.evidence import house as houses

pytestmark = pytest.mark.django_db


def duties_of_many(*args: object) -> list[ProviderDuty]:
    """Sixty duties of AWS, of which every third is proven, and one of a landlord."""
    rows = [
        ProviderDuty(
            f"ac-{number}",
            f"AC-{number}",
            f"Title {number}",
            "shared" if number % 2 else "inherited",
            "AWS",
            ("EC2",),
            ("Facilities",),
            (),
            "proven" if number % 3 == 0 else "missing",
        )
        for number in range(1, 61)
    ]
    landlord = ProviderDuty(
        "pe-3",
        "PE-3",
        "Doors",
        "shared",
        "Landlord",
        ("Site",),
        ("Facilities",),
        (),
        "",
    )
    return [*rows, landlord]


def test_open_ones_come_first_by_pages_and_the_whole_prints(
    client, settings, monkeypatch
):
    settings.MFA_REQUIRED = False
    house = houses.build()
    client.force_login(house.ray)
    monkeypatch.setattr(
        "evidence.views.user_controls.expected_of_providers", duties_of_many
    )
    url = reverse("evidence:providers_expected", args=[house.system.slug])
    first = client.get(url)
    assert [duty.proof for duty in first.context["page"]] == ["missing"] * 25
    words = " ".join(first.content.decode().split())
    assert "61 of 61 duties; of all, 40 are open and 20 are proven." in words
    assert "Page 1 of 3" in words
    assert "All 61 on one page, to print" in words
    last = client.get(url, {"page": 3})
    assert [duty.stands for duty in last.context["page"]] == ["proven"] * 10 + [
        "unasked"
    ]
    whole = client.get(url, {"whole": "yes"})
    assert len(whole.context["page"].object_list) == 61
    assert "Pages" not in whole.content.decode()
    chosen = {"provider": "AWS", "stands": "proven", "q": "title 3"}
    few = client.get(url, chosen)
    labels = [duty.label for duty in few.context["page"]]
    assert labels == ["AC-3", "AC-30", "AC-33", "AC-36", "AC-39"]
    file = reverse("evidence:providers_expected_file", args=[house.system.slug])
    lines = client.get(file, chosen).content.decode().splitlines()
    assert len(lines) == 6
    nothing = client.get(url, {"q": "no such words"}).content.decode()
    assert "No duty fits this filter." in nothing
    odd = client.get(url, {"provider": "Nobody", "stands": "x", "page": "x"})
    assert odd.context["page"].paginator.count == 61
