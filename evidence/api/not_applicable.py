"""Controls left out because they have no object, over the API."""

from __future__ import annotations

import datetime as dt
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.conventions import valid
from controls.api.idempotency import idempotent
from controls.applicability import decide_not_applicable
from controls.approvals import refuse_stale
from controls.early_ends import request_end
from controls.exclusions_in_retrospect import ask_not_applicable, request_end_back
from controls.models import (
    ApplicabilityDecision,
)
from controls.reasons import MAX_REASON
from evidence.api.clocks import BodyDayField
from evidence.api.control_requests import (
    EndRequestSerializer,
    OfControlSerializer,
    RequestViewSet,
)
from evidence.api.retrospect import RetrospectiveChangeSerializer
from evidence.status.control_status import today_of
from srm_project.requests import actor_of


class NotApplicableSerializer(OfControlSerializer):
    """That a control has no object in the system, on which days, and when to look
    again. It holds from `starts_on` (null: from the system's first day) to before the
    earliest of `ended_on`, `voided_from` and the day after `review_by`."""

    review_by = BodyDayField()
    starts_on = BodyDayField(
        required=False,
        help_text="First day; without it today. An earlier day is a change in"
        " retrospect: the answer is 202 with that change.",
    )
    absent_layers = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Layers whose absence it rests on; none named: all that are absent.",
    )

    class Meta:
        model = ApplicabilityDecision
        fields = [
            "uuid",
            "system",
            "control_id",
            "justification",
            "starts_on",
            "ended_on",
            "absent_layers",
            "voided_from",
            "review_by",
            "state",
            "requested_by",
            "decided_by",
            "version",
        ]
        read_only_fields = ["uuid", "ended_on", "voided_from", "state", "version"]
        extra_kwargs = {"justification": {"max_length": MAX_REASON}}


class EndOfExclusionSerializer(serializers.Serializer[Any]):
    """Why it applies again, and from which day; without it, from today."""

    reason = serializers.CharField(max_length=MAX_REASON)
    ends_from = BodyDayField(
        required=False, help_text="First day on which it holds no more."
    )


class NotApplicableViewSet(RequestViewSet):
    """Controls left out because they have no object."""

    serializer_class = NotApplicableSerializer
    model = ApplicabilityDecision
    queryset = ApplicabilityDecision.objects.none()

    @extend_schema(
        request=NotApplicableSerializer,
        responses={201: NotApplicableSerializer, 202: RetrospectiveChangeSerializer},
    )
    @idempotent()
    def create(self, request: Request) -> Response:
        """Ask to leave a control out; it holds once another officer approves. With a
        first day before today it is a change in retrospect (202)."""
        control, body = self.requested(request)
        today = today_of(control.system)
        return self.created(
            ask_not_applicable(control, **body, by=actor_of(request), today=today)
        )

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

    @extend_schema(
        request=EndOfExclusionSerializer,
        responses={202: EndRequestSerializer},
    )
    @action(detail=True, methods=["post"])
    def end(self, request: Request, uuid: str) -> Response:
        """Ask that the control applies again; another officer decides (202). As of a
        day before today it is a change in retrospect. Needs If-Match."""
        exclusion, version = self.seen(request)
        body, by = valid(EndOfExclusionSerializer, request), actor_of(request)
        today: dt.date = today_of(exclusion.implementation.system)
        day = body.get("ends_from", today)
        if day < today:
            refuse_stale(exclusion, version)
            return self.created(
                request_end_back(
                    exclusion, ends_from=day, reason=body["reason"], by=by, today=today
                )
            )
        return self.created(
            request_end(
                exclusion,
                ends_from=day,
                reason=body["reason"],
                by=by,
                version=version,
                today=today,
            )
        )

    def _decided(self, request: Request, *, approve: bool) -> Response:
        exclusion, version = self.seen(request)
        decide_not_applicable(
            exclusion,
            approve=approve,
            by=actor_of(request),
            version=version,
            today=today_of(exclusion.implementation.system),
        )
        return self.shown(self.get_object())
