"""Readings of AWS Artifact and what it lists, over the API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.conventions import ByKey, WithoutETag, valid
from controls.api.idempotency import idempotent
from evidence.api.reports import ArtifactVersionSerializer
from evidence.artifacts.listed_reports import place
from evidence.artifacts.register import require_registrar
from evidence.artifacts.sync import ask_for_sync
from evidence.models import Artifact, ArtifactSync, ListedReport
from srm_project.requests import actor_of


class SyncErrorSerializer(serializers.Serializer[Any]):
    """What could not be read or registered: AWS's id and action where there is one."""

    report = serializers.CharField()
    action = serializers.CharField()
    sentence = serializers.CharField()


class ArtifactSyncSerializer(serializers.ModelSerializer[ArtifactSync]):
    """One reading; `partial` keeps what was read, `errors` are its first hundred."""

    errors: Any = SyncErrorSerializer(many=True, read_only=True)

    class Meta:
        model = ArtifactSync
        fields = [
            "uuid",
            "state",
            "error",
            "created_at",
            "ended_at",
            "calls",
            "read",
            "registered",
            "changed",
            "not_placed",
            "failed",
            "errors",
        ]
        read_only_fields = fields


class ListedReportSerializer(serializers.ModelSerializer[ListedReport]):
    """One version of a report as AWS lists it; `period_end` is its last day.

    `report` is the report of the register, null where nobody has placed it.
    """

    report: Any = serializers.UUIDField(
        source="artifact_version.uuid", allow_null=True, read_only=True
    )

    class Meta:
        model = ListedReport
        fields = [
            "uuid",
            "aws_id",
            "aws_version",
            "arn",
            "name",
            "series",
            "category",
            "period_start",
            "period_end",
            "issued_on",
            "is_published",
            "not_placed_because",
            "report",
        ]
        read_only_fields = fields


class PlacedSerializer(serializers.Serializer[Any]):
    """The series of AWS that a listed report belongs to."""

    artifact = serializers.UUIDField()


class ArtifactSyncViewSet(WithoutETag, viewsets.ReadOnlyModelViewSet[ArtifactSync]):
    """Readings of AWS Artifact, newest first."""

    serializer_class = ArtifactSyncSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = ArtifactSync.objects.none()

    def get_queryset(self) -> QuerySet[ArtifactSync]:
        """All, for who may read the register."""
        rows: QuerySet[ArtifactSync] = ArtifactSync.objects.visible_to(
            actor_of(self.request)
        )
        return rows

    @extend_schema(request=None, responses={201: ArtifactSyncSerializer})
    @idempotent()
    def create(self, request: Request) -> Response:
        """Ask for a reading; 409 while one is not over."""
        sync = ask_for_sync(by=actor_of(request))
        return Response(ArtifactSyncSerializer(sync).data, status=201)


class ListedReportViewSet(WithoutETag, viewsets.ReadOnlyModelViewSet[ListedReport]):
    """What AWS Artifact lists, as it was read last."""

    serializer_class = ListedReportSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = ListedReport.objects.none()

    def get_queryset(self) -> QuerySet[ListedReport]:
        """All, for who may read the register."""
        mine = ListedReport.objects.visible_to(actor_of(self.request))
        rows: QuerySet[ListedReport] = mine.select_related("artifact_version")
        return rows

    @extend_schema(request=PlacedSerializer, responses={201: ArtifactVersionSerializer})
    @action(detail=True, methods=["post"])
    @idempotent()
    def place(self, request: Request, uuid: str) -> Response:
        """Register it in a series, as a registrar; 409 where it is registered."""
        listed = self.get_object()
        require_registrar(actor_of(request))
        body = valid(PlacedSerializer, request)
        mine = Artifact.objects.visible_to(actor_of(request))
        artifact = get_object_or_404(mine, uuid=body["artifact"])
        version = place(listed, artifact, by=actor_of(request))
        return Response(ArtifactVersionSerializer(version).data, status=201)
