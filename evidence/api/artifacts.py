"""Series of AWS's reports over the API: registered, added to, cited."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.conventions import ByKey, WithoutETag, valid
from controls.api.idempotency import idempotent
from controls.models import System
from evidence.api.reports import ArtifactVersionSerializer, NewVersionSerializer
from evidence.artifacts import register
from evidence.models import Artifact, ArtifactCoverage
from srm_project.requests import actor_of


class ArtifactSerializer(serializers.ModelSerializer[Artifact]):
    """A series of AWS's reports."""

    versions = ArtifactVersionSerializer(many=True, read_only=True)

    class Meta:
        model = Artifact
        fields = ["uuid", "title", "provider", "series", "kind", "scheme"]
        fields += ["type1", "responsibility_summary", "versions"]


class CoverageSerializer(serializers.ModelSerializer[ArtifactCoverage]):
    """One control for whose AWS half a series is cited."""

    control_id = serializers.CharField(source="control.ref_id")

    class Meta:
        model = ArtifactCoverage
        fields = ["uuid", "control_id", "citation"]


class CitationSerializer(serializers.Serializer[Any]):
    """Controls of one system for whose AWS half a series is cited."""

    system = serializers.SlugField()
    control_ids = serializers.ListField(child=serializers.CharField(), min_length=1)
    citation = serializers.CharField(required=False, default="", max_length=300)


class ArtifactViewSet(viewsets.ReadOnlyModelViewSet[Artifact]):
    """AWS's documents and what they are cited for."""

    serializer_class = ArtifactSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = Artifact.objects.none()

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

    @extend_schema(responses=CoverageSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def citations(self, request: Request, uuid: str) -> Response:
        """The controls the series is cited for."""
        rows = self.get_object().coverage.select_related("control")
        coverage = rows.order_by("control__sort_order")
        return Response(CoverageSerializer(coverage, many=True).data)

    @extend_schema(
        request=CitationSerializer,
        responses=inline_serializer("Cited", {"cited": serializers.IntegerField()}),
    )
    @citations.mapping.post
    @idempotent()
    def cite(self, request: Request, uuid: str) -> Response:
        """Cite the series for controls; wrong ids are named and nothing is cited."""
        artifact = self.get_object()
        register.require_registrar(actor_of(request))
        body = valid(CitationSerializer, request)
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=body["system"])
        cited = register.cite(
            artifact,
            register.controls_of_aws(system, ref_ids=body["control_ids"]),
            citation=body["citation"],
            by=actor_of(request),
        )
        return Response({"cited": cited}, status=201)


class CoverageViewSet(
    WithoutETag, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]
):
    """Single citations."""

    serializer_class = CoverageSerializer
    lookup_field = "uuid"
    queryset = ArtifactCoverage.objects.none()

    def get_queryset(self) -> QuerySet[ArtifactCoverage]:
        """Only what `visible_to` allows."""
        mine = ArtifactCoverage.objects.visible_to(actor_of(self.request))
        return mine.select_related("artifact", "control")

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, uuid: str) -> Response:
        """Stop offering the series for the control; the past stays on record."""
        register.remove_citation(self.get_object(), by=actor_of(request))
        return Response(status=204)
