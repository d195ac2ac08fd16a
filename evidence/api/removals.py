"""Spilled data and flagged files over the API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.conventions import ByKey, WithoutETag, valid
from controls.api.filters import in_state, of_ask, of_control, of_system
from controls.api.idempotency import idempotent
from controls.errors import TransitionNotAllowed
from controls.models import Actor
from controls.reasons import MAX_REASON
from evidence.api.removal_decisions import RemovalDecisions
from evidence.files.clearance import clear
from evidence.files.download import NotInStore, opened_for
from evidence.files.spill_removal import (
    decide_removal,
    request_removal,
    withdraw_removal,
)
from evidence.models import EvidenceFile, ScanState, SpillRemoval
from evidence.models.removals import RemovalState
from srm_project.downloads import attachment
from srm_project.file_places import take_download_place
from srm_project.requests import actor_of


class WhySerializer(serializers.Serializer[Any]):
    """Why."""

    reason = serializers.CharField(max_length=MAX_REASON)


class EvidenceFileSerializer(serializers.ModelSerializer[EvidenceFile]):
    """One file: its digest, what a scan and the content check said."""

    sha256 = serializers.CharField(source="blob.sha256")
    size_bytes = serializers.IntegerField(source="blob.size_bytes")
    media_type = serializers.CharField(source="blob.media_type")
    scan_state = serializers.CharField(source="blob.scan_state")
    obstacle = serializers.SerializerMethodField()

    class Meta:
        model = EvidenceFile
        fields = [
            "uuid",
            "name",
            "sha256",
            "size_bytes",
            "media_type",
            "scan_state",
            "flags",
            "obstacle",
        ]

    def get_obstacle(self, file: EvidenceFile) -> str:
        """Why it may not be opened or relied on; empty where it may."""
        return file.obstacle()


class RemovalSerializer(serializers.ModelSerializer[SpillRemoval]):
    """A removal: who asked, who decided, what became of the bytes."""

    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    file = serializers.UUIDField(
        source="file.uuid",
        default=None,
        allow_null=True,
        help_text="Null where only a population rests on the bytes.",
    )
    population = serializers.UUIDField(
        source="population.uuid", default=None, allow_null=True
    )
    sha256 = serializers.CharField(source="blob.sha256")
    requested_by = serializers.CharField(
        source="requested_by.email",
        default=None,
        allow_null=True,
        help_text="Null where officers of another system remove the same bytes.",
    )
    decided_by = serializers.CharField(source="decided_by.email", default=None)

    class Meta:
        model = SpillRemoval
        fields = [
            "uuid",
            "system",
            "file",
            "population",
            "sha256",
            "reason",
            "state",
            "requested_by",
            "decided_by",
            "outcome",
            "kept_at",
            "destroyed_at",
        ]


class FileViewSet(WithoutETag, viewsets.ReadOnlyModelViewSet[EvidenceFile]):
    """Files of the evidence the caller may read."""

    serializer_class = EvidenceFileSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = EvidenceFile.objects.none()
    filters = {
        "system": of_system("revision__evidence__system"),
        "control": of_control("revision__links__implementation__control", unique=False),
        "ask": of_ask(
            "revision__links__requirement__ask",
            "revision__links__requirement__joined",
            unique=False,
        ),
        "state": in_state(ScanState.values, "blob__scan_state"),
    }

    def get_queryset(self) -> QuerySet[EvidenceFile]:
        """Only what `visible_to` allows."""
        return EvidenceFile.objects.visible_to(actor_of(self.request)).for_opening()

    @extend_schema(responses={(200, "*/*"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def content(self, request: Request, uuid: str) -> FileResponse:
        """The bytes as an attachment; recorded first."""
        file = self.get_object()
        take_download_place(request._request)
        try:
            return attachment(opened_for(file, by=actor_of(request)))
        except NotInStore as missing:
            raise TransitionNotAllowed(missing.messages) from missing

    @extend_schema(request=WhySerializer, responses=EvidenceFileSerializer)
    @action(detail=True, methods=["post"])
    def clear(self, request: Request, uuid: str) -> Response:
        """An officer lets a flagged file pass, with what was checked."""
        reason = valid(WhySerializer, request)["reason"]
        clear(self.get_object(), by=actor_of(request), reason=reason)
        return Response(EvidenceFileSerializer(self.get_object()).data)

    @extend_schema(request=WhySerializer, responses=RemovalSerializer)
    @action(detail=True, methods=["post"])
    @idempotent()
    def remove(self, request: Request, uuid: str) -> Response:
        """Ask for a spilled file's bytes to be destroyed; another officer decides."""
        reason = valid(WhySerializer, request)["reason"]
        made = request_removal(self.get_object(), reason=reason, by=actor_of(request))
        return Response(RemovalSerializer(made).data, status=201)


class RemovalViewSet(RemovalDecisions):
    """Removals of the systems the caller may read."""

    serializer_class = RemovalSerializer
    queryset = SpillRemoval.objects.none()
    filters = {"system": of_system(), "state": in_state(RemovalState.values)}

    def get_queryset(self) -> QuerySet[SpillRemoval]:
        """Only what `visible_to` allows."""
        return SpillRemoval.objects.visible_to(actor_of(self.request)).for_listing()

    def decide(self, removal: SpillRemoval, *, approve: bool, by: Actor) -> None:
        """What rests on the bytes is withdrawn where they are destroyed."""
        decide_removal(removal, approve=approve, by=by)

    def take_back(self, removal: SpillRemoval, *, by: Actor) -> None:
        """Nothing is withdrawn, nothing destroyed."""
        withdraw_removal(removal, by=by)
