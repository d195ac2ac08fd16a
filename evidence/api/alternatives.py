"""Other ways to meet a control, over the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls import clock
from controls.alternatives import AlternativeDraft, decide_alternative
from controls.api.conventions import valid
from controls.api.idempotency import idempotent
from controls.early_ends import request_end
from controls.models import AlternativeImplementation
from controls.reasons import MAX_REASON
from evidence.api.clocks import BodyDayField
from evidence.api.control_requests import EndRequestSerializer
from evidence.api.overrides import OfControlSerializer, RequestViewSet
from evidence.requirements.alternatives import request_with_requirements
from srm_project.requests import actor_of


class AlternativeSerializer(OfControlSerializer):
    """Another way to meet a control, from a day to a day (both inclusive).

    `ended_on` is the first day on which it holds no more, once its end is approved.
    """

    requirements = serializers.ListField(
        child=serializers.UUIDField(),
        source="requirement_uuids",
        help_text="What is asked of it: requirements of the control.",
    )
    starts_on = BodyDayField()
    review_by = BodyDayField(help_text="The last day on which it holds.")
    end_requested_by = serializers.CharField(
        source="end_requested_by.email", read_only=True, default=None
    )
    ended_by = serializers.CharField(
        source="ended_by.email", read_only=True, default=None
    )

    class Meta:
        model = AlternativeImplementation
        fields = [
            "uuid",
            "system",
            "control_id",
            "constraint",
            "objective",
            "residual_risk",
            "requirements",
            "starts_on",
            "review_by",
            "requested_on",
            "state",
            "requested_by",
            "decided_by",
            "end_reason",
            "end_requested_by",
            "ended_on",
            "ended_by",
            "version",
        ]
        read_only_fields = [
            "uuid",
            "requested_on",
            "state",
            "end_reason",
            "ended_on",
            "version",
        ]
        extra_kwargs = {
            name: {"max_length": MAX_REASON}
            for name in ("constraint", "objective", "residual_risk")
        }


class EndOfAlternativeSerializer(serializers.Serializer[Any]):
    """Why it ends, and the first day on which it holds no more: today unless named."""

    reason = serializers.CharField(max_length=MAX_REASON)
    ends_on = BodyDayField(required=False)


class AlternativeViewSet(RequestViewSet):
    """Other ways to meet controls than they say."""

    serializer_class = AlternativeSerializer
    model = AlternativeImplementation
    queryset = AlternativeImplementation.objects.none()

    @extend_schema(
        request=AlternativeSerializer, responses={201: AlternativeSerializer}
    )
    @idempotent()
    def create(self, request: Request) -> Response:
        """Ask to meet a control in another way; another officer approves it."""
        control, body = self.requested(request)
        made = request_with_requirements(
            control,
            AlternativeDraft(**body),
            by=actor_of(request),
            today=control.system.day_of(clock.now()),
        )
        return self.shown(made, status=201)

    @extend_schema(request=None, responses=AlternativeSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, uuid: str) -> Response:
        """Approve it as another officer; needs If-Match."""
        return self._decided(request, approve=True)

    @extend_schema(request=None, responses=AlternativeSerializer)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, uuid: str) -> Response:
        """Refuse it as another officer; needs If-Match."""
        return self._decided(request, approve=False)

    @extend_schema(
        request=EndOfAlternativeSerializer, responses={202: EndRequestSerializer}
    )
    @action(detail=True, methods=["post"])
    def end(self, request: Request, uuid: str) -> Response:
        """Ask to end it, with a reason; another officer decides on the end (202).
        Needs If-Match."""
        alternative, version = self.seen(request)
        body = valid(EndOfAlternativeSerializer, request)
        return self.created(
            request_end(
                alternative,
                reason=body["reason"],
                ends_from=body.get("ends_on"),
                by=actor_of(request),
                today=alternative.system.day_of(clock.now()),
                version=version,
            )
        )

    def _decided(self, request: Request, *, approve: bool) -> Response:
        alternative, version = self.seen(request)
        decide_alternative(
            alternative,
            approve=approve,
            by=actor_of(request),
            today=alternative.system.day_of(clock.now()),
            version=version,
        )
        return self.shown(self.get_object())
