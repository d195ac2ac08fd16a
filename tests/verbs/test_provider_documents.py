"""R9, R32: what each verb of a provider's document answers from each of its states.

oscar asks, otto decides. A cell says where each document stands, the first one first.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from controls.lapses import lapse_requests
from controls.models import Membership, ProviderDocument, RetrospectiveChange, User
from controls.provider_documents.adopt import request_adoption, request_end
from controls.provider_documents.rows import read_statements
from controls.retrospect import approve, refuse
from tests.evidence.house import TODAY, House, file
from tests.one_day import BEGINS
from tests.sign_ins import sign_in_just_now
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
TITLE = "Responsibility matrix"
HEAD = "Control ID,Responsibility,Description\n"
MATRIX = f"{HEAD}PE-3,Shared,We guard the halls.\nSI-2,Shared,Patch.\n"
NOT_PLACED = f"{MATRIX}SI-99,Shared,Nobody knows it.\n"
SENTENCES = {
    "waits": "waits for a second officer: it is decided first.",
    "not-later": "this one must start later",
    "ended": "It has ended on",
    "rules-not": "It does not rule: two officers adopt it first.",
    "end-waits": "has already asked for its end.",
    "decided": "has already decided this.",
    "lapsed": "This request lapsed",
    "own": "Somebody other than the requester must approve this.",
    "other": "Another document of this title is current since this was asked for.",
    "earlier-ended": "The document that it follows has ended since this was asked for.",
    "not-here": "",
    "gone": "This preview is no longer there: send the file again.",
    "used": "Submit as another",
    "no-control": "there is no control SI-99 in the catalog.",
}
# `late`: nobody decided in time, and it did not lapse yet; `ending`: its end waits;
# `followed`: a newer one of the same title waits; `follows ended`: the one that waits
# was to follow one that has ended since; `follows other`: another one rules since.
DOCUMENTS = """
verb         door     none       waiting            current             ended             refused            late               lapsed             ending              followed           follows ended       follows other
adopt        page     =waiting   409 waits          =current, waiting   =ended, waiting   =refused, waiting  =refused, waiting  =refused, waiting  =current, waiting, ending  409 waits          409 waits           409 waits
adopt        api      =waiting   409 waits          =current, waiting   =ended, waiting   =refused, waiting  =refused, waiting  =refused, waiting  =current, waiting, ending  409 waits          409 waits           409 waits
adopt same   page     =waiting   409 waits          422 not-later       =ended, waiting   =refused, waiting  =refused, waiting  =refused, waiting  422 not-later       422 not-later      409 waits           422 not-later
adopt same   api      =waiting   409 waits          400 not-later       =ended, waiting   =refused, waiting  =refused, waiting  =refused, waiting  400 not-later       400 not-later      409 waits           400 not-later
end          page     -          409 rules-not      =current, ending    409 ended         409 rules-not      409 rules-not      409 rules-not      409 end-waits       =current, waiting, ending  409 ended   409 ended
end          api      -          409 rules-not      =current, ending    409 ended         409 rules-not      409 rules-not      409 rules-not      409 end-waits       =current, waiting, ending  409 ended   409 ended
approve      page     -          =current           302 decided         302 decided       302 decided        302 lapsed         302 lapsed         =ended              =ended, current     302 earlier-ended   302 other
approve      api      -          =current           409 decided         409 decided       409 decided        409 lapsed         409 lapsed         =ended              =ended, current     409 earlier-ended   409 other
refuse       page     -          =refused           302 decided         302 decided       302 decided        302 lapsed         302 lapsed         =current            =current, refused   =ended, refused     =ended, current, refused
refuse       api      -          =refused           409 decided         409 decided       409 decided        409 lapsed         409 lapsed         =current            =current, refused   =ended, refused     =ended, current, refused
approve own  page     -          403 own            403 own             403 own           403 own            403 own            403 own            403 own             403 own             403 own             403 own
approve own  api      -          403 own            403 own             403 own           403 own            403 own            403 own            403 own             403 own             403 own             403 own
"""  # noqa: E501 - one line for each verb and door
ANY = {"If-Match": "*"}


@dataclass
class Case:
    """The documents of a system, and what is to be decided."""

    house: House
    documents: list[ProviderDocument] = field(default_factory=list)
    change: RetrospectiveChange | None = None


@pytest.fixture
def house(settings, tmp_path) -> House:
    return states.build(settings, tmp_path)


def asked_for(house: House, starts_on: dt.date) -> ProviderDocument:
    return request_adoption(
        house.system,
        read_statements(BytesIO(MATRIX.encode()), "matrix.csv"),
        title=TITLE,
        reference="v1",
        starts_on=starts_on,
        by=house.oscar,
        today=TODAY,
    )


def end_asked(house: House, document: ProviderDocument) -> RetrospectiveChange:
    return request_end(
        document, ended_on=TODAY, reason="Gone.", by=house.oscar, today=TODAY
    )


def made(house: House, state: str) -> Case:
    if state == "none":
        return Case(house)
    first = asked_for(house, TODAY - 9 * DAY)
    case = Case(house, [first], first.change)
    decide = {"by": house.otto, "today": TODAY}
    if state in {"late", "lapsed"}:
        RetrospectiveChange.objects.update(requested_on=TODAY - 31 * DAY)
    if state == "lapsed":
        lapse_requests(house.system, TODAY)
    if state == "refused":
        refuse(first.change, **decide)
    if state in {"current", "ended", "ending", "followed"} or "follows" in state:
        approve(first.change, **decide)
    if state in {"followed", "follows ended", "follows other"}:
        second = asked_for(house, TODAY - 5 * DAY)
        case.documents.append(second)
        case.change = second.change
    if state in {"ended", "follows ended", "follows other"}:
        approve(end_asked(house, first), **decide)
    if state == "follows other":
        # as if it had come past the one that waits
        ProviderDocument.objects.filter(pk=second.pk).update(title="Put aside")
        third = asked_for(house, TODAY - 7 * DAY)
        approve(third.change, **decide)
        ProviderDocument.objects.filter(pk=second.pk).update(title=TITLE)
        case.documents.insert(1, third)
    if state == "ending":
        case.change = end_asked(house, first)
    return case


def state_of(case: Case) -> str:
    rows = list(ProviderDocument.objects.order_by("starts_on", "pk"))
    words = [row.state for row in rows]
    changes = case.house.system.retrospective_changes.waiting()
    if changes.filter(body__has_key="ended_on").exists():
        words.append("ending")
    return ", ".join(words)


def preview(by: User, starts_on: dt.date, text: str = MATRIX) -> str:
    """The token of a file sent on the page."""
    client = Client()
    sign_in_just_now(client, by)
    sent = client.post(
        reverse("evidence:provider_upload", args=["shop"]),
        {
            "title": TITLE,
            "reference": "v2",
            "starts_on": str(starts_on),
            "reason": "Held against ours.",
            "file": file("matrix.csv", text.encode()),
        },
    )
    assert sent.status_code == 302, sent.content
    return str(sent["Location"].rstrip("/").rpartition("/")[2])


def attempt(row: Row, case: Case) -> Attempt:
    verb, _, how = row.verb.partition(" ")
    by = case.house.oscar if verb in {"adopt", "end"} or how else case.house.otto
    if verb == "adopt":
        starts = TODAY - 9 * DAY if how else TODAY
        if row.door == "page":
            address = reverse(
                "evidence:provider_adopt", args=["shop", preview(by, starts)]
            )
            return Attempt(by, address, {})
        body = {
            "title": TITLE,
            "reference": "v2",
            "starts_on": str(starts),
            "file": file("matrix.csv", MATRIX.encode()),
        }
        address = "/api/v1/systems/shop/provider-documents/"
        return Attempt(by, address, body, api=True)
    if verb == "end":
        uuid = case.documents[0].uuid
        body = {"ended_on": str(TODAY), "reason": "We left them."}
        if row.door == "page":
            address = reverse("evidence:provider_document_end", args=[uuid])
            return Attempt(by, address, body)
        address = f"/api/v1/systems/shop/provider-documents/{uuid}/end/"
        return Attempt(by, address, body, api=True)
    assert case.change is not None
    if row.door == "page":
        address = reverse("evidence:retrospective_decide", args=[case.change.uuid])
        return Attempt(by, address, {"decision": verb})
    address = f"/api/v1/retrospective-changes/{case.change.uuid}/{verb}/"
    return Attempt(by, address, {}, api=True, headers=ANY)


@pytest.mark.parametrize("row", rows_of(DOCUMENTS))
def test_what_each_verb_of_a_providers_document_answers(house, row: Row) -> None:
    wrong = wrong_cells(row, partial(made, house), attempt, state_of, SENTENCES)
    assert not wrong, "\n".join([str(row), *wrong])


# `confirmed`: the same preview once already; `other`: once already, and now without the
# lines that cannot be placed; `unplaced`: some cannot, and nobody said to leave them;
# `another`: another officer's; `decided`: adopted already by two; `over`, `closed`:
# oscar's role is over, his account closed.
PREVIEWS = """
verb   door  seen      confirmed  other     unplaced       unplaced left  another   decided    over          closed
adopt  page  =waiting  =waiting   422 used  422 no-control  =waiting       409 gone  =current   404 not-here  =
"""  # noqa: E501 - one line for each verb and door


@dataclass
class Sent:
    """A preview, and who comes back to confirm it."""

    house: House
    by: User
    token: str
    body: dict[str, str] = field(default_factory=dict)


def sent(house: House, state: str) -> Sent:
    text = NOT_PLACED if state.startswith("unplaced") else MATRIX
    case = Sent(house, house.oscar, preview(house.oscar, TODAY, text))
    if state in {"confirmed", "other", "decided"}:
        client = Client()
        sign_in_just_now(client, house.oscar)
        once = on_preview(case)
        assert client.post(once.address, once.body).status_code == 302
    if state in {"other", "unplaced left"}:
        case.body = {"leave_out": "yes"}
    if state == "another":
        case.by = house.otto
    if state == "decided":
        approve(ProviderDocument.objects.get().change, by=house.otto, today=TODAY)
    if state == "over":
        Membership.objects.filter(user=house.oscar).update(ends_at=BEGINS - DAY / 48)
    if state == "closed":
        User.objects.filter(pk=house.oscar.pk).update(is_active=False)
    return case


def on_preview(case: Sent) -> Attempt:
    address = reverse("evidence:provider_adopt", args=["shop", case.token])
    return Attempt(case.by, address, dict(case.body))


@pytest.mark.parametrize("row", rows_of(PREVIEWS))
def test_what_confirming_the_preview_of_a_document_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        partial(sent, house),
        lambda _, case: on_preview(case),
        lambda _: ", ".join(row.state for row in ProviderDocument.objects.all()),
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])


@pytest.mark.parametrize(
    ("state", "by", "code", "told", "after"),
    [
        ("none", "oscar", 0, "waits for a second officer: once approved", "waiting"),
        ("none", "ray", 1, "Only a compliance officer of this system", ""),
        ("waiting", "oscar", 1, "it is decided first.", "waiting"),
        ("current", "oscar", 0, "waits for a second officer", "current, waiting"),
        ("ended", "oscar", 0, "waits for a second officer", "ended, waiting"),
        ("late", "oscar", 0, "waits for a second officer", "refused, waiting"),
        ("closed", "oscar", 1, "Only a compliance officer of this system", ""),
    ],
)
def test_what_the_command_answers(
    house, tmp_path, capsys, state, by, code, told, after
) -> None:
    """The same verb from a shell: the same sentences, and its exit code."""
    case = made(house, "none" if state == "closed" else state)
    if state == "closed":
        User.objects.filter(pk=house.oscar.pk).update(is_active=False)
    path = tmp_path / "matrix.csv"
    path.write_text(MATRIX)
    given = ["--by", house.people[by].email, "--title", TITLE, "--reference", "v2"]
    ended = 0
    try:
        call_command(
            "import_provider_document", "shop", str(path), *given,
            "--starts-on", str(TODAY),
        )  # fmt: skip
    except SystemExit as stop:
        ended = stop.code
    printed = "".join(capsys.readouterr())
    assert (ended, state_of(case)) == (code, after), printed
    assert told in printed


def test_who_approves_reads_what_was_left_out(house, client) -> None:
    """R32: the second officer decides on the rest, and knows that it is the rest."""
    case = sent(house, "unplaced left")
    sign_in_just_now(client, house.oscar)
    address = on_preview(case).address
    assert client.post(address, {"leave_out": "yes"}).status_code == 302
    change = ProviderDocument.objects.get().change
    sign_in_just_now(client, house.otto)
    page = client.get(reverse("evidence:retrospective", args=[change.uuid]))
    text = page.content.decode()
    assert "What was left out of it" in text
    assert "there is no control SI-99 in the catalog." in text
    assert "Change of provider document from" in text
