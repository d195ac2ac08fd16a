"""Other classes than the derived ones, over the API."""

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
from controls.early_ends import request_end
from controls.models import (
    ResponsibilityOverride,
)
from controls.reasons import MAX_REASON
from controls.responsibility.overrides import (
    ask_override,
    decide_override,
    settle_override,
)
from evidence.api.clocks import BodyDayField
from evidence.api.control_requests import (
    EndRequestSerializer,
    OfControlSerializer,
    RequestViewSet,
)
from evidence.api.retrospect import RetrospectiveChangeSerializer
from evidence.status.control_status import today_of
from srm_project.requests import actor_of


class OverrideSerializer(OfControlSerializer):
    """Another class for a control, from a day to a day (both inclusive)."""

    citation = serializers.CharField(required=False, default="", max_length=300)
    needed_from = serializers.CharField(
        required=False,
        default="",
        max_length=120,
        help_text="`service:` and the slug of one in use, or `report:` and the short"
        " name of a series of AWS's: needed to move a duty to AWS.",
    )
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
            "needed_from",
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


class SettleSerializer(serializers.Serializer[Any]):
    """From which day (without it, today), and why where it has not expired yet."""

    on = BodyDayField(required=False)
    reason = serializers.CharField(max_length=MAX_REASON, required=False, default="")


class OverrideViewSet(RequestViewSet):
    """Other classes than the derived ones."""

    serializer_class = OverrideSerializer
    model = ResponsibilityOverride
    queryset = ResponsibilityOverride.objects.none()

    @extend_schema(
        request=OverrideSerializer,
        responses={201: OverrideSerializer, 202: RetrospectiveChangeSerializer},
    )
    @idempotent()
    def create(self, request: Request) -> Response:
        """Ask for another class; it holds once another officer approves. With a first
        day before today it is a change in retrospect (202)."""
        control, body = self.requested(request)
        today = today_of(control.system)
        return self.created(
            ask_override(control, **body, by=actor_of(request), today=today)
        )

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

    @extend_schema(
        request=SettleSerializer,
        responses={200: OverrideSerializer, 202: EndRequestSerializer},
    )
    @action(detail=True, methods=["post"])
    def settle(self, request: Request, uuid: str) -> Response:
        """Let an expired one count no more; ask to end a running one early (202), which
        another officer decides. Needs If-Match."""
        override, version = self.seen(request)
        today: dt.date = today_of(override.implementation.system)
        body = valid(SettleSerializer, request)
        on, by = body.get("on", today), actor_of(request)
        if today <= override.ends_on:
            return self.created(
                request_end(
                    override,
                    ends_from=on,
                    reason=body["reason"],
                    by=by,
                    version=version,
                    today=today,
                )
            )
        settle_override(override, on=on, by=by, version=version, today=today)
        return self.shown(self.get_object())

    def _decided(self, request: Request, *, approve: bool) -> Response:
        override, version = self.seen(request)
        today = today_of(override.implementation.system)
        decide_override(
            override,
            approve=approve,
            by=actor_of(request),
            version=version,
            today=today,
        )
        return self.shown(self.get_object())
