"""Who has seen reports, and who was given a copy, over the API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.conventions import ByKey, WithoutETag, valid
from controls.api.idempotency import idempotent
from controls.reasons import MAX_REASON
from evidence.api.clocks import BodyDayField
from evidence.held_reports.disclosures import MAX_NAME, record_recipient
from evidence.held_reports.who_may import require_keeper
from evidence.models import (
    ArtifactVersion,
    DisclosureRecord,
    ReportFile,
)
from srm_project.requests import actor_of


class DisclosureSerializer(serializers.ModelSerializer[DisclosureRecord]):
    """One viewing (its page), download or recipient outside; never changed."""

    report: Any = serializers.UUIDField(source="artifact_version.uuid")
    file: Any = serializers.UUIDField(source="file.uuid", default=None, allow_null=True)
    person = serializers.CharField(source="person.email")

    class Meta:
        model = DisclosureRecord
        fields = [
            "uuid",
            "report",
            "file",
            "kind",
            "page",
            "person",
            "person_name",
            "recipient",
            "firm",
            "reason",
            "agreement",
            "disclosed_on",
            "known_from",
        ]
        read_only_fields = fields


class NewRecipientSerializer(serializers.Serializer[Any]):
    """Whom a copy was given outside; `file` where it came from a held one."""

    report = serializers.UUIDField()
    file = serializers.UUIDField(required=False, allow_null=True, default=None)
    recipient = serializers.CharField(max_length=MAX_NAME)
    firm = serializers.CharField(max_length=MAX_NAME)
    given_on = BodyDayField()
    reason = serializers.CharField(max_length=MAX_REASON)
    agreement = serializers.CharField(max_length=MAX_NAME)


class DisclosureViewSet(
    WithoutETag,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[DisclosureRecord],
):
    """Who has seen the reports whose files the caller keeps. They are never changed."""

    serializer_class = DisclosureSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = DisclosureRecord.objects.none()

    def get_queryset(self) -> QuerySet[DisclosureRecord]:
        """Of reports that the caller keeps: all, or those that own systems cite."""
        mine = DisclosureRecord.objects.visible_to(actor_of(self.request))
        rows: QuerySet[DisclosureRecord] = mine.select_related(
            "artifact_version", "file", "person"
        )
        return rows

    @extend_schema(
        request=NewRecipientSerializer, responses={201: DisclosureSerializer}
    )
    @idempotent()
    def create(self, request: Request) -> Response:
        """Write down who was given a copy outside of this company."""
        body = valid(NewRecipientSerializer, request)
        user = actor_of(request)
        mine = ArtifactVersion.objects.visible_to(user)
        version: ArtifactVersion = get_object_or_404(mine, uuid=body.pop("report"))
        require_keeper(version, user)
        named = body.pop("file")
        files = ReportFile.objects.filter(artifact_version=version)
        file = get_object_or_404(files, uuid=named) if named else None
        made = record_recipient(version, **body, file=file, by=user)
        return Response(DisclosureSerializer(made).data, status=201)
