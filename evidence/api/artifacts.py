"""AWS's reports over the API: registered, cited, continued, ended, relied on."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.conventions import ByKey, WithoutETag, etag, expected_version, valid
from controls.api.idempotency import idempotent
from controls.models import System
from evidence.api.letters import LetterSerializer
from evidence.artifacts import register
from evidence.artifacts.reliance import record_reliance
from evidence.models import (
    Artifact,
    ArtifactCoverage,
    ArtifactVersion,
    RelianceConclusion,
    RelianceReview,
)
from evidence.models.artifacts import ArtifactVersionState
from srm_project.requests import actor_of

ENDED = [state for state in ArtifactVersionState if state != "active"]


class NewLetterSerializer(serializers.Serializer[Any]):
    """When it was written and the last day it names."""

    issued_on = serializers.DateField()
    ends = serializers.DateField()


class ArtifactVersionSerializer(serializers.ModelSerializer[ArtifactVersion]):
    """One report; `until` is exclusive."""

    letters: Any = LetterSerializer(many=True, read_only=True)

    class Meta:
        model = ArtifactVersion
        fields = [
            "uuid",
            "label",
            "reference",
            "starts",
            "until",
            "opinion",
            "impact_level",
            "partition",
            "regions",
            "service_slugs",
            "state",
            "ended_on",
            "letters",
        ]


class NewVersionSerializer(serializers.ModelSerializer[ArtifactVersion]):
    """A report to register; `ends` is its last day, null for no end."""

    ends = serializers.DateField(allow_null=True)
    services = serializers.ListField(
        child=serializers.CharField(), help_text='service slugs; "*" is all'
    )

    class Meta:
        model = ArtifactVersion
        fields = [
            "label",
            "reference",
            "starts",
            "ends",
            "issued_on",
            "opinion",
            "impact_level",
            "partition",
            "regions",
            "services",
        ]


class EndedVersionSerializer(serializers.Serializer[Any]):
    """That the provider no longer stands by a report, and from which day."""

    state = serializers.ChoiceField(choices=ENDED)
    ended_on = serializers.DateField()


class ReliesSerializer(serializers.ModelSerializer[RelianceReview]):
    """One system's reading of one report."""

    system = serializers.SlugRelatedField(
        slug_field="slug", queryset=System.objects.all()
    )
    conclusion: Any = serializers.ChoiceField(choices=RelianceConclusion.choices)

    class Meta:
        model = RelianceReview
        fields = [
            "uuid",
            "system",
            "conclusion",
            "scope_note",
            "period_note",
            "exceptions_note",
            "cuec_note",
            "reviewer_name",
            "reviewed_on",
        ]
        read_only_fields = ["uuid", "reviewer_name", "reviewed_on"]


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


class ArtifactVersionViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """Single reports: continued by letters, ended, relied on."""

    serializer_class = ArtifactVersionSerializer
    lookup_field = "uuid"
    queryset = ArtifactVersion.objects.none()

    def get_queryset(self) -> QuerySet[ArtifactVersion]:
        """Only what `visible_to` allows."""
        mine = ArtifactVersion.objects.visible_to(actor_of(self.request))
        return mine.for_listing().prefetch_related("letters")

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One report with its ETag."""
        return _shown(self.get_object())

    @extend_schema(request=NewLetterSerializer, responses=LetterSerializer)
    @action(detail=True, methods=["post"])
    @idempotent()
    def letters(self, request: Request, uuid: str) -> Response:
        """Record a letter that continues the report."""
        version = self.get_object()
        register.require_registrar(actor_of(request))
        body = valid(NewLetterSerializer, request)
        letter = register.add_letter(version, **body, by=actor_of(request))
        return Response(LetterSerializer(letter).data, status=201)

    @extend_schema(request=EndedVersionSerializer, responses=ArtifactVersionSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, uuid: str) -> Response:
        """Record that the provider withdrew or revoked it; 409 when ended before.

        If-Match, where sent, must match.
        """
        version = self.get_object()
        register.require_registrar(actor_of(request))
        body = valid(EndedVersionSerializer, request)
        register.end_version(
            version,
            state=body["state"],
            on=body["ended_on"],
            seen_version=expected_version(request, version, required=False),
            by=actor_of(request),
        )
        return _shown(self.get_object())

    @extend_schema(responses=ReliesSerializer(many=True))
    @action(detail=True, methods=["get"], url_path="reliance", pagination_class=None)
    def reliance(self, request: Request, uuid: str) -> Response:
        """What the systems the caller may read made of it, newest first."""
        rows = RelianceReview.objects.visible_to(actor_of(request)).for_listing()
        reviews = rows.filter(artifact_version=self.get_object())
        return Response(ReliesSerializer(reviews, many=True).data)

    @extend_schema(request=ReliesSerializer, responses=ReliesSerializer)
    @reliance.mapping.post
    @idempotent()
    def rely(self, request: Request, uuid: str) -> Response:
        """Record a reliance review, by somebody who did not register the report."""
        version = self.get_object()
        body = valid(ReliesSerializer, request)
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, pk=body.pop("system").pk)
        review = record_reliance(version, system, **body, by=actor_of(request))
        return Response(ReliesSerializer(review).data, status=201)


def _shown(version: ArtifactVersion) -> Response:
    body = ArtifactVersionSerializer(version).data
    return Response(body, headers={"ETag": etag(version)})
