"""Somebody reads the rows of the list of controls: whole, and as text.

Rows are chosen by what names a control and read whole for one page; what people typed
stays text in them.
"""

from __future__ import annotations

import pytest
from django.urls import reverse

from controls.models import Team

pytestmark = pytest.mark.django_db
BOX = 'name="ticked"'


def rows_of(browser, system, **filters) -> str:
    """The list's table, without what stands around it."""
    answer = browser.get(reverse("evidence:controls", args=[system.slug]), filters)
    return answer.content.decode().partition("<tbody")[2].partition("</tbody>")[0]


def test_names_in_a_row_stay_text(system, oscar, as_user):
    Team.objects.filter(name="Platform").update(name="<b>Ops</b> & co")
    rows = rows_of(as_user(oscar), system)
    assert "&lt;b&gt;Ops&lt;/b&gt; &amp; co" in rows
    assert "<b>" not in rows


@pytest.mark.parametrize("order", ["", "owner", "class", "status", "verdict"])
def test_a_row_is_whole_in_each_order(system, oscar, as_user, order):
    rows = rows_of(as_user(oscar), system, q="si-2", sort=order)
    assert rows.count("<tr ") == 1
    for text in ("SI-2", "Flaw Remediation", "Platform", "state-unproven", "Why?"):
        assert text in rows
    link = reverse("evidence:control", args=[system.slug, "si-2"])
    sorted_by = f"&amp;sort={order}" if order else ""
    assert f'href="{link}?q=si-2{sorted_by}"' in rows


def test_a_box_stands_where_somebody_may_say_how_far_it_is(
    system, oscar, rita, as_user
):
    officers, reviewers = (rows_of(as_user(p), system) for p in (oscar, rita))
    assert officers.count(BOX) == officers.count("<tr ") > 1
    assert BOX not in reviewers


def test_officers_alone_are_offered_whose_they_are(system, oscar, alice, as_user):
    url = reverse("evidence:controls", args=[system.slug])
    assert "Assign an owner" in as_user(oscar).get(url).content.decode()
    assert "Assign an owner" not in as_user(alice).get(url).content.decode()
