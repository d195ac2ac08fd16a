"""A report fetched from AWS Artifact by a person, over the API: its term first."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.conventions import ByKey, WithoutETag, valid
from controls.api.idempotency import idempotent
from controls.errors import TransitionNotAllowed
from controls.reasons import MAX_REASON
from evidence.files.download import OpenedFile
from evidence.held_reports.fetch import (
    PDF,
    accept_term,
    ask_for_fetch,
    report_of,
    term_of,
)
from evidence.held_reports.hold import MAX_AGREEMENT, USUAL_TERM
from evidence.held_reports.who_may import require_keeper
from evidence.models import ListedReport, ReportFetch
from srm_project.downloads import attachment
from srm_project.file_places import take_download_place
from srm_project.requests import actor_of


class ReportFetchSerializer(serializers.ModelSerializer[ReportFetch]):
    """A fetch: `term` waits for somebody to read it and accept it."""

    listed: Any = serializers.UUIDField(source="listed.uuid")
    file: Any = serializers.UUIDField(source="file.uuid", default=None, allow_null=True)
    asked_by = serializers.CharField(source="asked_by.email")
    accepted_by = serializers.CharField(source="accepted_by.email", default=None)

    class Meta:
        model = ReportFetch
        fields = [
            "uuid",
            "listed",
            "state",
            "error",
            "term_arn",
            "asked_by",
            "accepted_by",
            "file",
            "created_at",
            "ended_at",
        ]
        read_only_fields = fields


class NewFetchSerializer(serializers.Serializer[Any]):
    """The version, as AWS Artifact lists it, whose term is to be fetched."""

    listed = serializers.UUIDField()


class AcceptedTermSerializer(serializers.Serializer[Any]):
    """AWS's term accepted, and by what right the report is held then."""

    agreement = serializers.CharField(max_length=MAX_AGREEMENT)
    term = serializers.CharField(
        max_length=MAX_REASON, required=False, default=USUAL_TERM
    )
    confirmed = serializers.BooleanField()


class ReportFetchViewSet(WithoutETag, viewsets.ReadOnlyModelViewSet[ReportFetch]):
    """Reports fetched from AWS Artifact by a person, newest first."""

    serializer_class = ReportFetchSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = ReportFetch.objects.none()

    def get_queryset(self) -> QuerySet[ReportFetch]:
        """All, for who may read the register."""
        rows: QuerySet[ReportFetch] = ReportFetch.objects.visible_to(
            actor_of(self.request)
        ).select_related(
            "listed__artifact_version", "asked_by", "accepted_by", "file", "term_blob"
        )
        return rows

    @extend_schema(request=NewFetchSerializer, responses={201: ReportFetchSerializer})
    @idempotent()
    def create(self, request: Request) -> Response:
        """Ask for AWS's term; nothing is accepted by that."""
        body = valid(NewFetchSerializer, request)
        mine = ListedReport.objects.visible_to(actor_of(request))
        listed: ListedReport = get_object_or_404(mine, uuid=body["listed"])
        made = ask_for_fetch(listed, by=actor_of(request))
        return Response(ReportFetchSerializer(made).data, status=201)

    @extend_schema(responses={(200, PDF): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"], url_path="term")
    def term(self, request: Request, uuid: str) -> FileResponse:
        """AWS's term as it came, to read before it is accepted."""
        fetch = self.get_object()
        take_download_place(request._request)
        try:
            body = term_of(fetch, by=actor_of(request))
        except FileNotFoundError as missing:
            raise TransitionNotAllowed("The bytes are not in the store.") from missing
        return attachment(OpenedFile(body, "term.pdf", PDF))

    @extend_schema(request=AcceptedTermSerializer, responses=ReportFetchSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, uuid: str) -> Response:
        """Accept AWS's term as it was shown; the report is fetched and held."""
        fetch = self.get_object()
        require_keeper(report_of(fetch.listed), actor_of(request))
        body = valid(AcceptedTermSerializer, request)
        accept_term(fetch, **body, by=actor_of(request))
        return Response(ReportFetchSerializer(self.get_object()).data)
