"""How a verdict is reached is explained in the product, rule by rule."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.urls import reverse

from evidence.status.not_gathered import NOT_GATHERED
from evidence.status.reasons import MESSAGES, reason_for
from evidence.status.rules import EDITIONS, RULE_OF_REASON, RULES
from evidence.views.help import DOCUMENT, explanation
from tests import factories

ANY = {"due": "2026-01-31", "days": 1, "ends": "2026-01-31", "start": "2026-01-01"}
ANY |= {"rows": 3, "sample": 2, "left": 1, "waiting": 1, "deviations": 1}
ANY |= {"regime": "soc2", "artifact": "SOC 2", "level": "high", "status": "partial"}
ANY |= {"covered": ""}
IDS = re.compile(r'<h2 id="([^"]+)"')


def anchors() -> list[str]:
    """The ids of the headings as the page has them."""
    return IDS.findall(explanation()[1])


def test_every_rule_has_its_section_with_an_example():
    """R35: whoever asks which rule it was finds it, with real days."""
    rules = [f"r{number}" for number in range(1, 37)]
    assert [anchor for anchor in anchors() if re.match(r"r\d", anchor)] == rules
    sections = DOCUMENT.read_text(encoding="utf-8").split("\n## R")[1:]
    without = [s.split(" ")[0] for s in sections if "*Example.*" not in s]
    assert without == []


@pytest.mark.parametrize("code", sorted(MESSAGES))
def test_every_reason_leads_to_a_section(code):
    """R15, R35: no reason without its rule."""
    assert RULE_OF_REASON[code].lower() in anchors()


def test_every_rule_that_a_number_amends_has_a_section():
    """R35: what a number amended is told with its rule."""
    amended = {rule.lower() for edition in EDITIONS for rule in edition.amended}
    assert amended <= set(anchors())
    assert EDITIONS[-1].amended


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["oscar", "alice", "rita", "audrey", "mallory"])
def test_everybody_who_signed_in_reads_it(name, system, request, as_user):
    page = as_user(request.getfixturevalue(name)).get(reverse("evidence:verdict_help"))
    shown = page.content.decode()
    assert page.status_code == 200
    assert "<h1>How a verdict is reached</h1>" in shown
    assert shown.count("<h1") == 1
    assert f"This installation judges by rules {RULES}." in shown
    assert 'href="#r13"' in shown
    assert '<div class="table-scroll" tabindex="0" role="region"' in shown


@pytest.mark.django_db
def test_strangers_sign_in_first(client):
    assert client.get(reverse("evidence:verdict_help")).status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["oscar", "alice", "rita", "audrey"])
def test_each_reason_asks_why_and_leads_to_its_rule(name, system, request, as_user):
    """On the control page and on the list, for every role."""
    browser = as_user(request.getfixturevalue(name))
    page = browser.get(reverse("evidence:control", args=[system.slug, "ac-2"]))
    reasons = [reason.code for reason in page.context["judged"].reasons]
    assert reasons
    shown = page.content.decode()
    url = reverse("evidence:verdict_help")
    for code in reasons:
        assert f'href="{url}#{RULE_OF_REASON[code].lower()}"' in shown
    listed = browser.get(reverse("evidence:controls", args=[system.slug]))
    assert f'href="{url}#r' in listed.content.decode()


@pytest.mark.django_db
def test_a_control_says_what_its_verdict_leaves_out(system, as_user, oscar):
    """R33: what no table records yet is named on the page, and nothing else is."""
    browser = as_user(oscar)
    page = browser.get(reverse("evidence:control", args=[system.slug, "ac-2"])).text
    assert ("Not taken into account yet" in page) == bool(NOT_GATHERED)
    for fact in NOT_GATHERED:
        assert fact.source in page


def test_a_reason_that_nobody_mapped_has_no_broken_link():
    from evidence.status.reasons import Reason
    from evidence.templatetags.words import why

    assert why(Reason("some_new_code")) == ""
    assert "#r13" in why(reason_for("overdue", "It", **ANY))


@pytest.mark.django_db
def test_the_page_of_a_class_leads_there_too(oscar, as_user):
    system = factories.make_system(oscar, window_end=dt.date(2026, 12, 31))
    page = as_user(oscar).get(reverse("evidence:dashboard", args=[system.slug]))
    assert f"{reverse('evidence:verdict_help')}#r35" in page.content.decode()
