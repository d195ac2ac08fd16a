"""Routes of `/api/v1/`."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from controls.api.urls import router as controls_router
from evidence.api.alternatives import AlternativeViewSet
from evidence.api.artifact_syncs import ArtifactSyncViewSet, ListedReportViewSet
from evidence.api.artifacts import ArtifactViewSet
from evidence.api.asks import AskViewSet
from evidence.api.bulk import BulkViewSet
from evidence.api.burden import BurdenView
from evidence.api.calendar import CalendarView, RollForwardView
from evidence.api.citations import CitationViewSet
from evidence.api.closings import ClosingViewSet
from evidence.api.components import ComponentViewSet
from evidence.api.control_text import ControlTextView
from evidence.api.coverage import CoverageViewSet
from evidence.api.crosswalks import CrosswalkViewSet
from evidence.api.disclosures import DisclosureViewSet
from evidence.api.discovery import DiscoveryAcceptView, DiscoveryView
from evidence.api.early_ends import EndRequestViewSet
from evidence.api.engagements import EngagementViewSet
from evidence.api.evidence import LinkViewSet
from evidence.api.exports import ExportViewSet
from evidence.api.finding_imports import FindingImportViewSet
from evidence.api.findings import (
    DispositionViewSet,
    FindingViewSet,
    ObservationViewSet,
)
from evidence.api.implementation_status import ImplementationStatusViewSet
from evidence.api.letters import LetterViewSet
from evidence.api.marks import MarkViewSet, TestedItemViewSet
from evidence.api.matrix import AcknowledgementsView, MatrixViewSet
from evidence.api.not_applicable import NotApplicableViewSet
from evidence.api.notices import NoticePreferenceView, NoticeViewSet
from evidence.api.occurrences import OccurrencesView
from evidence.api.overrides import OverrideViewSet
from evidence.api.people import InvitationViewSet, PeopleViewSet
from evidence.api.populations import PopulationViewSet
from evidence.api.provider_documents import ProviderDocumentViewSet
from evidence.api.provider_window import ProviderWindowView
from evidence.api.remarks import RemarkAnswerViewSet, RemarkViewSet
from evidence.api.removals import FileViewSet, RemovalViewSet
from evidence.api.report_fetches import ReportFetchViewSet
from evidence.api.report_files import (
    ReportFileViewSet,
    ReportReleaseViewSet,
    ReportRemovalViewSet,
)
from evidence.api.reports import ArtifactVersionViewSet
from evidence.api.request_list import RequestListViewSet
from evidence.api.requests import EvidenceRequestViewSet
from evidence.api.requirements import RequirementViewSet
from evidence.api.rereading import RereadingView
from evidence.api.responses import ItemsView, ResponseViewSet
from evidence.api.retention import LegalHoldViewSet, RetentionViewSet
from evidence.api.retrospect import RetrospectiveChangeViewSet
from evidence.api.samples import SampleViewSet
from evidence.api.saved_filters import SavedFilterViewSet
from evidence.api.search import SearchView
from evidence.api.system_terms import SystemTermsViewSet
from evidence.api.systems import DescribedSystemViewSet
from evidence.api.trend import TrendView
from evidence.api.user_controls import (
    ExpectedOfProvidersView,
    ExpectedUserControlsView,
    UserControlImportViewSet,
)
from evidence.api.what_if import (
    ServicesConfirmView,
    ServicesPreviewView,
    WhatIfView,
)
from evidence.api.windows import WindowView

UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
router = SimpleRouter()
router.register("systems", DescribedSystemViewSet, basename="system")
router.register("requests", EvidenceRequestViewSet, basename="request")
router.register(
    r"engagements/(?P<uuid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/request-list",
    RequestListViewSet,
    basename="audit-request-list",
)
router.register("requirements", RequirementViewSet, basename="requirement")
router.register("asks", AskViewSet, basename="ask")
router.register("populations", PopulationViewSet, basename="population")
router.register("samples", SampleViewSet, basename="sample")
router.register("evidence", LinkViewSet, basename="evidence")
router.register("files", FileViewSet, basename="file")
router.register("removals", RemovalViewSet, basename="removal")
router.register("report-files", ReportFileViewSet, basename="report-file")
router.register("report-releases", ReportReleaseViewSet, basename="report-release")
router.register("report-removals", ReportRemovalViewSet, basename="report-removal")
router.register("report-fetches", ReportFetchViewSet, basename="report-fetch")
router.register("disclosures", DisclosureViewSet, basename="disclosure")
router.register("artifact-syncs", ArtifactSyncViewSet, basename="artifact-sync")
router.register("listed-reports", ListedReportViewSet, basename="listed-report")
router.register("artifacts", ArtifactViewSet, basename="artifact")
router.register(
    "artifact-versions", ArtifactVersionViewSet, basename="artifact-version"
)
router.register(
    f"artifact-versions/(?P<version>{UUID})/coverage",
    CoverageViewSet,
    basename="coverage",
)
router.register(
    f"artifact-versions/(?P<version>{UUID})/user-controls",
    UserControlImportViewSet,
    basename="user-control",
)
router.register("letters", LetterViewSet, basename="letter")
router.register("citations", CitationViewSet, basename="citation")
router.register("overrides", OverrideViewSet, basename="override")
router.register("not-applicable", NotApplicableViewSet, basename="not-applicable")
router.register("alternatives", AlternativeViewSet, basename="alternative")
router.register("end-requests", EndRequestViewSet, basename="end-request")
router.register(
    "retrospective-changes",
    RetrospectiveChangeViewSet,
    basename="retrospective-change",
)
router.register("engagements", EngagementViewSet, basename="engagement")
router.register("marks", MarkViewSet, basename="mark")
router.register("tested-items", TestedItemViewSet, basename="tested-item")
router.register("notices", NoticeViewSet, basename="notice")
router.register("closings", ClosingViewSet, basename="closing")
router.register("exports", ExportViewSet, basename="export")
router.register(
    r"systems/(?P<slug>[-\w]+)/uploads", BulkViewSet, basename="bulk-upload"
)
router.register(
    r"systems/(?P<slug>[-\w]+)/implementation-status",
    ImplementationStatusViewSet,
    basename="implementation-status",
)
router.register(
    r"systems/(?P<slug>[-\w]+)/components",
    ComponentViewSet,
    basename="component",
)
router.register(r"systems/(?P<slug>[-\w]+)/people", PeopleViewSet, basename="person")
router.register(
    r"systems/(?P<slug>[-\w]+)/invitations", InvitationViewSet, basename="invitation"
)
router.register("report-remarks", RemarkViewSet, basename="remark")
router.register("observations", ObservationViewSet, basename="observation")
router.register("findings", FindingViewSet, basename="finding")
router.register("dispositions", DispositionViewSet, basename="disposition")
router.register("responses", ResponseViewSet, basename="response")
router.register("remark-answers", RemarkAnswerViewSet, basename="remark-answer")
router.register(
    r"systems/(?P<slug>[-\w]+)/legal-holds", LegalHoldViewSet, basename="legal-hold"
)
router.register(
    r"systems/(?P<slug>[-\w]+)/terms", SystemTermsViewSet, basename="system-terms"
)
router.register(
    r"systems/(?P<slug>[-\w]+)/provider-documents",
    ProviderDocumentViewSet,
    basename="provider-document",
)
router.register(
    r"systems/(?P<slug>[-\w]+)/saved-filters",
    SavedFilterViewSet,
    basename="saved-filter",
)
router.register(
    r"systems/(?P<slug>[-\w]+)/finding-imports",
    FindingImportViewSet,
    basename="finding-import",
)
router.register(
    r"systems/(?P<slug>[-\w]+)/crosswalks", CrosswalkViewSet, basename="crosswalk"
)
router.register(r"systems/(?P<slug>[-\w]+)/matrix", MatrixViewSet, basename="matrix")

urlpatterns = [
    path("search/", SearchView.as_view(), name="api_search"),
    path(
        "systems/<slug:slug>/controls/<str:ref_id>/text/",
        ControlTextView.as_view(),
        name="api_control_text",
    ),
    path("systems/<slug:slug>/trend/", TrendView.as_view(), name="api_trend"),
    path(
        "systems/<slug:slug>/acknowledgements/",
        AcknowledgementsView.as_view(),
        name="api_acknowledgements",
    ),
    path("systems/<slug:slug>/window/", WindowView.as_view(), name="api_window"),
    path(
        "systems/<slug:slug>/window/providers/",
        ProviderWindowView.as_view(),
        name="api_provider_window",
    ),
    path(
        "systems/<slug:slug>/retention/",
        RetentionViewSet.as_view({"get": "retrieve", "post": "create"}),
        name="api_retention",
    ),
    path(
        "systems/<slug:slug>/account-uses/",
        DiscoveryView.as_view(),
        name="api_account_uses",
    ),
    path(
        "systems/<slug:slug>/account-uses/accept/",
        DiscoveryAcceptView.as_view(),
        name="api_account_uses_accept",
    ),
    path("systems/<slug:slug>/burden/", BurdenView.as_view(), name="api_burden"),
    path(
        "systems/<slug:slug>/user-controls/",
        ExpectedUserControlsView.as_view(),
        name="api_user_controls",
    ),
    path(
        "systems/<slug:slug>/expected-of-providers/",
        ExpectedOfProvidersView.as_view(),
        name="api_expected_of_providers",
    ),
    path("systems/<slug:slug>/what-if/", WhatIfView.as_view(), name="api_what_if"),
    path(
        "systems/<slug:slug>/what-if/preview/",
        ServicesPreviewView.as_view(),
        name="api_services_preview",
    ),
    path(
        "systems/<slug:slug>/what-if/confirm/",
        ServicesConfirmView.as_view(),
        name="api_services_confirm",
    ),
    path(
        "systems/<slug:slug>/rereading/", RereadingView.as_view(), name="api_rereading"
    ),
    path(
        "systems/<slug:slug>/controls/<str:ref_id>/occurrences/",
        OccurrencesView.as_view(),
        name="api_occurrences",
    ),
    path("systems/<slug:slug>/responses/", ItemsView.as_view(), name="api_responses"),
    path("systems/<slug:slug>/calendar/", CalendarView.as_view(), name="api_calendar"),
    path(
        "systems/<slug:slug>/roll-forward/",
        RollForwardView.as_view(),
        name="api_roll_forward",
    ),
    path(
        "notice-preference/",
        NoticePreferenceView.as_view(),
        name="api_notice_preference",
    ),
    *controls_router.urls,
    *router.urls,
]
