"""Closing windows of engagements over the API: asked, confirmed, refused."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls import clock
from controls.api.conventions import ByKey, etag, expected_version, valid
from controls.api.filters import in_state, of_system
from controls.api.idempotency import idempotent
from controls.models import Engagement
from controls.models.tokens import Scope
from controls.reasons import MAX_REASON
from evidence.exports.closing import (
    confirm_closing,
    refuse_closing,
    request_closing,
    withdraw_closing,
)
from evidence.models import ClosingState, Export, WindowClosing
from srm_project.recent_proof import require_recent_proof_of_program
from srm_project.requests import actor_of


class KeptExportSerializer(serializers.ModelSerializer[Export]):
    """A file that was kept; it is taken at `/exports/{uuid}/file/`."""

    class Meta:
        model = Export
        fields = ["uuid", "kind", "state", "sha256", "size_bytes", "failure"]
        fields += ["given_up_at"]


class ClosingSerializer(serializers.ModelSerializer[WindowClosing]):
    """A closing. What was recorded before `closed_at` belongs to the closed window."""

    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    engagement = serializers.UUIDField(source="engagement.uuid")
    window_start = serializers.DateField(source="engagement.window_start")
    window_end = serializers.DateField(source="engagement.window_end")
    requested_by = serializers.CharField(source="requested_by.email")
    decided_by = serializers.CharField(source="decided_by.email", default=None)
    exports = KeptExportSerializer(many=True)

    class Meta:
        model = WindowClosing
        fields = [
            "uuid",
            "system",
            "engagement",
            "window_start",
            "window_end",
            "state",
            "note",
            "reason",
            "requested_by",
            "requested_at",
            "decided_by",
            "decided_at",
            "closed_at",
            "exports",
            "version",
        ]


class NewClosingSerializer(serializers.Serializer[Any]):
    """Which engagement's window is to be closed, by its uuid."""

    engagement = serializers.UUIDField()
    note = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=MAX_REASON
    )


class WhatIsLackingSerializer(serializers.Serializer[Any]):
    """Why the window stays open."""

    reason = serializers.CharField(max_length=MAX_REASON)


class ClosingViewSet(viewsets.ReadOnlyModelViewSet[WindowClosing]):
    """Closings of the engagements that the caller audits or is an officer of.

    All of a system is put into files when a window closes: a session is asked for a
    fresh proof (AZ-12), a token needs the scope `export`.
    """

    scope_to_change = Scope.EXPORT

    serializer_class = ClosingSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = WindowClosing.objects.none()
    filters = {"system": of_system(), "state": in_state(ClosingState.values)}

    def get_queryset(self) -> QuerySet[WindowClosing]:
        """Only what `visible_to` allows."""
        mine = WindowClosing.objects.visible_to(actor_of(self.request)).for_listing()
        return mine.prefetch_related("exports").order_by("pk")

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One closing with its ETag."""
        return self._shown(self.get_object())

    @extend_schema(request=NewClosingSerializer, responses={201: ClosingSerializer})
    @idempotent()
    def create(self, request: Request) -> Response:
        """Ask the auditors to close a window; officers may, once it is over."""
        _require_proof(request)
        body = valid(NewClosingSerializer, request)
        mine = Engagement.objects.open_to(actor_of(request))
        engagement = get_object_or_404(mine, uuid=body["engagement"])
        made = request_closing(
            engagement, note=body["note"], by=actor_of(request), now=clock.now()
        )
        return self._shown(made, status=201)

    @extend_schema(request=None, responses=ClosingSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, uuid: str) -> Response:
        """Close the window now, as an auditor of the engagement; needs If-Match."""
        _require_proof(request)
        closing = self.get_object()
        version = expected_version(request, closing)
        confirm_closing(closing, by=actor_of(request), now=clock.now(), version=version)
        return self._shown(self.get_object())

    @extend_schema(request=WhatIsLackingSerializer, responses=ClosingSerializer)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, uuid: str) -> Response:
        """Leave it open, with what is lacking, as an auditor; needs If-Match."""
        closing = self.get_object()
        version = expected_version(request, closing)
        reason = valid(WhatIsLackingSerializer, request)["reason"]
        refuse_closing(
            closing,
            reason=reason,
            by=actor_of(request),
            now=clock.now(),
            version=version,
        )
        return self._shown(self.get_object())

    @extend_schema(request=None, responses=ClosingSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, uuid: str) -> Response:
        """Take the request back, as an officer; needs If-Match."""
        closing = self.get_object()
        version = expected_version(request, closing)
        withdraw_closing(
            closing, by=actor_of(request), now=clock.now(), version=version
        )
        return self._shown(self.get_object())

    def _shown(self, row: WindowClosing, status: int = 200) -> Response:
        body = ClosingSerializer(row).data
        return Response(body, status=status, headers={"ETag": etag(row)})


def _require_proof(request: Request) -> None:
    if request.auth is None:
        require_recent_proof_of_program(request)
