"""What requests about a control share, over the API: overrides, exclusions, ends."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.access import require_officer
from controls.api.conventions import ByKey, etag, expected_version, valid
from controls.api.filters import Filter, in_state, of_control, of_system
from controls.models import (
    ControlImplementation,
    EndRequest,
    RetrospectiveChange,
)
from controls.withdrawals import withdraw_request
from evidence.api.retrospect import RetrospectiveChangeSerializer
from evidence.status.control_status import today_of
from srm_project.requests import actor_of


class OfControlSerializer(serializers.ModelSerializer[Any]):
    """What requests about a control share."""

    system = serializers.SlugField(source="implementation.system.slug")
    control_id = serializers.CharField(source="implementation.control.ref_id")
    requested_by = serializers.CharField(source="requested_by.email", read_only=True)
    decided_by = serializers.CharField(
        source="decided_by.email", read_only=True, default=None
    )


class EndRequestSerializer(OfControlSerializer):
    """An early end of an override, an exclusion or an alternative; one is named."""

    override = serializers.UUIDField(source="override.uuid", default=None)
    not_applicable = serializers.UUIDField(source="exclusion.uuid", default=None)
    alternative = serializers.UUIDField(source="alternative.uuid", default=None)

    class Meta:
        model = EndRequest
        fields = [
            "uuid",
            "system",
            "control_id",
            "override",
            "not_applicable",
            "alternative",
            "reason",
            "ends_from",
            "state",
            "requested_by",
            "decided_by",
            "version",
        ]
        read_only_fields = fields


class RequestViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    """Requests of the systems the caller may read, oldest first."""

    pagination_class = ByKey
    lookup_field = "uuid"
    model: Any

    @property
    def filters(self) -> dict[str, Filter]:
        """By system, control and the states that this kind of request has."""
        states = self.model._meta.get_field("state").choices
        return {
            "system": of_system("implementation__system"),
            "control": of_control("implementation__control"),
            "state": in_state(word for word, _ in states),
        }

    def get_queryset(self) -> QuerySet[Any]:
        """Only what `visible_to` allows."""
        mine = self.model.objects.visible_to(actor_of(self.request)).for_listing()
        rows: QuerySet[Any] = mine
        return rows

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One request with its ETag."""
        return self.shown(self.get_object())

    def shown(self, row: Any, status: int = 200) -> Response:
        """A row with its ETag."""
        body = self.get_serializer(row).data
        return Response(body, status=status, headers={"ETag": etag(row)})

    def created(self, row: Any) -> Response:
        """What was made: a request of this resource; else 202 with what waits."""
        if isinstance(row, self.model):
            return self.shown(row, status=201)
        kind = EndRequestSerializer
        if isinstance(row, RetrospectiveChange):
            kind = RetrospectiveChangeSerializer  # type: ignore[assignment]
        return Response(kind(row).data, status=202, headers={"ETag": etag(row)})

    def requested(
        self, request: Request
    ) -> tuple[ControlImplementation, dict[str, Any]]:
        """The control that a new request names, and the rest of what it says."""
        body = valid(type(self.get_serializer()), request)
        named = body.pop("implementation")
        mine = ControlImplementation.objects.visible_to(actor_of(request))
        implementation = get_object_or_404(
            mine.select_related("system", "control", "decision"),
            system__slug=named["system"]["slug"],
            control__ref_id=named["control"]["ref_id"],
        )
        return implementation, body

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, uuid: str) -> Response:
        """Take back what one asked for, while nobody has decided; needs If-Match."""
        row, version = self.seen(request)
        today = today_of(row.implementation.system)
        withdraw_request(row, by=actor_of(request), today=today, version=version)
        return self.shown(self.get_object())

    def seen(self, request: Request) -> tuple[Any, int | None]:
        """The request that an officer acts on, and the version that was looked at."""
        stored = self.get_object()
        require_officer(stored.implementation.system, actor_of(request))
        return stored, expected_version(request, stored)
