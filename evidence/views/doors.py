"""The page that an address belongs to which takes forms only.

Reloaded, or come back to after signing in, such an address leads to its page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from controls.models import (
    AlternativeImplementation,
    ApplicabilityDecision,
    EndRequest,
    ResponsibilityOverride,
)
from evidence.models import (
    Citation,
    ContinuityLetter,
    Disposition,
    EvidenceFile,
    EvidenceLink,
    ItemResponse,
    ListedReport,
    RemarkAnswer,
    ReportFile,
    ReportFileRemoval,
    ReportRelease,
    SampleItem,
)
from srm_project.kept_forms import let_go
from srm_project.requests import SignedInRequest

Address = Callable[..., str]


def _page(view: str, *names: str) -> Address:
    """A page whose address has these parts of the door's."""

    def address(user: Any, **parts: Any) -> str:
        return reverse(f"evidence:{view}", kwargs={name: parts[name] for name in names})

    return address


def _page_of(model: Any, where: Callable[[Any], str], *related: str) -> Address:
    """The page on which a row stands; 404 for who may not read it."""

    def address(user: Any, *, uuid: Any, **parts: Any) -> str:
        rows = model.objects.visible_to(user).select_related(*related)
        return where(get_object_or_404(rows, uuid=uuid))

    return address


def _control(row: Any) -> str:
    control = row.implementation
    return reverse(
        "evidence:control", args=[control.system.slug, control.control.ref_id]
    )


def _artifact(artifact: Any) -> str:
    return reverse("evidence:artifact", args=[artifact.uuid])


def _evidence(row: Any) -> str:
    return reverse("evidence:evidence", args=[row.revision.evidence.uuid])


def _disposition(disposition: Any) -> str:
    view = "finding" if disposition.finding else "observation"
    return reverse(f"evidence:{view}", args=[disposition.subject.uuid])


def _document(listed: Any) -> str:
    if listed.artifact_version is None:
        return reverse("evidence:artifact_sync")
    return reverse("evidence:report_document", args=[listed.artifact_version.uuid])


def _of_held_file(model: Any) -> Address:
    """The page of the report whose held file a row is about."""

    def where(row: Any) -> str:
        report = row.file.artifact_version
        return reverse("evidence:report_document", args=[report.uuid])

    return _page_of(model, where, "file__artifact_version")


OF_CONTROL = ("implementation__system", "implementation__control")
_components = _page("components", "slug")
_of_control = _page("control", "slug", "ref_id")
_controls = _page("controls", "slug")
_request = _page("request", "uuid")
_population = _page("population", "uuid")
_of_held = _page_of(ReportFile, _document, "artifact_version")
_of_link = _page_of(EvidenceLink, _evidence, "revision__evidence")
_of_override = _page_of(ResponsibilityOverride, _control, *OF_CONTROL)
_of_exclusion = _page_of(ApplicabilityDecision, _control, *OF_CONTROL)
_of_alternative = _page_of(AlternativeImplementation, _control, *OF_CONTROL)
PAGES: dict[str, Address] = {
    "report_clear": _of_held,
    "report_release": _of_held,
    "report_remove": _of_held,
    "report_take_back": _of_held_file(ReportRelease),
    "report_removal_decide": _of_held_file(ReportFileRemoval),
    "report_fetch_new": _page_of(ListedReport, _document, "artifact_version"),
    "listed_place": _page("artifact_sync"),
    "version_scope_confirm": _page("version_scope", "uuid"),
    "version_user_controls_import": _page("version_user_controls", "uuid"),
    "version_coverage_preview": _page("version_coverage", "uuid"),
    "version_coverage_import": _page("version_coverage", "uuid"),
    "version_coverage_begin": _page("version_coverage", "uuid"),
    "version_coverage_lines": _page("version_coverage", "uuid"),
    "component_add": _components,
    "services_change": _page("what_if", "slug"),
    "discovery_accept": _page("discovery", "slug"),
    "component_end": _components,
    "component_days": _components,
    "retrospective_decide": _page("retrospective", "uuid"),
    "event_log_csv": _page("event_log", "slug"),
    "people_invite": _page("people", "slug"),
    "invitation_send": _page("people", "slug"),
    "invitation_withdraw": _page("people", "slug"),
    "engagement_new": _page("engagements", "slug"),
    "engagement_renew": _page("engagement_access", "slug", "uuid"),
    "engagement_end": _page("engagement_access", "slug", "uuid"),
    "engagement_add_system": _page("engagement_access", "slug", "uuid"),
    "engagement_take_out": _page("engagement_access", "slug", "uuid"),
    "closing_request": _page("closing", "uuid"),
    "closing_decide": _page("closing", "uuid"),
    "closing_withdraw": _page("closing", "uuid"),
    "results_save": _page("audit_sample", "uuid", "sample"),
    "request_list_confirm": _page("request_list", "uuid"),
    "marks_save": _page("audit_controls", "uuid"),
    "role_days": _page("role", "slug", "uuid"),
    "role_end": _page("role", "slug", "uuid"),
    "role_hand_over": _page("role", "slug", "uuid"),
    "control_describe": _of_control,
    "status_in_retrospect": _of_control,
    "status_of_many": _controls,
    "status_of_many_confirm": _controls,
    "bulk_choose": _controls,
    "saved_filter_rename": _page("saved_filters", "slug"),
    "saved_filter_delete": _page("saved_filters", "slug"),
    "bulk_act_confirm": _controls,
    "owner_of_many": _controls,
    "owner_of_many_confirm": _controls,
    "alternative_request": _of_control,
    "alternative_decide": _of_alternative,
    "alternative_end": _of_alternative,
    "override_request": _of_control,
    "override_decide": _of_override,
    "override_settle": _of_override,
    "na_request": _of_control,
    "na_decide": _of_exclusion,
    "na_end": _of_exclusion,
    "end_decide": _page_of(EndRequest, _control, *OF_CONTROL),
    "notices_read": _page("notices"),
    "notice_read": _page("notices"),
    "request_answer": _request,
    "request_judge": _request,
    "requirement_retire": _page("requirement_edit", "slug", "uuid"),
    "ask_split": _page("ask", "slug", "uuid"),
    "ask_add": _page("ask", "slug", "uuid"),
    "token_revoke": _page("tokens"),
    "population_confirm": _page("population_new", "uuid"),
    "population_judge": _population,
    "sample_draw": _population,
    "deviation_new": _page_of(
        SampleItem,
        lambda item: reverse("evidence:sample", args=[item.sample.uuid]),
        "sample",
    ),
    "duties_acknowledge": _page("matrix", "slug"),
    "finding_import_upload": _page("finding_imports", "slug"),
    "finding_import_confirm": _page("finding_import_preview", "slug", "token"),
    "numbers_upload": _page("numbers", "slug"),
    "numbers_adopt": _page("numbers_preview", "slug", "token"),
    "provider_upload": _page("provider", "slug"),
    "provider_adopt": _page("provider_preview", "slug", "token"),
    "provider_document_end": _page("provider_document", "uuid"),
    "bulk_confirm": _page("bulk", "slug"),
    "accept": _page("queue"),
    "reject": _page("queue"),
    "submit_draft": _of_link,
    "reconfirm": _of_link,
    "file_clear": _page_of(EvidenceFile, _evidence, "revision__evidence"),
    "removal_decide": _page("removal", "uuid"),
    "letter_decide": _page_of(
        ContinuityLetter,
        lambda letter: _artifact(letter.artifact_version.artifact),
        "artifact_version__artifact",
    ),
    "citation_remove": _page_of(
        Citation, lambda citation: _artifact(citation.artifact), "artifact"
    ),
    "citations_decide": _page("work"),
    "remark_decide": _page_of(
        RemarkAnswer,
        lambda answer: _artifact(answer.remark.artifact_version.artifact),
        "remark__artifact_version__artifact",
    ),
    "disposition_decide": _page_of(
        Disposition,
        _disposition,
        "finding",
        "observation",
    ),
    "response_decide": _page_of(
        ItemResponse,
        lambda response: reverse("evidence:responses", args=[response.system.slug]),
        "system",
    ),
    "export_request": _page("exports"),
    "export_cancel": _page("exports"),
    "kept_again": _page("exports"),
    "export_delete": _page("exports"),
    "kept_form_let_go": _page("work"),
}


class PageOfDoorMiddleware:
    """Leads a GET of an address that takes forms only to the page of the form."""

    def __init__(self, following: Callable[[HttpRequest], HttpResponse]) -> None:
        self.following = following

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on."""
        return self.following(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """The redirect; None for every other address and method."""
        match = request.resolver_match
        if request.method not in {"GET", "HEAD"} or match is None:
            return None
        page = PAGES.get(match.url_name or "")
        if page is None or match.namespaces != ["evidence"]:
            return None
        return redirect(page(request.user, **kwargs))


@require_POST
def kept_form_let_go(request: SignedInRequest) -> HttpResponse:
    """Forget the form that was kept while its sender was signed out."""
    let_go(request)
    return redirect("evidence:work")
