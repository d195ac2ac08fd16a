"""Series of reports over the API: registered, added to, cited."""

from __future__ import annotations

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.conventions import ByKey, valid
from controls.api.filters import of_system
from controls.api.idempotency import idempotent
from controls.models import System
from evidence.api.citations import CitationSerializer, NewCitationsSerializer
from evidence.api.reports import ArtifactVersionSerializer, NewVersionSerializer
from evidence.artifacts import register
from evidence.artifacts.citation_decisions import citation_standings
from evidence.artifacts.citations import (
    cite,
    controls_of_provider,
    proposed_controls,
    require_citer,
)
from evidence.models import Artifact, Citation
from srm_project.requests import actor_of


class ArtifactSerializer(serializers.ModelSerializer[Artifact]):
    """A series of a provider's reports."""

    versions = ArtifactVersionSerializer(many=True, read_only=True)

    class Meta:
        model = Artifact
        fields = ["uuid", "title", "provider", "provider_slug", "series", "kind"]
        fields += ["scheme"]
        fields += ["type1", "responsibility_summary", "versions"]
        read_only_fields = ["provider_slug"]


class ArtifactViewSet(viewsets.ReadOnlyModelViewSet[Artifact]):
    """Providers' documents and what they are cited for."""

    serializer_class = ArtifactSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = Artifact.objects.none()
    filters = {"system": of_system("citations__system", unique=False)}

    def get_queryset(self) -> QuerySet[Artifact]:
        """Only what `visible_to` allows."""
        mine = Artifact.objects.visible_to(actor_of(self.request))
        return mine.prefetch_related("versions__letters")

    @extend_schema(request=ArtifactSerializer, responses=ArtifactSerializer)
    @idempotent()
    def create(self, request: Request) -> Response:
        """Register a series."""
        register.require_registrar(actor_of(request))
        body = valid(ArtifactSerializer, request)
        artifact = register.register_artifact(**body, by=actor_of(request))
        return Response(ArtifactSerializer(artifact).data, status=201)

    @extend_schema(request=NewVersionSerializer, responses=ArtifactVersionSerializer)
    @action(detail=True, methods=["post"])
    @idempotent()
    def versions(self, request: Request, uuid: str) -> Response:
        """Register one report of the series; nothing rests on it until reviewed."""
        artifact = self.get_object()
        register.require_registrar(actor_of(request))
        body = valid(NewVersionSerializer, request)
        version = register.register_version(artifact, **body, by=actor_of(request))
        return Response(ArtifactVersionSerializer(version).data, status=201)

    @extend_schema(responses=CitationSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def citations(self, request: Request, uuid: str) -> Response:
        """The controls that systems the caller may read cite the series for."""
        mine = Citation.objects.visible_to(actor_of(request))
        rows = citation_standings(mine.filter(artifact=self.get_object()))
        return Response(CitationSerializer(rows, many=True).data)

    @extend_schema(
        request=NewCitationsSerializer,
        responses=inline_serializer("Cited", {"cited": serializers.IntegerField()}),
    )
    @citations.mapping.post
    @idempotent()
    def cite(self, request: Request, uuid: str) -> Response:
        """Cite the series for controls of one system, as its officer; wrong ids are
        named and nothing is cited."""
        artifact = self.get_object()
        require_citer(actor_of(request))
        body = valid(NewCitationsSerializer, request)
        system = _system(request, body["system"])
        cited = cite(
            artifact,
            system,
            controls_of_provider(artifact, system, ref_ids=body["control_ids"]),
            citation=body["citation"],
            by=actor_of(request),
        )
        return Response({"cited": cited}, status=201)

    @extend_schema(
        parameters=[OpenApiParameter("system", str, required=True)],
        responses=inline_serializer(
            "ProposedCitation",
            {"control_id": serializers.CharField(source="ref_id")},
            many=True,
        ),
    )
    @action(
        detail=True,
        methods=["get"],
        url_path="proposed-citations",
        pagination_class=None,
    )
    def proposed(self, request: Request, uuid: str) -> Response:
        """Controls that the series speaks to or other systems cite it for, and that
        `system` does not yet."""
        artifact = self.get_object()
        system = _system(request, request.query_params.get("system", ""))
        controls = proposed_controls(artifact, system)
        return Response([{"control_id": control.ref_id} for control in controls])


def _system(request: Request, slug: str) -> System:
    mine = System.objects.visible_to(actor_of(request))
    system: System = get_object_or_404(mine, slug=slug)
    return system
