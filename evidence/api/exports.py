"""Exports over the API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.conventions import ByKey, WithoutETag
from controls.api.idempotency import idempotent
from controls.models import System
from controls.models.tokens import Scope
from evidence.api.clocks import BodyDayField, InstantField
from evidence.exports import jobs
from evidence.exports.ends import delete_export
from evidence.models import (
    Export,
)
from evidence.status.control_status import today_of
from srm_project.downloads import attachment
from srm_project.recent_proof import require_recent_proof_of_program
from srm_project.requests import actor_of


class ExportSerializer(serializers.ModelSerializer[Export]):
    """An export and how far it is; `expires_at`: from when on its file is gone."""

    expires_at = serializers.DateTimeField(read_only=True, allow_null=True)
    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)

    class Meta:
        model = Export
        fields = [
            "uuid",
            "system",
            "kind",
            "on",
            "known_at",
            "rules",
            "state",
            "done_rows",
            "total_rows",
            "sha256",
            "size_bytes",
            "expires_at",
            "failure",
        ]


class NewExportSerializer(serializers.Serializer[Any]):
    """What to export. Without `known_at` all that is recorded now."""

    system = serializers.SlugField()
    on = BodyDayField(required=False)
    known_at = InstantField(required=False)


class ExportViewSet(WithoutETag, viewsets.ReadOnlyModelViewSet[Export]):
    """Exports of the caller, and of a system for its officers.

    All of a system leaves in one file, which asks a session for a fresh proof (AZ-12).
    A token cannot prove anything anew, so that asking was decided when it was made.
    """

    scope_to_change = Scope.EXPORT

    serializer_class = ExportSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = Export.objects.none()

    def get_queryset(self) -> QuerySet[Export]:
        """Only what `visible_to` allows."""
        return (
            Export.objects.visible_to(actor_of(self.request))
            .for_listing()
            .order_by("pk")
        )

    @extend_schema(request=NewExportSerializer, responses={202: ExportSerializer})
    @idempotent()
    def create(self, request: Request) -> Response:
        """Queue an export.

        A session is asked for the password or second factor again where the last proof
        is too old; a token needs the scope `export`, given with such a proof.
        """
        if request.auth is None:
            require_recent_proof_of_program(request)
        serializer = NewExportSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        body = serializer.validated_data
        system = get_object_or_404(
            System.objects.visible_to(actor_of(request)), slug=body["system"]
        )
        export = jobs.request_export(
            system,
            by=actor_of(request),
            on=body.get("on") or today_of(system),
            known_at=body.get("known_at"),
        )
        return Response(ExportSerializer(export).data, status=202)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, uuid: str) -> Response:
        """Delete the file of an export of one's own; what was asked stays on record."""
        delete_export(self.get_object(), by=actor_of(request))
        return Response(status=204)

    @extend_schema(responses={(200, "text/csv"): bytes})
    @action(detail=True, methods=["get"])
    def file(self, request: Request, uuid: str) -> FileResponse:
        """The finished file as an attachment, for its owner; 410 once it expired."""
        export = self.get_object()
        return attachment(jobs.opened_for(export, by=actor_of(request)))
