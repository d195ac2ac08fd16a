"""One object of every kind in one system, and a person for every role.

alice proves for Platform, bob for Data, rita reviews, ray reads, olivia and oscar are
officers, audrey audits, edgar's audit has ended, otto is an officer of another system,
nora has no role anywhere, gone is an officer whose account is switched off.
One file: one world, whose objects rest on each other.
"""

from __future__ import annotations

import datetime as dt
import io
import uuid
from dataclasses import dataclass, field
from typing import Any

from knox.models import AuthToken

from controls.accounts.invitations import invite
from controls.alternatives import AlternativeDraft
from controls.applicability import request_not_applicable
from controls.crosswalks.adopt import adopt as adopt_numbers
from controls.crosswalks.rows import read_crosswalk
from controls.memberships import RoleOffer
from controls.models import (
    Control,
    ControlImplementation,
    EndRequest,
    IdempotencyKey,
    Role,
    System,
    TokenScope,
)
from controls.provider_documents.adopt import request_adoption
from controls.provider_documents.compare import preview
from controls.provider_documents.rows import read_statements
from controls.responsibility.overrides import request_override
from controls.retrospect import approve as approve_change
from evidence.artifacts.citations import cite
from evidence.artifacts.register import add_letter
from evidence.artifacts.reliance import record_reliance
from evidence.artifacts.remark_answers import answer_remark
from evidence.artifacts.remarks import register_remark
from evidence.engagements.item_results import record_result
from evidence.engagements.marks import MarkDraft, mark_control
from evidence.exports.jobs import request_export
from evidence.files.legal_holds import place_hold
from evidence.files.spill_removal import request_removal
from evidence.findings.dispositions import request_disposition
from evidence.findings.imports import confirm_import, preview_import
from evidence.findings.recording import record_finding, record_observation
from evidence.findings.responses import items_answered, respond
from evidence.held_reports.hold import hold_report
from evidence.held_reports.opening import confirm_term, record_viewing
from evidence.held_reports.releases import release_report
from evidence.held_reports.removal import request_report_removal
from evidence.models import (
    ArtifactSync,
    ArtifactVersion,
    BulkActRun,
    CoverageLine,
    Export,
    FindingImport,
    ListedReport,
    Notice,
    ReportFetch,
    WindowClosing,
)
from evidence.populations.event_list import EventRow, Events
from evidence.populations.populations import (
    PopulationStatement,
    decide_population,
    submit_population,
)
from evidence.populations.samples import draw_sample
from evidence.populations.selection import SelectionMethod
from evidence.requests.requests import RequestDraft, request_evidence
from evidence.requirements.alternatives import request_with_requirements
from evidence.requirements.join_checks import AskTerms, NamedControl
from evidence.requirements.joining import join
from evidence.status.rows import Moment
from evidence.submissions.uploads import store
from evidence.systems.component_days import ask_end
from evidence.systems.saved_filters import save_filter
from tests import factories
from tests.access.bodies import bodies_of
from tests.evidence import house as houses
from tests.evidence.held_reports.held import report_pdf
from tests.evidence.house import House, give, person
from tests.one_day import BEGINS, TODAY

DAY = dt.timedelta(days=1)
COLUMNS = (
    "anonymous", "nora", "otto", "gone", "edgar",
    "ray", "bob", "alice", "rita", "olivia", "audrey",
)  # fmt: skip

# Rows of these views of the API bear no version.
WITHOUT_ETAG = {
    "ask", "citation", "crosswalk", "disposition", "export", "file", "finding",
    "letter", "notice", "observation", "population", "remark", "removal", "response",
    "sample", "token",
}  # fmt: skip

NO_ETAG_EITHER = (
    "provider-doc", "artifact-sync", "listed-report", "legal-hold", "report-",
    "disclosure",
)  # fmt: skip


@dataclass
class World:
    """The house, and what stands for each part of an address."""

    house: House
    key: str = "CHG"
    named: dict[str, dict[str, Any]] = field(default_factory=dict)
    bodies: dict[str, Any] = field(default_factory=dict)
    late_citation: str = ""

    def parts(self, view: str, wanted: set[str]) -> dict[str, Any]:
        """Arguments of the address of a view: of an object that is there."""
        given = {"slug": self.house.system.slug, "ref_id": "cm-8", "act": "owner"}
        given |= self.named.get(view.partition(":")[2] or view, {})
        return {name: given[name] for name in wanted}

    def tag(self, view: str) -> str:
        """The ETag of what a view of the API edits, as it was made; `*` for none."""
        if view.partition("-")[0] in WITHOUT_ETAG or view.startswith(NO_ETAG_EITHER):
            return "*"
        row = self.named.get(view, {}).get("uuid")
        system = self.house.system
        if view == "system-control":
            row = _control(system, "cm-8").uuid
        return f'"{row}:1"' if row else f'"{system.uuid}:{system.version}"'


def build(key: str = "CHG") -> World:
    """Everything, by the product's own verbs; events are called `key` 1 and so on."""
    house = houses.build()
    _more_people(house)
    world = World(house, key)
    for make in (
        _proof, _officers,
        _people, _asked, _joined, _events, _reports, _findings, _responses,
        _provider, _rest,
    ):  # fmt: skip
        make(world)
    world.bodies = bodies_of(world)
    return world


def _more_people(house: House) -> None:
    for name in ("oscar", "edgar", "otto", "nora", "gone"):
        house.people[name] = person(name)
    give(house, "oscar", Role.OFFICER)
    factories.give_installation_roles(house.oscar)
    give(house, "gone", Role.OFFICER)
    house.gone.is_active = False
    house.gone.save(update_fields=["is_active"])
    factories.give_role(
        house.edgar,
        house.system,
        Role.AUDITOR,
        engagement=factories.make_engagement(house.system),
        starts_at=BEGINS - 30 * DAY,
        ends_at=BEGINS - dt.timedelta(seconds=1),
    )
    factories.make_system(house.otto, slug="elsewhere", team=house.other_team)


def _name(world: World, row: Any, *views: str, part: str = "uuid") -> None:
    for view in views:
        world.named.setdefault(view, {})[part] = row.uuid


def _proof(world: World) -> None:
    house = world.house
    link = houses.submitted(house, "waits")
    _name(world, link, "accept", "reject", "submit_draft", "reconfirm", "withdraw")
    _name(world, link.revision, "decide")
    for verb in ("detail", "accept", "reject", "attach", "if-withdrawn", "reconfirm",
                 "revise", "submit", "withdraw"):  # fmt: skip
        _name(world, link, f"evidence-{verb}")
    evidence = link.revision.evidence
    _name(world, evidence, "evidence", "revision_new", "attach")
    file = link.revision.files.get()
    _name(world, file, "download", "preview", "picture", "file_clear", "removal_new")
    _name(world, file, "file-detail", "file-clear", "file-content", "file-remove")
    hold = place_hold(
        evidence.system, evidence=evidence, reason="A suit.", by=house.oscar
    )
    _name(world, hold, "hold_lift")
    for verb in ("detail", "lift", "events"):
        _name(world, hold, f"legal-hold-{verb}")
    removal = request_removal(file, reason="A name.", by=house.oscar)
    _name(world, removal, "removal", "removal_decide")
    _name(world, removal, "removal-detail", "removal-approve", "removal-refuse",
          "removal-withdraw")  # fmt: skip
    asked = house.requirement()
    _name(world, asked, "requirement_edit", "requirement_retire", "upload")
    _name(world, asked, "requirement-detail", "requirement-retire")


def _control(system: System, ref_id: str) -> ControlImplementation:
    return factories.implementation(system, ref_id)


def _officers(world: World) -> None:
    house = world.house
    override = request_override(
        _control(house.system, "pe-3"),
        responsibility="shared",
        reason="Our cage.",
        starts_on=TODAY,
        ends_on=TODAY + 30 * DAY,
        by=house.oscar,
    )
    _name(world, override, "override_decide", "override_settle")
    for verb in ("detail", "approve", "refuse", "settle", "withdraw"):
        _name(world, override, f"override-{verb}")
    excluded = request_not_applicable(
        _control(house.system, "ac-1"),
        justification="No people.",
        review_by=TODAY + 30 * DAY,
        by=house.oscar,
    )
    _name(world, excluded, "na_decide", "na_end")
    for verb in ("detail", "approve", "end", "refuse", "withdraw"):
        _name(world, excluded, f"not-applicable-{verb}")
    end = EndRequest.objects.create(
        implementation=override.implementation,
        override=override,
        requested_by=house.oscar,
        reason="No cage any more.",
        ends_from=TODAY,
        requested_on=TODAY,
    )
    _name(world, end, "end_decide")
    for verb in ("detail", "approve", "refuse", "withdraw"):
        _name(world, end, f"end-request-{verb}")
    otherwise = request_with_requirements(
        _control(house.system, "si-2"),
        AlternativeDraft(
            constraint="No agent.",
            objective="Patches come in time.",
            residual_risk="A day.",
            requirement_uuids=[factories.requirement(house.system, "si-2").uuid],
            starts_on=TODAY,
            review_by=TODAY + 30 * DAY,
        ),
        by=house.oscar,
        today=TODAY,
    )
    _name(world, otherwise, "alternative_decide", "alternative_end")
    for verb in ("detail", "approve", "end", "refuse", "withdraw"):
        _name(world, otherwise, f"alternative-{verb}")
    component, other = house.system.components.order_by("pk")
    _name(world, component, "component_end", "component-detail", "component-end")
    _name(world, component, "component_days", "component-days")
    change = ask_end(
        other,
        last_day=TODAY - 30 * DAY,
        reason="It was shut down then.",
        by=house.oscar,
        today=TODAY,
    )
    _name(world, change, "retrospective", "retrospective_decide")
    for verb in ("detail", "approve", "refuse", "withdraw"):
        _name(world, change, f"retrospective-change-{verb}")


def _people(world: World) -> None:
    house = world.house
    audit = house.audrey.memberships.get(role=Role.AUDITOR).engagement
    _name(world, audit, "engagement_access", "engagement_renew", "engagement_end")
    _name(world, audit, "engagement_scope", "engagement_add_system",
          "engagement_take_out")  # fmt: skip
    for verb in ("detail", "renew", "end", "scope", "controls", "add-system",
                 "take-out"):  # fmt: skip
        _name(world, audit, f"engagement-{verb}")
    marked = mark_control(
        audit,
        _control(house.system, "si-2"),
        MarkDraft("in_progress"),
        by=house.audrey,
        now=BEGINS,
    )
    _name(world, marked, "mark-detail")
    for view in ("audit", "audit_news", "audit_controls", "marks_save", "mark",
                 "audit_samples", "audit_sample", "results_save", "request_list",
                 "request_list_confirm", "request_list_template",
                 "request_list_download", "audit-request-list-plan",
                 "audit-request-list-confirm",
                 "audit-request-list-workbook", "closing",
                 "closing_request", "closing_decide", "closing_withdraw"):  # fmt: skip
        _name(world, audit, view)
    closing = WindowClosing.objects.create(
        system=house.system,
        engagement=audit,
        requested_by=house.oscar,
        requested_at=BEGINS,
    )
    for verb in ("detail", "confirm", "refuse", "withdraw"):
        _name(world, closing, f"closing-{verb}")
    failed = Export.objects.create(
        system=house.system,
        requested_by=house.audrey,
        kind="fedramp-crm",
        on=TODAY,
        known_at=BEGINS,
        window_start=audit.window_start,
        window_end=audit.window_end,
        closing=closing,
        state="failed",
        given_up_at=BEGINS,
        idempotency_key="kept",
    )
    _name(world, failed, "kept_again", "export-make-again")
    held = house.system.memberships.get(user=house.ray)
    _name(world, held, "role", "role_days", "role_end", "role_hand_over")
    for verb in ("detail", "end", "hand-over", "hand-over-preview", "open-work"):
        _name(world, held, f"person-{verb}")
    offer = RoleOffer(Role.READER, TODAY)
    invitation = invite(
        house.system, "dora@example.test", offer, by=house.oscar, now=BEGINS
    )
    _name(world, invitation, "invitation_send", "invitation_withdraw")
    for verb in ("detail", "send-again", "withdraw"):
        _name(world, invitation, f"invitation-{verb}")


def _asked(world: World) -> None:
    house = world.house
    wish = RequestDraft("Show it", ["cm-8"], house.team, TODAY + 5 * DAY)
    asked = request_evidence(house.system, wish, by=house.oscar)
    _name(world, asked, "request", "request_answer", "request_judge")
    for verb in ("detail", "accept", "answer", "cancel", "send-back"):
        _name(world, asked, f"request-{verb}")


def _joined(world: World) -> None:
    """An ask of two controls that begins far ahead, so that nobody is asked today."""
    house, later = world.house, TODAY + 200 * DAY
    columns = {"owner_team": house.team, "operates_from": later}
    rows = [
        factories.ask_for(_control(house.system, ref_id), "Second look", **columns)
        for ref_id in ("cm-8", "si-2")
    ]
    stored = join(
        house.system,
        AskTerms("Second look", "monthly", "operation", owner_team=house.team),
        [NamedControl(row.uuid, "The part about it") for row in rows],
        from_day=later,
        by=house.oscar,
        today=TODAY,
    )
    _name(world, stored, "ask", "ask_split", "ask_add")
    _name(world, stored, "ask-detail", "ask-split", "ask-controls")
    _name(world, stored, "ask-occurrences")
    _name(world, house.requirement().ask, "ask-evidence")
    _name(world, rows[0], "row of an ask")
    further = [
        factories.ask_for(_control(house.system, ref_id), "Third look", **columns)
        for ref_id in ("cm-8", "si-2")
    ]
    for number, row in enumerate(further):
        _name(world, row, f"to join {number}")


def _events(world: World) -> None:
    house = world.house
    asked = factories.ask_for(
        _control(house.system, "si-2"),
        "Changes approved",
        cadence="per-event",
        owner_team=house.team,
        grace_days=10,
        operates_from=house.system.window_start,
    )
    _name(world, asked, "populations", "population_new", "population_confirm")
    days = PopulationStatement(
        starts=TODAY - 30 * DAY,
        ends=TODAY - DAY,
        source="Tickets",
        query="all",
        completeness="Numbers without gaps.",
    )
    rows = [EventRow(n, f"{world.key} {n}", TODAY - 9 * DAY) for n in range(1, 4)]
    made = [
        submit_population(asked, days, Events(rows=rows), by=house.alice, today=TODAY)
        for _ in range(2)
    ]
    accepted, waiting = made
    decide_population(accepted, accept=True, by=house.raul)
    sample = draw_sample(accepted, SelectionMethod("all"), reason="Few", by=house.oscar)
    _name(world, accepted, "population", "sample_draw", "population-detail")
    _name(world, accepted, "population-draw", "population-items")
    _name(world, waiting, "population_judge", "population-accept")
    _name(world, waiting, "population-reject", "population-withdraw")
    _name(world, sample, "sample", "sample_download", "sample-detail")
    _name(world, sample, "sample-deviations", "sample-items")
    item = sample.items.order_by("pk")[0]
    tested = record_result(
        house.audrey.memberships.get(role=Role.AUDITOR).engagement,
        sample.items.for_upload().order_by("pk")[1],
        result="passed",
        note="",
        by=house.audrey,
        now=BEGINS,
    )
    _name(world, tested, "tested-item-detail")
    _name(world, item, "deviation_new")
    _name(world, sample, "audit_sample", "results_save", part="sample")


def _reports(world: World) -> None:
    house = world.house
    artifact = factories.make_artifact(house.oscar, ["pe-3"])
    report = factories.make_report(artifact, TODAY - 200 * DAY, TODAY - 20 * DAY)
    _name(world, artifact, "artifact", "cite", "version_new", "artifact-detail")
    _name(world, artifact, "artifact-citations", "artifact-versions")
    _name(world, artifact, "artifact-proposed")
    _name(world, report, "letter_new", "version_end")
    for verb in ("detail", "end", "letters"):
        _name(world, report, f"artifact-version-{verb}")
    unscoped = factories.make_report(
        artifact, TODAY - 9 * DAY, TODAY - 5 * DAY, services=["ebs"]
    )
    _name(world, unscoped, "version_scope", "version_scope_confirm")
    CoverageLine.objects.create(
        artifact_version=report,
        control=Control.objects.get(
            ref_id="pe-3", implementations__system=house.system
        ),
        recorded_by=house.oscar,
        confirmed_by=house.oscar,
        origin="typed",
    )
    _name(world, unscoped, "version_coverage", "version_coverage_template")
    _name(world, unscoped, "version_coverage_preview", "version_coverage_import")
    _name(world, unscoped, "version_user_controls", "version_user_controls_import")
    _name(world, unscoped, "version_user_controls_template")
    for verb in ("preview", "import-list"):
        _name(world, unscoped, f"user-control-{verb}", part="version")
    _name(world, unscoped, "version_coverage_begin", "version_coverage_lines")
    for verb in ("list", "preview", "import-list", "copy-forward", "propose",
                 "confirm", "remove"):  # fmt: skip
        _name(world, unscoped, f"coverage-{verb}", part="version")
    _name(world, unscoped, "artifact-version-scope", "artifact-version-scope-preview")
    waits = ListedReport.objects.create(
        aws_id="report-0123456789abcdef",
        aws_version=1,
        name="A report",
        period_start=TODAY - 90 * DAY,
        period_end=TODAY - 60 * DAY,
    )
    _name(world, waits, "listed_place", "listed-report-detail", "listed-report-place")
    sync = ArtifactSync.objects.create(state="done")
    _name(world, sync, "artifact-sync-detail")
    unread = factories.make_report(artifact, TODAY - 19 * DAY, TODAY - 10 * DAY)
    _remarks(world, unread)
    _name(world, unread, "reliance", "artifact-version-reliance")
    _name(
        world,
        artifact.citations.get(system=house.system),
        "citation_remove",
        "citation-detail",
    )
    record_reliance(
        report,
        house.system,
        conclusion="rely",
        scope_note="s",
        period_note="p",
        by=house.raul,
    )
    control = Control.objects.get(ref_id="cm-8", implementations__system=house.system)
    cite(artifact, house.system, [control], by=house.oscar)
    late = artifact.citations.get(system=house.system, control=control)
    world.late_citation = str(late.uuid)
    _held_files(world, report)
    letter = add_letter(report, issued_on=TODAY, ends=TODAY, by=house.oscar)
    _name(world, letter, "letter_decide", "letter-detail", "letter-decisions")


def _held_files(world: World, report: ArtifactVersion) -> None:
    """A held file that olivia and the auditor may open, one that is to go, a fetch."""
    house = world.house
    file, other = (
        hold_report(
            report,
            store(name, [content]),
            agreement="NDA",
            confirmed=True,
            by=house.oscar,
        )
        for name, content in (("soc2.pdf", report_pdf()), ("notes.txt", b"Notes"))
    )
    audit = house.system.engagements.filter(title="SOC 2", ended_at=None)
    release = release_report(file, audit[0], reason="Asked for", by=house.oscar)
    for person_of_it in (house.olivia, house.audrey):
        confirm_term(file, by=person_of_it)
    record_viewing(file, by=house.oscar, page=1)
    removal = request_report_removal(other, reason="Ended", by=house.oscar)
    for verb in ("document", "hold"):
        _name(world, report, f"report_{verb}")
    _name(world, report, "disclosures", "disclosures_csv", "disclosure_new")
    for verb in ("term", "view", "page", "download", "clear", "release", "remove"):
        _name(world, file, f"report_{verb}", f"report-file-{verb}")
    _name(world, file, "report-file-detail", "report-file-content")
    _name(world, release, "report_take_back", "report-release-detail")
    _name(world, release, "report-release-take-back")
    _name(world, removal, "report_removal_decide", "report-removal-detail")
    _name(world, removal, "report-removal-approve", "report-removal-refuse",
          "report-removal-withdraw")  # fmt: skip
    _name(world, file.disclosures.get(), "disclosure-detail")
    listed, fetched = (
        ListedReport.objects.create(
            aws_id="report-fedcba9876543210",
            aws_version=number,
            name="A placed report",
            artifact_version=report,
        )
        for number in (1, 2)
    )
    fetch = ReportFetch.objects.create(listed=fetched, asked_by=house.oscar)
    _name(world, listed, "report_fetch_new", "to fetch")
    _name(world, fetch, "report_fetch", "report_fetch_term", "report-fetch-detail")
    _name(world, fetch, "report-fetch-term", "report-fetch-accept")


def _remarks(world: World, report: ArtifactVersion) -> None:
    """A carve-out that nobody has answered, and one whose answer waits."""
    house = world.house
    open_one, answered = (
        register_remark(
            report,
            kind="subservice",
            title=title,
            layers=["facilities"],
            by=house.oscar,
        )
        for title in ("Landlord", "Guards")
    )
    _name(world, report, "remark_new", "artifact-version-remarks")
    _name(world, open_one, "remark_answer", "remark-detail", "remark-answers")
    answer = answer_remark(
        answered, house.system, choice="not-needed", text="No guards.", by=house.oscar
    )
    _name(world, answer, "remark_decide", "remark-answer-detail")
    _name(world, answer, "remark-answer-decide")


def _findings(world: World) -> None:
    """An observation and a finding, an explanation of another one that waits."""
    house = world.house
    control = _control(house.system, "si-2")
    seen, waits = (
        record_observation(
            control,
            source=f"Test {number}",
            text="It failed.",
            observed_on=TODAY - DAY,
            by=house.oscar,
        )
        for number in (1, 2)
    )
    finding = record_finding(
        control,
        title="Patches late",
        text="By a week.",
        source="Scan",
        severity="low",
        found_on=TODAY - DAY,
        by=house.oscar,
    )
    _name(world, seen, "observation", "observation_dispose", "observation-detail")
    _name(world, seen, "observation-dispositions")
    _name(world, finding, "finding", "finding_dispose", "finding-detail")
    _name(world, finding, "finding-dispositions")
    _name(world, _imported(house), "finding-import-detail")
    asked = request_disposition(
        waits, kind="explained", text="A test account.", by=house.oscar
    )
    _name(world, asked, "disposition_decide", "disposition-detail")
    _name(world, asked, "disposition-decide")


def _imported(house: House) -> FindingImport:
    """A file of findings, recorded."""
    text = (
        "finding id,account,status,timestamp,control\n"
        "f-1,111122223333,FAILED,2026-11-20T10:00Z,si-2\n"
    )
    body = text.encode()
    seen = preview_import(
        house.system,
        io.BytesIO(body),
        "findings.csv",
        len(body),
        accounts="111122223333",
        by=house.oscar,
    )
    imported = confirm_import(house.system, seen.token, by=house.oscar)
    IdempotencyKey.objects.all().delete()  # a world begins without any
    return imported


def _responses(world: World) -> None:
    """A response that waits, and an item that nobody has responded to."""
    system = world.house.system
    window = (system.window_start, system.window_end)
    control = _control(system, "cm-8")
    answered, open_one = (
        row.item
        for row in items_answered(
            system, Moment(TODAY), window, implementations=[control]
        )[:2]
    )
    response = respond(
        control,
        answered.key,
        window,
        cause="The tool was down.",
        effect="None.",
        measures="It was mended.",
        owner="Platform",
        by=world.house.oscar,
    )
    _name(world, response, "response_decide", "response-detail", "response-decide")
    world.named["response_new"] = {"ref_id": "cm-8", "key": open_one.key}


def _provider(world: World) -> None:
    house = world.house
    body = b"Control ID,Responsibility,Description\nPE-3,Inherited,Guards.\n"
    read = read_statements(_upload(body), "said.csv")
    assert preview(house.system, read, today=TODAY).stated
    document = request_adoption(
        house.system,
        read,
        title="Summary",
        reference="R-1",
        starts_on=TODAY,
        by=house.oscar,
        today=TODAY,
    )
    approve_change(document.change, by=house.olivia, today=TODAY)
    _name(world, document, "provider_document", "provider_document_end")
    _name(world, document, "provider-document-detail", "provider-document-end")
    for view in ("provider_preview", "provider_adopt", "numbers_preview",
                 "numbers_adopt", "finding_import_preview",
                 "finding_import_confirm"):  # fmt: skip
        world.named[view] = {"token": uuid.uuid4()}
    numbers = b"Control,Number\nPE-3,CC6.4\n"
    crosswalk = adopt_numbers(
        house.system,
        read_crosswalk(_upload(numbers), "numbers.csv"),
        title="SOC 2",
        starts_on=TODAY,
        by=house.olivia,
        today=TODAY,
    )
    _name(world, crosswalk, "crosswalk-detail")
    world.named["number"] = {"number": "CC6.4"}
    run = BulkActRun.objects.create(
        system=house.system,
        asked_by=house.olivia,
        act="cadence",
        rows=[[1, "shown"]],
        results=[["CM-8", "Inventory", "done", "Grace becomes 5 days."]],
        done_rows=1,
        sentence="1 ask is monthly from today.",
        back="/systems/shop/controls/",
        state="done",
    )
    _name(world, run, "bulk_run")


def _upload(body: bytes) -> Any:
    return houses.file("said.csv", body)


def _rest(world: World) -> None:
    house = world.house
    export = request_export(house.system, by=house.oscar, on=TODAY)
    for view in ("export_download", "export_cancel", "export_delete", "export-detail",
                 "export-file"):  # fmt: skip
        _name(world, export, view)
    notice = Notice.objects.create(user=house.oscar, kind="due-soon", key="walk")
    for view in ("notice", "notice_read", "notice-detail", "notice-read"):
        _name(world, notice, view)
    saved = save_filter(house.system, "Changes", {"family": "cm"}, by=house.olivia)
    for view in ("saved_filter_rename", "saved_filter_delete", "saved-filter-detail"):
        _name(world, saved, view)
    token, _ = AuthToken.objects.create(house.oscar)
    kept = TokenScope.objects.create(token=token, name="cli", scope="read")
    _name(world, kept, "token-detail")
    world.named |= {view: {"slug": "s3"} for view in ("service-detail",)}
    world.named |= {"baseline-detail": {"slug": "four"}}
