"""R27, R32: what each verb of a held report answers from each state of its file.

olivia brought it, oscar asks that it is removed, otto acts: all three are officers of
the system that cites the series. audrey audits it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import partial

import pytest
from django.urls import reverse

from controls.engagements import end_engagement
from controls.models import Membership, User
from evidence.artifacts import register
from evidence.held_reports.clearing import clear_report
from evidence.held_reports.releases import release_report, take_back
from evidence.held_reports.removal import (
    decide_report_removal,
    destroy_report,
    request_report_removal,
    withdraw_report_removal,
)
from evidence.models import (
    DisclosureRecord,
    ReportFile,
    ReportFileClearance,
    ReportFileRemoval,
    ReportRelease,
    TermConfirmation,
)
from tests import factories
from tests.evidence.held_reports.held import RIGHT, hold, report_pdf
from tests.evidence.house import TODAY, House, file
from tests.hostile import PAGES, pdf_of
from tests.one_day import BEGINS
from tests.sign_ins import sign_in_just_now
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
ACTIVE = b"<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert())>>>>"
SENTENCES = {
    "held": "is held for this report already",
    "no-return": "was removed here; it does not come back",
    "no-keeper": "Only registrars of reports, and officers of systems that cite",
    "not-opened": "This file is confidential",
    "term": "Read the term of this file first",
    "flagged": "second person",
    "removed": "was removed; its digest and record remain",
    "is-removed": "It is removed already.",
    "file-removed": "The file was removed",
    "asked": "Its removal is already asked for.",
    "not-mine": "Only whoever asked for this removal takes it back.",
    "back-already": "Oscar took this request back.",
    "own": "You asked for this removal; somebody else must decide it.",
    "decided": "has already decided this.",
    "nothing-flagged": "Nothing about this file was flagged.",
    "cleared": "has already cleared this.",
    "brought": "You brought this file; somebody else must clear it.",
    "choose": "Choose a running audit of a system of yours",
    "not-offered": "Select a valid choice",
    "taken-back": "It was taken back before.",
    "not-here": "",
}
# A cell says where the file stands and what came: how often it was disclosed, released
# to whom and what waits. `withdrawn`: its report was, by its auditor; `over`: otto's
# role is; `audit over`: the audit that it is, or was to be, released to has ended.
TABLE = """
verb            door  held                 flagged             cleared             released             taken back           audit over           asked                kept                 back                 removed              destroyed            withdrawn            over
hold same       page  400 held             400 held            400 held            400 held             400 held             400 held             400 held             400 held             400 held             400 no-return        400 no-return        400 held             404 not-here
hold same       api   400 held             400 held            400 held            400 held             400 held             400 held             400 held             400 held             400 held             400 no-return        400 no-return        400 held             404 not-here
open            page  =open, 1 seen        =flagged, 1 seen    =cleared, 1 seen    =released, 1 seen    =open, 1 seen        =released, 1 seen    =asked, 1 seen       =open, 1 seen        =open, 1 seen        409 removed          409 removed          =open, 1 seen        404 not-here
open            api   =open, 1 seen        =flagged, 1 seen    =cleared, 1 seen    =released, 1 seen    =open, 1 seen        =released, 1 seen    =asked, 1 seen       =open, 1 seen        =open, 1 seen        409 removed          409 removed          =open, 1 seen        404 not-here
open unasked    api   403 term             403 term            403 term            403 term             403 term             403 term             403 term             403 term             403 term             403 term             403 term             403 term             403 term
open audrey     api   403 not-opened       403 not-opened      403 not-opened      =released, 1 seen    403 not-opened       404 not-here         403 not-opened       403 not-opened       403 not-opened       403 not-opened       403 not-opened       403 not-opened       403 not-opened
release         page  =released            =flagged, released  =cleared, released  400 choose           =released            400 choose           =asked, released     =released            =released            409 file-removed     409 file-removed     =released            404 not-here
release         api   =released            =flagged, released  =cleared, released  400 choose           =released            400 choose           =asked, released     =released            =released            409 file-removed     409 file-removed     =released            404 not-here
take back       page  -                    -                   -                   =open                409 taken-back       =open                -                    -                    -                    -                    -                    -                    404 not-here
take back       api   -                    -                   -                   =open                409 taken-back       =open                -                    -                    -                    -                    -                    -                    404 not-here
clear           page  409 nothing-flagged  =cleared            409 cleared         409 nothing-flagged  409 nothing-flagged  409 nothing-flagged  409 nothing-flagged  409 nothing-flagged  409 nothing-flagged  409 nothing-flagged  409 nothing-flagged  409 nothing-flagged  404 not-here
clear           api   409 nothing-flagged  =cleared            409 cleared         409 nothing-flagged  409 nothing-flagged  409 nothing-flagged  409 nothing-flagged  409 nothing-flagged  409 nothing-flagged  409 nothing-flagged  409 nothing-flagged  409 nothing-flagged  404 not-here
clear own       page  403 brought          403 brought         403 brought         403 brought          403 brought          403 brought          403 brought          403 brought          403 brought          403 brought          403 brought          403 brought          403 brought
clear own       api   403 brought          403 brought         403 brought         403 brought          403 brought          403 brought          403 brought          403 brought          403 brought          403 brought          403 brought          403 brought          403 brought
remove          page  =asked               =flagged, asked     =cleared, asked     =asked, released     =asked               =asked, released     409 asked            =asked               =asked               409 is-removed       409 is-removed       =asked               404 not-here
remove          api   =asked               =flagged, asked     =cleared, asked     =asked, released     =asked               =asked, released     409 asked            =asked               =asked               409 is-removed       409 is-removed       =asked               404 not-here
approve         page  -                    -                   -                   -                    -                    -                    =removed             409 decided          409 back-already     409 decided          409 decided          -                    -
approve         api   -                    -                   -                   -                    -                    -                    =removed             409 decided          409 back-already     409 decided          409 decided          -                    -
refuse          page  -                    -                   -                   -                    -                    -                    =open                409 decided          409 back-already     409 decided          409 decided          -                    -
refuse          api   -                    -                   -                   -                    -                    -                    =open                409 decided          409 back-already     409 decided          409 decided          -                    -
approve own     page  -                    -                   -                   -                    -                    -                    403 own              403 own              403 own              403 own              403 own              -                    -
approve own     api   -                    -                   -                   -                    -                    -                    403 own              403 own              403 own              403 own              403 own              -                    -
withdraw        page  -                    -                   -                   -                    -                    -                    =open                409 decided          409 back-already     409 decided          409 decided          -                    -
withdraw other  page  -                    -                   -                   -                    -                    -                    403 not-mine         403 not-mine         403 not-mine         403 not-mine         403 not-mine         -                    -
withdraw        api   -                    -                   -                   -                    -                    -                    =open                409 decided          409 back-already     409 decided          409 decided          -                    -
withdraw other  api   -                    -                   -                   -                    -                    -                    403 not-mine         403 not-mine         403 not-mine         403 not-mine         403 not-mine         -                    -
"""  # noqa: E501 - one line for each verb and door


@dataclass
class Case:
    """A held file in a state."""

    house: House
    file: ReportFile
    content: bytes


@pytest.fixture
def house(settings, tmp_path) -> House:
    return states.build(settings, tmp_path)


def made(house: House, state: str) -> Case:
    soc2 = factories.make_artifact(house.olivia, ["pe-3"])
    report = factories.make_report(soc2, TODAY - 200 * DAY, TODAY - 20 * DAY)
    flagged = state in {"flagged", "cleared"}
    content = pdf_of([ACTIVE, *PAGES[1:], b""]) if flagged else report_pdf()
    held = hold(report, by=house.olivia, content=content)
    for reader in (house.otto, house.audrey):
        TermConfirmation.objects.get_or_create(file=held, person=reader)
    engagement = house.audrey.memberships.get().engagement
    if state == "cleared":
        clear_report(held, reason="It shows a greeting.", by=house.otto)
    if state in {"released", "taken back", "audit over"}:
        release = release_report(held, engagement, reason="Asked.", by=house.oscar)
    if state == "taken back":
        take_back(release, by=house.oscar)
    if state == "audit over":
        end_engagement(engagement, by=house.olivia, now=BEGINS)
    if state in {"asked", "kept", "back", "removed", "destroyed"}:
        removal = request_report_removal(held, reason="The NDA ended.", by=house.oscar)
    if state == "back":
        withdraw_report_removal(removal, by=house.oscar)
    if state in {"kept", "removed", "destroyed"}:
        decide_report_removal(removal, approve=state != "kept", by=house.otto)
    if state == "destroyed":
        destroy_report(removal.pk)
    if state == "withdrawn":
        register.end_version(
            report, state="withdrawn", on=TODAY, reason="They wrote.", by=house.olivia
        )
    if state == "over":
        Membership.objects.filter(user=house.otto).update(ends_at=BEGINS - DAY / 48)
    return Case(house, held, content)


def state_of(case: Case) -> str:
    held = ReportFile.objects.for_opening().get(pk=case.file.pk)
    words = []
    if held.is_removed:
        words.append("removed")
    if held.flags:
        is_cleared = ReportFileClearance.objects.filter(file=held).exists()
        words.append("cleared" if is_cleared else "flagged")
    if ReportFileRemoval.objects.filter(file=held, state="requested").exists():
        words.append("asked")
    if ReportRelease.objects.standing().filter(file=held).exists():
        words.append("released")
    if seen := DisclosureRecord.objects.filter(file=held).count():
        words.append(f"{seen} seen")
    if not words or words[0].endswith("seen"):
        words.insert(0, "open")
    return ", ".join(words)


def attempt(row: Row, case: Case) -> Attempt:
    """The request by which a verb is taken on the file."""
    verb, _, how = row.verb.partition(" ")
    house, uuid, api = case.house, case.file.uuid, row.door == "api"
    by: User = house.otto
    if how == "audrey":
        by = house.audrey
    if how == "unasked":
        by = house.olivia  # she never opened it
    if how == "own":
        by = house.oscar if verb == "approve" else house.olivia
    if row.verb == "withdraw":
        by = house.oscar
    route = f"/api/v1/report-files/{uuid}"
    if verb == "hold":
        report = case.file.artifact_version.uuid
        body = RIGHT | {"file": file("again.pdf", case.content)}
        if api:
            body |= {"report": str(report)}
            return Attempt(by, "/api/v1/report-files/", body, api=True)
        address = reverse("evidence:report_hold", args=[report])
        return Attempt(by, address, body)
    if verb == "open":
        address = f"{route}/content/"
        if not api:
            address = reverse("evidence:report_download", args=[uuid])
        return Attempt(by, address, {}, api=True, method="get")
    if verb in {"take", "approve", "refuse", "withdraw"}:
        return _decision(row, case, verb, by)
    body = {"reason": "As it is."}
    if verb == "release":
        engagement = house.audrey.memberships.get().engagement
        assert engagement is not None
        body |= {"engagement": str(engagement.uuid)}
    if api:
        return Attempt(by, f"{route}/{verb}/", body, api=True)
    return Attempt(by, reverse(f"evidence:report_{verb}", args=[uuid]), body)


def _decision(row: Row, case: Case, verb: str, by: User) -> Attempt:
    if verb == "take":
        release = ReportRelease.objects.filter(file=case.file).first()
        uuid = release.uuid if release else case.file.uuid
        if row.door == "api":
            address = f"/api/v1/report-releases/{uuid}/take-back/"
            return Attempt(by, address, {}, api=True)
        return Attempt(by, reverse("evidence:report_take_back", args=[uuid]), {})
    removal = ReportFileRemoval.objects.get(file=case.file)
    if row.door == "api":
        address = f"/api/v1/report-removals/{removal.uuid}/{verb}/"
        return Attempt(by, address, {}, api=True)
    address = reverse("evidence:report_removal_decide", args=[removal.uuid])
    return Attempt(by, address, {"decision": verb})


@pytest.mark.parametrize("row", rows_of(TABLE))
def test_what_each_verb_of_a_held_report_answers(house, row: Row) -> None:
    wrong = wrong_cells(row, partial(made, house), attempt, state_of, SENTENCES)
    assert not wrong, "\n".join([str(row), *wrong])


@pytest.mark.parametrize(
    ("state", "sentence"),
    [("held", "may open “soc2.pdf” now."), ("flagged", "must clear it first.")],
)
def test_what_is_flagged_is_released_and_nobody_is_told_to_open_it(
    house, client, state, sentence
) -> None:
    """R32: released before a second person has cleared it, it opens once it is."""
    sign_in_just_now(client, house.otto)
    case = made(house, state)
    sent = attempt(Row("release", "page", {}), case)
    page = client.post(sent.address, sent.body, follow=True)
    (told,) = page.context["messages"]
    assert str(told).endswith(sentence)
