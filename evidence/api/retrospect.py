"""Changes in retrospect over the API: read, approved, refused by a second officer.

They are asked for where the fact is: a component's days, an exclusion, an override.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import (
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls import retrospect
from controls.access import require_officer
from controls.api.conventions import ByKey, etag, expected_version
from controls.api.filters import in_state, of_system
from controls.models import RetrospectiveChange
from controls.models.retrospect import RetrospectiveState
from evidence.files.retention import shortens
from evidence.status.control_status import today_of
from srm_project.recent_proof import require_recent_proof_of_program
from srm_project.requests import actor_of


class SaidSerializer(serializers.Serializer[Any]):
    """One thing that a change says, in plain words."""

    name = serializers.CharField()
    text = serializers.CharField()


class RetrospectiveChangeSerializer(serializers.ModelSerializer[RetrospectiveChange]):
    """A change of what held from `first_day` on, and what became of it."""

    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    requested_by = serializers.CharField(source="requested_by.email")
    decided_by = serializers.CharField(source="decided_by.email", default=None)
    says = serializers.SerializerMethodField()

    class Meta:
        model = RetrospectiveChange
        fields = [
            "uuid",
            "system",
            "kind",
            "says",
            "first_day",
            "reason",
            "state",
            "requested_by",
            "requested_on",
            "decided_by",
            "decided_at",
            "version",
        ]
        read_only_fields = fields

    @extend_schema_field(SaidSerializer(many=True))
    def get_says(self, change: RetrospectiveChange) -> list[dict[str, str]]:
        """What is to hold, as name and text."""
        explained = retrospect.kind_of(change).explain(change)
        return [{"name": name, "text": text} for name, text in explained]


class RetrospectiveChangeViewSet(viewsets.ReadOnlyModelViewSet[RetrospectiveChange]):
    """Changes in retrospect of the systems the caller may read, oldest first."""

    serializer_class = RetrospectiveChangeSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = RetrospectiveChange.objects.none()
    filters = {"system": of_system(), "state": in_state(RetrospectiveState.values)}

    def get_queryset(self) -> QuerySet[RetrospectiveChange]:
        """Only what `visible_to` allows."""
        mine = RetrospectiveChange.objects.visible_to(actor_of(self.request))
        return mine.for_listing()

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One change with its ETag."""
        return self._shown()

    @extend_schema(request=None, responses=RetrospectiveChangeSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, uuid: str) -> Response:
        """Carry it out, as another officer; needs If-Match."""
        return self._decided(request, approve=True)

    @extend_schema(request=None, responses=RetrospectiveChangeSerializer)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, uuid: str) -> Response:
        """Leave everything as it is, as another officer; needs If-Match."""
        return self._decided(request, approve=False)

    @extend_schema(request=None, responses=RetrospectiveChangeSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, uuid: str) -> Response:
        """Take back what one asked for, while nobody has decided; needs If-Match."""
        change, by = self.get_object(), actor_of(request)
        require_officer(change.system, by)
        version = expected_version(request, change)
        today = today_of(change.system)
        retrospect.withdraw(change, by=by, today=today, version=version)
        return self._shown()

    def _decided(self, request: Request, *, approve: bool) -> Response:
        change, by = self.get_object(), actor_of(request)
        require_officer(change.system, by)
        if approve and request.auth is None and shortens(change):
            require_recent_proof_of_program(request)
        version = expected_version(request, change)
        act = retrospect.approve if approve else retrospect.refuse
        act(change, by=by, today=today_of(change.system), version=version)
        return self._shown()

    def _shown(self) -> Response:
        row = self.get_object()
        return Response(self.get_serializer(row).data, headers={"ETag": etag(row)})
