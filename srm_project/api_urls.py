"""Routes of `/api/v1/`."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from controls.api import BaselineViewSet, ServiceViewSet
from controls.api_tokens import TokenViewSet
from evidence.api import (
    ArtifactViewSet,
    DescribedSystemViewSet,
    ExportViewSet,
    LinkViewSet,
)
from evidence.api_provider import ProviderDocumentViewSet
from evidence.api_removals import FileViewSet, RemovalViewSet
from evidence.api_requirements import RequirementViewSet
from evidence.api_rereading import RereadingView

router = SimpleRouter()
router.register("systems", DescribedSystemViewSet, basename="system")
router.register("services", ServiceViewSet, basename="service")
router.register("baselines", BaselineViewSet, basename="baseline")
router.register("requirements", RequirementViewSet, basename="requirement")
router.register("evidence", LinkViewSet, basename="evidence")
router.register("files", FileViewSet, basename="file")
router.register("removals", RemovalViewSet, basename="removal")
router.register("artifacts", ArtifactViewSet, basename="artifact")
router.register("exports", ExportViewSet, basename="export")
router.register("tokens", TokenViewSet, basename="token")
router.register(
    r"systems/(?P<slug>[-\w]+)/provider-documents",
    ProviderDocumentViewSet,
    basename="provider-document",
)

urlpatterns = [
    path(
        "systems/<slug:slug>/rereading/", RereadingView.as_view(), name="api_rereading"
    ),
    *router.urls,
]
