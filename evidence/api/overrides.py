"""What needs a second officer, over the API: other classes, and not applicable."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.access import require_officer
from controls.api.conventions import ByKey, etag, expected_version, valid
from controls.api.idempotency import idempotent
from controls.applicability import (
    decide_not_applicable,
    end_not_applicable,
    request_not_applicable,
)
from controls.models import (
    ApplicabilityDecision,
    ControlImplementation,
    ResponsibilityOverride,
)
from controls.reasons import MAX_REASON
from controls.responsibility.overrides import (
    decide_override,
    request_override,
    settle_override,
)
from evidence.api.clocks import BodyDayField
from evidence.api.removals import WhySerializer
from evidence.status.control_status import today_of
from srm_project.requests import actor_of

FILTERS = [
    OpenApiParameter("system", str, description="Only of this system (slug)."),
    OpenApiParameter("state", str, description="Only in this state."),
]


class OfControlSerializer(serializers.ModelSerializer[Any]):
    """What requests about a control share."""

    system = serializers.SlugField(source="implementation.system.slug")
    control_id = serializers.CharField(source="implementation.control.ref_id")
    requested_by = serializers.CharField(source="requested_by.email", read_only=True)
    decided_by = serializers.CharField(
        source="decided_by.email", read_only=True, default=None
    )


class OverrideSerializer(OfControlSerializer):
    """Another class for a control, from a day to a day (both inclusive)."""

    citation = serializers.CharField(required=False, default="", max_length=300)
    starts_on = BodyDayField()
    ends_on = BodyDayField(help_text="Last day on which the override holds.")

    class Meta:
        model = ResponsibilityOverride
        fields = [
            "uuid",
            "system",
            "control_id",
            "responsibility",
            "reason",
            "citation",
            "starts_on",
            "ends_on",
            "settled_on",
            "state",
            "requested_by",
            "decided_by",
            "version",
        ]
        read_only_fields = ["uuid", "settled_on", "state", "version"]
        extra_kwargs = {"reason": {"max_length": MAX_REASON}}


class NotApplicableSerializer(OfControlSerializer):
    """That a control has no object in the system, and when to look again."""

    review_by = BodyDayField()

    class Meta:
        model = ApplicabilityDecision
        fields = [
            "uuid",
            "system",
            "control_id",
            "justification",
            "review_by",
            "state",
            "requested_by",
            "decided_by",
            "version",
        ]
        read_only_fields = ["uuid", "state", "version"]
        extra_kwargs = {"justification": {"max_length": MAX_REASON}}


class SettleSerializer(serializers.Serializer[Any]):
    """From which day; without it, from today."""

    on = BodyDayField(required=False)


class RequestViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    """Requests of the systems the caller may read, oldest first."""

    pagination_class = ByKey
    lookup_field = "uuid"
    model: Any

    def get_queryset(self) -> QuerySet[Any]:
        """Only what `visible_to` allows."""
        filters = self.request.query_params
        mine = self.model.objects.visible_to(actor_of(self.request)).for_listing()
        rows: QuerySet[Any] = mine.matching(
            system=filters.get("system", ""), state=filters.get("state", "")
        )
        return rows

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One request with its ETag."""
        return self.shown(self.get_object())

    def shown(self, row: Any, status: int = 200) -> Response:
        """A row with its ETag."""
        body = self.get_serializer(row).data
        return Response(body, status=status, headers={"ETag": etag(row)})

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

    def seen(self, request: Request) -> tuple[Any, int | None]:
        """The request that an officer acts on, and the version that was looked at."""
        stored = self.get_object()
        require_officer(stored.implementation.system, actor_of(request))
        return stored, expected_version(request, stored)


class OverrideViewSet(RequestViewSet):
    """Other classes than the derived ones."""

    serializer_class = OverrideSerializer
    model = ResponsibilityOverride
    queryset = ResponsibilityOverride.objects.none()

    @extend_schema(parameters=FILTERS)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Overrides, by system and state."""
        return super().list(request, *args, **kwargs)

    @extend_schema(request=OverrideSerializer, responses={201: OverrideSerializer})
    @idempotent()
    def create(self, request: Request) -> Response:
        """Ask for another class; it holds once another officer approves."""
        control, body = self.requested(request)
        made = request_override(control, **body, by=actor_of(request))
        return self.shown(made, status=201)

    @extend_schema(request=None, responses=OverrideSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, uuid: str) -> Response:
        """Approve as another officer; needs If-Match."""
        return self._decided(request, approve=True)

    @extend_schema(request=None, responses=OverrideSerializer)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, uuid: str) -> Response:
        """Refuse as another officer; needs If-Match."""
        return self._decided(request, approve=False)

    @extend_schema(request=SettleSerializer, responses=OverrideSerializer)
    @action(detail=True, methods=["post"])
    def settle(self, request: Request, uuid: str) -> Response:
        """End it for good: what is below it holds again. Needs If-Match."""
        override, version = self.seen(request)
        today: dt.date = today_of(override.implementation.system)
        on = valid(SettleSerializer, request).get("on", today)
        settle_override(override, on=on, by=actor_of(request), version=version)
        return self.shown(self.get_object())

    def _decided(self, request: Request, *, approve: bool) -> Response:
        override, version = self.seen(request)
        decide_override(
            override, approve=approve, by=actor_of(request), version=version
        )
        return self.shown(self.get_object())


class NotApplicableViewSet(RequestViewSet):
    """Controls left out because they have no object."""

    serializer_class = NotApplicableSerializer
    model = ApplicabilityDecision
    queryset = ApplicabilityDecision.objects.none()

    @extend_schema(parameters=FILTERS)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Requests, by system and state."""
        return super().list(request, *args, **kwargs)

    @extend_schema(
        request=NotApplicableSerializer, responses={201: NotApplicableSerializer}
    )
    @idempotent()
    def create(self, request: Request) -> Response:
        """Ask to leave a control out; it holds once another officer approves."""
        control, body = self.requested(request)
        made = request_not_applicable(control, **body, by=actor_of(request))
        return self.shown(made, status=201)

    @extend_schema(request=None, responses=NotApplicableSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, uuid: str) -> Response:
        """Approve as another officer; needs If-Match."""
        return self._decided(request, approve=True)

    @extend_schema(request=None, responses=NotApplicableSerializer)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, uuid: str) -> Response:
        """Refuse as another officer; needs If-Match."""
        return self._decided(request, approve=False)

    @extend_schema(request=WhySerializer, responses=NotApplicableSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, uuid: str) -> Response:
        """Let the control apply again, with a reason; needs If-Match."""
        exclusion, version = self.seen(request)
        reason = valid(WhySerializer, request)["reason"]
        end_not_applicable(
            exclusion, reason=reason, by=actor_of(request), version=version
        )
        return self.shown(self.get_object())

    def _decided(self, request: Request, *, approve: bool) -> Response:
        exclusion, version = self.seen(request)
        decide_not_applicable(
            exclusion, approve=approve, by=actor_of(request), version=version
        )
        return self.shown(self.get_object())
