"""The verbs of the product: for each, who may take it, by which doors, shown where.

One file: one table, in which a verb without a rule or a door is seen at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from controls import access
from controls.models import (
    AlternativeImplementation,
    ApplicabilityDecision,
    ControlImplementation,
    EndRequest,
    Engagement,
    ResponsibilityOverride,
    RetrospectiveChange,
    System,
    User,
)
from evidence.artifacts.citation_decisions import (
    citation_standings,
    require_citation_reviewer,
)
from evidence.artifacts.letters import require_letter_reviewer
from evidence.artifacts.reliance import require_reliance_reviewer
from evidence.artifacts.remark_answers import require_decider
from evidence.engagements import who_may as audits
from evidence.files import legal_holds
from evidence.files import who_may as files
from evidence.findings import who_may as findings
from evidence.findings.responses import may_decide_response
from evidence.held_reports.removal import may_decide_report_removal
from evidence.held_reports.who_may import (
    is_keeper,
    may_clear_report,
    may_open_report,
    may_take_back,
)
from evidence.models import (
    ArtifactVersion,
    Citation,
    ContinuityLetter,
    Disposition,
    Evidence,
    EvidenceFile,
    EvidenceLink,
    EvidenceRequest,
    Export,
    FailingObservation,
    Finding,
    ItemResponse,
    LegalHold,
    Population,
    RemarkAnswer,
    ReportFile,
    ReportFileRemoval,
    ReportRelease,
    RequirementControl,
    Sample,
    SpillRemoval,
)
from evidence.populations import who_may as populations
from evidence.requests import who_may as requests
from evidence.submissions import who_may as submissions
from tests import factories
from tests.access.world import World

REFUSED = {401, 403, 404}
May = Callable[[World, User], bool]


@dataclass(frozen=True)
class Verb:
    """A step, who may take it, and where.

    `doors` are the views of page and API that take it by POST (or by the method named
    before a space). `shown` are pages that offer it to exactly those who may, by the
    address of the first door or by the text after a space.
    """

    name: str
    may: May
    doors: tuple[str, ...]
    shown: tuple[str, ...] = ()
    refused: frozenset[int] = frozenset(REFUSED)


def _row(model: Any, view: str) -> Callable[[World], Any]:
    return lambda world: model.objects.get(uuid=world.named[view]["uuid"])


def _officer(world: World, by: User) -> bool:
    return access.is_officer(by, world.house.system)


def _of(rule: Callable[..., bool], find: Callable[[World], Any]) -> May:
    """A rule about one object."""
    return lambda world, by: rule(find(world), by=by)


def _does_not_raise(require: Callable[..., None]) -> Callable[..., bool]:
    def may(*about: Any, **by: Any) -> bool:
        try:
            require(*about, **by)
        except access.NotPermitted:
            return False
        return True

    return may


def _asked_for(model: Any, view: str) -> May:
    """Who made the request, and is an officer still."""
    find = _row(model, view)
    return lambda world, by: access.may_withdraw(find(world), world.house.system, by)


def _reviews(world: World, by: User) -> bool:
    link = EvidenceLink.objects.filter(uuid=world.named["accept"]["uuid"])
    return bool(link.reviewable_by(by).exists())


def _relies(world: World, by: User) -> bool:
    version = _row(ArtifactVersion, "reliance")(world)
    review = _does_not_raise(require_reliance_reviewer)
    return review(world.house.system, version, by=by)


def _takes_back(world: World, by: User) -> bool:
    """Of a release that the person sees at all: it is of an audit of a system."""
    seen = ReportRelease.objects.visible_to(by)
    release = seen.filter(uuid=world.named["report_take_back"]["uuid"]).first()
    return release is not None and may_take_back(release, by)


def _decides_letter(world: World, by: User) -> bool:
    letter = _row(ContinuityLetter, "letter_decide")(world)
    review = _does_not_raise(require_letter_reviewer)
    return review(letter, world.house.system, by=by)


def _decides_citation(world: World, by: User) -> bool:
    citation = Citation.objects.get(uuid=world.late_citation)
    (standing,) = citation_standings(Citation.objects.filter(pk=citation.pk))
    return _does_not_raise(require_citation_reviewer)(standing, by=by)


def _decides(model: Any, view: str) -> May:
    """The rule about a request that a second officer decides."""

    def may(world: World, by: User) -> bool:
        request = _row(model, view)(world)
        return access.may_decide(request, request.implementation.system, by)

    return may


def _describes_some(world: World, by: User) -> bool:
    controls = ControlImplementation.objects.describable_by(by)
    return bool(controls.filter(system=world.house.system).exists())


def _reads(world: World, by: User) -> bool:
    return bool(System.objects.visible_to(by).filter(slug="shop").exists())


REVISES = _of(submissions.may_revise, _row(Evidence, "evidence"))
DRAWS = _of(populations.may_draw, _row(Population, "population"))
VERBS = (
    Verb(
        "upload",
        _of(submissions.may_submit_for, _row(RequirementControl, "upload")),
        ("evidence:upload", "evidence-list", "ask-evidence"),
        ("evidence:control cm-8",),
    ),
    Verb(
        "submit a draft",
        REVISES,
        ("evidence:submit_draft", "evidence-submit"),
        ("evidence:evidence draft",),
    ),
    Verb(
        "correct",
        REVISES,
        ("evidence:revision_new", "evidence-revise"),
        ("evidence:evidence",),
    ),
    Verb(
        "attach",
        REVISES,
        ("evidence:attach", "evidence-attach"),
        ("evidence:evidence",),
    ),
    Verb(
        "withdraw",
        REVISES,
        ("evidence:withdraw", "evidence-withdraw", "GET evidence-if-withdrawn"),
        ("evidence:evidence",),
    ),
    Verb(
        "review",
        _reviews,
        (
            "evidence:decide", "evidence:accept", "evidence:reject",
            "evidence-accept", "evidence-reject",
        ),
        ("evidence:queue", "evidence:work"),
    ),
    Verb("re-confirm", _reviews, ("evidence:reconfirm", "evidence-reconfirm")),
    Verb(
        "answer a request",
        _of(requests.may_answer, _row(EvidenceRequest, "request")),
        ("evidence:request_answer", "request-answer"),
        ("evidence:request",),
    ),
    Verb(
        "decide on an answer",
        _of(requests.may_decide_answer, _row(EvidenceRequest, "request_judge")),
        ("evidence:request_judge", "request-accept", "request-send-back"),
        ("evidence:request answered",),
    ),
    Verb(
        "invite somebody",
        _officer,
        ("evidence:people_invite", "invitation-list"),
        ("evidence:people",),
    ),
    Verb(
        "send an invitation again, or withdraw it",
        _officer,
        ("evidence:invitation_send", "evidence:invitation_withdraw",
         "invitation-send-again", "invitation-withdraw"),
        ("evidence:people",),
    ),
    Verb(
        "change the days of a role, end it, hand over what waits",
        _officer,
        ("evidence:role_days", "evidence:role_end", "evidence:role_hand_over",
         "PATCH person-detail", "person-end", "person-hand-over",
         "person-hand-over-preview"),
    ),
    Verb(
        "record an audit, renew and end it",
        _officer,
        ("evidence:engagement_new", "evidence:engagement_renew",
         "evidence:engagement_end", "evidence:engagement_scope", "engagement-list",
         "PATCH engagement-detail", "engagement-renew", "engagement-end",
         "PUT engagement-scope", "evidence:engagement_add_system",
         "evidence:engagement_take_out", "engagement-add-system",
         "engagement-take-out"),
    ),
    Verb(
        "mark controls and test samples in an audit",
        lambda world, by: audits.may_mark(
            Engagement.objects.get(uuid=world.named["mark"]["uuid"]), by=by
        ),
        ("evidence:mark", "evidence:marks_save", "evidence:results_save", "mark-list",
         "PATCH mark-detail", "tested-item-list", "PATCH tested-item-detail"),
    ),
    Verb(
        "send the list of requests of an audit",
        lambda world, by: requests.may_list(
            Engagement.objects.get(uuid=world.named["request_list"]["uuid"]), by
        ),
        ("POST evidence:request_list", "evidence:request_list_confirm",
         "audit-request-list-plan", "audit-request-list-confirm"),
    ),
    Verb(
        "ask to close a window, and take that back",
        _officer,
        ("evidence:closing_request", "evidence:closing_withdraw", "closing-list",
         "closing-withdraw"),
    ),
    Verb(
        "close a window, or leave it open",
        lambda world, by: audits.may_mark(
            Engagement.objects.get(uuid=world.named["closing"]["uuid"]), by=by
        ),
        ("evidence:closing_decide", "closing-confirm", "closing-refuse"),
    ),
    Verb(
        "ask for evidence",
        lambda world, by: requests.may_request(world.house.system, by),
        ("evidence:request_new", "request-list"),
        ("evidence:dashboard", "evidence:control cm-8"),
    ),
    Verb(
        "tailor a requirement",
        _officer,
        ("evidence:requirement_edit", "evidence:requirement_new",
         "evidence:requirement_retire", "evidence:requirement_templates",
         "requirement-list", "PUT requirement-detail", "requirement-retire",
         "requirement-apply-templates", "evidence:join_asks",
         "evidence:join_preview", "evidence:ask_split", "evidence:ask_add",
         "POST ask-list", "ask-split", "ask-controls"),
        ("evidence:requirements",),
    ),
    Verb(
        "decide an override",
        _decides(ResponsibilityOverride, "override_decide"),
        ("evidence:override_decide", "override-approve", "override-refuse"),
        ("evidence:control pe-3", "evidence:work"),
    ),
    Verb(
        "decide not applicable",
        _decides(ApplicabilityDecision, "na_decide"),
        ("evidence:na_decide", "not-applicable-approve", "not-applicable-refuse"),
        ("evidence:control ac-1", "evidence:work"),
    ),
    Verb(
        "decide an early end",
        _decides(EndRequest, "end_decide"),
        ("evidence:end_decide", "end-request-approve", "end-request-refuse"),
        ("evidence:control pe-3", "evidence:work"),
    ),
    Verb(
        "decide a change in retrospect",
        lambda world, by: access.may_decide(
            _row(RetrospectiveChange, "retrospective")(world), world.house.system, by
        ),
        ("evidence:retrospective_decide", "retrospective-change-approve",
         "retrospective-change-refuse"),
        ("evidence:retrospective", "evidence:work"),
    ),
    Verb(
        "decide an alternative",
        _decides(AlternativeImplementation, "alternative_decide"),
        ("evidence:alternative_decide", "alternative-approve", "alternative-refuse"),
        ("evidence:control si-2", "evidence:work"),
    ),
    Verb(
        "ask to meet a control in another way",
        _officer,
        ("evidence:alternative_request", "alternative-list"),
        ("evidence:control cm-8",),
    ),
    Verb(
        "end an alternative",
        _officer,
        ("evidence:alternative_end", "alternative-end"),
    ),
    Verb(
        "change how far a control was",
        _officer,
        ("evidence:status_in_retrospect", "implementation-status-earlier"),
        ("evidence:control cm-8",),
    ),
    Verb(
        "say how far many controls are",
        _describes_some,
        ("evidence:status_of_many", "evidence:status_of_many_confirm",
         "implementation-status-preview", "implementation-status-confirm"),
        ("evidence:controls",),
    ),
    Verb(
        "name the owner of many controls",
        _officer,
        ("evidence:owner_of_many", "evidence:owner_of_many_confirm",
         "evidence:bulk_choose", "evidence:bulk_act", "evidence:bulk_act_confirm"),
        ("evidence:controls",),
    ),
    Verb(
        "ask for another class",
        _officer,
        ("evidence:override_request", "override-list"),
        ("evidence:control cm-8",),
    ),
    Verb(
        "ask to leave a control out",
        _officer,
        ("evidence:na_request", "not-applicable-list"),
        ("evidence:control cm-8",),
    ),
    Verb(
        "describe a control",
        lambda world, by: access.may_describe(
            factories.implementation(world.house.system, "cm-8"), by
        ),
        ("evidence:control_describe", "PATCH system-control"),
        ("evidence:control cm-8",),
    ),
    Verb(
        "register an artifact",
        lambda world, by: access.may_keep_register(by),
        ("evidence:artifact_new", "artifact-list"),
        ("evidence:artifacts",),
    ),
    Verb(
        "import what a report expects of us",
        lambda world, by: access.may_keep_register(by),
        (
            "evidence:version_user_controls",
            "user-control-preview",
            "evidence:version_user_controls_import",
            "user-control-import-list",
        ),
    ),
    Verb(
        "say what a report speaks to",
        lambda world, by: access.may_keep_register(by),
        (
            "evidence:version_coverage",
            "coverage-list",
            "evidence:version_coverage_preview",
            "coverage-preview",
            "evidence:version_coverage_import",
            "coverage-import-list",
            "evidence:version_coverage_begin",
            "coverage-copy-forward",
            "coverage-propose",
            "evidence:version_coverage_lines",
            "coverage-confirm",
            "coverage-remove",
        ),
    ),
    Verb(
        "keep the file of a report",
        lambda world, by: is_keeper(_row(ArtifactVersion, "report_hold")(world), by),
        ("evidence:report_hold", "report-file-list", "evidence:disclosure_new",
         "disclosure-list", "evidence:report_remove", "report-file-remove",
         "evidence:report_fetch_new",
         "report-fetch-list", "evidence:report_fetch", "report-fetch-accept",
         "evidence:report_release", "report-file-release"),
        ("evidence:report_document",),
    ),
    Verb(
        "open the file of a report",
        _of(may_open_report, _row(ReportFile, "report_term")),
        ("evidence:report_term", "report-file-term"),
    ),
    Verb(
        "clear the file of a report",
        _of(may_clear_report, _row(ReportFile, "report_clear")),
        ("evidence:report_clear", "report-file-clear"),
    ),
    Verb(
        "take back the release of a report",
        _takes_back,
        ("evidence:report_take_back", "report-release-take-back"),
        ("evidence:report_document",),
    ),
    Verb(
        "decide that the file of a report goes",
        _of(
            may_decide_report_removal,
            _row(ReportFileRemoval, "report_removal_decide"),
        ),
        ("evidence:report_removal_decide", "report-removal-approve",
         "report-removal-refuse"),
        ("evidence:report_document",),
    ),
    Verb(
        "answer what a report says",
        _officer,
        ("evidence:remark_answer", "remark-answers"),
    ),
    Verb(
        "decide on an answer to a report",
        lambda world, by: _does_not_raise(require_decider)(
            _row(RemarkAnswer, "remark_decide")(world), by=by
        ),
        ("evidence:remark_decide", "remark-answer-decide"),
    ),
    Verb(
        "record what was seen to fail",
        lambda world, by: findings.may_record(world.house.system, by),
        ("evidence:observation_new", "observation-list"),
        ("evidence:control cm-8",),
    ),
    Verb(
        "import findings",
        lambda world, by: findings.may_record(world.house.system, by),
        ("evidence:finding_import_upload", "finding-import-list",
         "finding-import-preview"),
        ("evidence:finding_imports",),
    ),
    Verb(
        "write a finding",
        lambda world, by: findings.may_record(world.house.system, by),
        ("evidence:finding_new", "finding-list"),
        ("evidence:control cm-8",),
    ),
    Verb(
        "explain an observation",
        lambda world, by: findings.may_ask_for(
            _row(FailingObservation, "observation")(world), by
        ),
        ("evidence:observation_dispose", "observation-dispositions"),
        ("evidence:observation",),
    ),
    Verb(
        "ask to close a finding",
        lambda world, by: findings.may_ask_for(_row(Finding, "finding")(world), by),
        ("evidence:finding_dispose", "finding-dispositions"),
        ("evidence:finding",),
    ),
    Verb(
        "decide what is made of a finding",
        _of(findings.may_decide, _row(Disposition, "disposition_decide")),
        ("evidence:disposition_decide", "disposition-decide"),
    ),
    Verb(
        "respond to an item",
        lambda world, by: access.may_describe(
            factories.implementation(world.house.system, "cm-8"), by
        ),
        ("evidence:response_new", "api_responses"),
        ("evidence:responses", "evidence:control cm-8"),
    ),
    Verb(
        "decide on a response",
        _of(may_decide_response, _row(ItemResponse, "response_decide")),
        ("evidence:response_decide", "response-decide"),
    ),
    Verb(
        "review reliance",
        _relies,
        ("evidence:reliance", "artifact-version-reliance"),
    ),
    Verb(
        "decide on a letter",
        _decides_letter,
        ("evidence:letter_decide", "letter-decisions"),
    ),
    Verb(
        "decide on a citation",
        _decides_citation,
        ("evidence:citations_decide", "citation-decisions"),
    ),
    Verb(
        "bring a population",
        _of(
            populations.may_submit_population,
            _row(RequirementControl, "population_new"),
        ),
        ("evidence:population_new", "population-list"),
        ("evidence:populations", "evidence:control si-2"),
    ),
    Verb(
        "review a population",
        _of(populations.may_review_population, _row(Population, "population_judge")),
        ("evidence:population_judge", "population-accept", "population-reject"),
        ("evidence:population waiting",),
    ),
    Verb(
        "draw a sample",
        DRAWS,
        ("evidence:sample_draw", "population-draw"),
        ("evidence:population",),
    ),
    Verb(
        "record a deviation",
        _of(populations.may_record_deviation, _row(Sample, "sample")),
        ("evidence:deviation_new", "sample-deviations"),
        ("evidence:sample",),
    ),
    Verb(
        "clear a flagged file",
        _of(files.may_clear, _row(EvidenceFile, "file_clear")),
        ("evidence:file_clear", "file-clear"),
        ("evidence:evidence flagged",),
    ),
    Verb(
        "take back the request for an override",
        _asked_for(ResponsibilityOverride, "override_decide"),
        ("override-withdraw",),
        ("evidence:control pe-3",),
    ),
    Verb(
        "take back the request for not applicable",
        _asked_for(ApplicabilityDecision, "na_decide"),
        ("not-applicable-withdraw",),
        ("evidence:control ac-1",),
    ),
    Verb(
        "take back the request for an early end",
        _asked_for(EndRequest, "end_decide"),
        ("end-request-withdraw",),
        ("evidence:control pe-3",),
    ),
    Verb(
        "take back the request for an alternative",
        _asked_for(AlternativeImplementation, "alternative_decide"),
        ("alternative-withdraw",),
        ("evidence:control si-2",),
    ),
    Verb(
        "take back the request for a change in retrospect",
        _asked_for(RetrospectiveChange, "retrospective"),
        ("retrospective-change-withdraw",),
        ("evidence:retrospective",),
    ),
    Verb(
        "take back the request for a removal",
        _asked_for(SpillRemoval, "removal_decide"),
        ("removal-withdraw",),
        ("evidence:removal",),
    ),
    Verb(
        "take back the request to take a held file away",
        lambda world, by: (
            _row(ReportFileRemoval, "report_removal_decide")(world).requested_by == by
        ),
        ("report-removal-withdraw",),
    ),
    Verb(
        "ask for a removal",
        _of(files.may_request_removal, _row(EvidenceFile, "removal_new")),
        ("evidence:removal_new", "file-remove"),
        ("evidence:evidence flagged",),
    ),
    Verb(
        "decide a removal",
        _of(files.may_decide_removal, _row(SpillRemoval, "removal_decide")),
        ("evidence:removal_decide", "removal-approve", "removal-refuse"),
        ("evidence:removal",),
    ),
    Verb(
        "keep evidence for another time",
        _officer,
        ("evidence:retention", "api_retention"),
        ("evidence:retention",),
    ),
    Verb(
        "place a legal hold",
        _officer,
        ("evidence:hold_new", "legal-hold-list"),
        ("evidence:retention",),
    ),
    Verb(
        "lift a legal hold",
        _of(legal_holds.may_lift, _row(LegalHold, "hold_lift")),
        ("evidence:hold_lift", "legal-hold-lift"),
        ("evidence:retention",),
    ),
    Verb(
        "export",
        _reads,
        ("evidence:export_request", "export-list"),
        refused=frozenset(REFUSED | {400}),
    ),
    Verb(
        "take or delete the file of an export",
        lambda world, by: _row(Export, "export_delete")(world).requested_by == by,
        ("evidence:export_delete", "DELETE export-detail"),
    ),
    Verb(
        "import a provider's document",
        _officer,
        ("evidence:provider_upload", "provider-document-list",
         "provider-document-preview"),
        ("evidence:provider",),
    ),
    Verb(
        "acknowledge a team's duties",
        lambda world, by: access.may_acknowledge(
            world.house.system, world.house.team, by
        ),
        ("evidence:duties_acknowledge", "api_acknowledgements"),
        ("evidence:matrix",),
    ),
    Verb(
        "import the regime's numbers",
        _officer,
        ("evidence:numbers_upload", "crosswalk-list", "crosswalk-preview"),
        ("evidence:numbers",),
    ),
    Verb(
        "describe a system",
        lambda world, by: access.may_describe_systems(by),
        ("evidence:system_new", "system-list"),
        ("evidence:systems",),
    ),
    Verb(
        "import the official text of the controls",
        lambda world, by: access.is_installation_officer(by),
        ("evidence:control_text",),
        ("evidence:systems",),
    ),
    Verb(
        "import what AWS publishes about its services",
        lambda world, by: access.is_installation_officer(by),
        ("evidence:published_services",),
        ("evidence:systems",),
    ),
    Verb(
        "take a component into use",
        _officer,
        ("evidence:component_add", "component-list", "component-end",
         "evidence:component_days", "component-days",
         "evidence:regions", "component-regions", "evidence:services_change",
         "api_services_preview", "api_services_confirm"),
        ("evidence:components",),
    ),
    Verb(
        "change what a system is judged by",
        _officer,
        ("evidence:system_terms", "system-terms-list"),
        ("evidence:system_terms",),
    ),
    Verb(
        "change the days of an audit window",
        _officer,
        ("evidence:window_days",),
        ("evidence:window",),
    ),
    Verb(
        "roll forward",
        _officer,
        ("evidence:roll_forward", "api_roll_forward"),
        ("evidence:dashboard",),
    ),
)  # fmt: skip
