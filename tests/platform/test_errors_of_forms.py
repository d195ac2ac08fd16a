"""All errors of a form are told at once: in a summary, linked, and at each field.

WCAG 3.3.1 and 3.3.3: the same sentence in both places, which names what is wrong; what
was typed stays.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from django.urls import reverse

from controls import base_form
from evidence.models import Evidence
from tests.evidence import house as houses
from tests.evidence.house import House, file
from tests.evidence.per_event import END, START, made_per_event
from tests.evidence.per_event import said as population_said
from tests.evidence.per_event import url as population_url
from tests.evidence.submissions.test_upload_evidence import said

pytestmark = pytest.mark.django_db
FORMS = Path(base_form.__file__).parent.parent / "evidence" / "forms"
SUMMARY = re.compile(r'<div class="error-summary".*?</div>', re.DOTALL)
LINKED = re.compile(r'<li><a href="#([^"]+)">(.*?)</a></li>')
AT_FIELD = re.compile(r'<div class="field-error" id="[^"]+">(.*?)</div>', re.DOTALL)


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


def summary_of(page: str) -> dict[str, str]:
    """The sentences of the one summary, by the anchor that each leads to."""
    (summary,) = SUMMARY.findall(page)
    assert 'role="alert"' in summary
    return {anchor: html.unescape(text) for anchor, text in LINKED.findall(summary)}


def sentences_at_fields(page: str) -> set[str]:
    """What stands at the fields."""
    blocks = "".join(AT_FIELD.findall(page))
    return {html.unescape(text) for text in re.findall(r"<p>(.*?)</p>", blocks)}


def test_every_error_of_an_upload_is_told_at_once_and_what_was_typed_stays(
    client, house
):
    client.force_login(house.alice)
    url = reverse("evidence:upload", args=["shop", house.requirement().uuid])
    wrong = said(
        title="x" * 201,
        performed_on="2027-10-26",
        period_start="2026-09-30",
        period_end="2026-09-01",
        sensitivity="open",
        files=[file("a.pdf", b"no pdf"), file("b.txt", b""), file("c.txt", b"good")],
    )
    answer = client.post(url, wrong)
    assert answer.status_code == 400
    page = answer.content.decode()
    told = summary_of(page)
    assert set(told) == {
        "id_files",
        "id_performed_on",
        "id_period_end",
        "id_title",
        "id_sensitivity",
    }
    assert told["id_performed_on"] == "Performed on must not lie in the future."
    assert told["id_sensitivity"].startswith("“Who may see it” offers no such choice")
    of_files = answer.context["form"].errors["files"]
    assert [text[:7] for text in of_files] == ["“a.pdf”", "“b.txt”"]
    assert sentences_at_fields(page) == set(told.values()) | set(of_files)
    assert all(f'id="{anchor}"' in page for anchor in told)
    assert 'value="2027-10-26"' in page
    assert "List of instances, sorted" in page
    assert not Evidence.objects.exists()


@pytest.mark.parametrize(
    ("address", "typed"),
    [
        ("/systems/shop/requests/new/", {"what": "logs"}),
        ("/systems/shop/controls/cm-8/requirements/new/", {"grace_days": "many"}),
        ("/systems/new/", {"name": "n" * 300}),
        ("/systems/shop/provider/upload/", {"title": "Matrix"}),
    ],
)
def test_forms_of_other_nouns_name_what_is_wrong(client, house, address, typed):
    client.force_login(house.olivia)
    answer = client.post(address, typed)
    assert answer.status_code in {400, 422}, answer.status_code
    page = answer.content.decode()
    told = summary_of(page)
    assert told
    assert set(told.values()) <= sentences_at_fields(page)
    assert "This field" not in page
    assert "Ensure this value" not in page


def test_days_reversed_are_one_error_and_not_one_for_each_event(client, house):
    requirement = made_per_event(house)
    client.force_login(house.alice)
    events = "key,day\n" + "".join(f"CHG-{n},{START}\n" for n in range(1000))
    typed = population_said(
        starts=END, ends=START, list=file("changes.csv", events.encode())
    )
    answer = client.post(population_url(requirement), typed)
    assert answer.status_code == 422
    told = summary_of(answer.content.decode())
    assert told == {"id_ends": "The last day comes before the first day."}


def test_every_form_has_the_one_mechanism():
    bare = re.compile(r"\((?:forms\.)(?:Model)?Form\)")
    assert [p.name for p in FORMS.glob("*.py") if bare.search(p.read_text())] == []
