"""Responses to what an auditor will ask about, over the API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controls.access import require_describer
from controls.api.conventions import WithoutETag, valid
from controls.api.idempotency import idempotent
from controls.control_ids import normalised_id
from controls.errors import Refused
from controls.models import ControlImplementation, System
from controls.reasons import MAX_REASON
from evidence.api.clocks import CLOCKS, clocks_of
from evidence.findings.responses import (
    decide_response,
    items_answered,
    require_response_decider,
    respond,
)
from evidence.models import ItemKind, ItemResponse
from evidence.models.observations import MAX_PART
from evidence.models.responses import MAX_OWNER
from evidence.models.reviews import ReviewDecision
from evidence.status.control_status import NOT_RECORDED
from srm_project.requests import actor_of


class ResponseSerializer(serializers.ModelSerializer[ItemResponse]):
    """What the company says; it stands beside the item once `decision` is accept.

    It answers what was counted when it was written: the days, `late_days` of a late
    period, `events` of a sample by their places in the population.
    """

    decision: Any = serializers.CharField(
        source="decision.decision", read_only=True, default=""
    )

    class Meta:
        model = ItemResponse
        fields = ["uuid", "kind", "title", "starts", "ends", "late_days", "events"]
        fields += ["cause", "effect"]
        fields += ["measures", "compensating", "owner", "responder_name"]
        fields += ["responded_on", "decision"]


class ItemSerializer(serializers.Serializer[Any]):
    """What an auditor will ask about; `item` is its key within its control.

    `response` is the accepted one, `waiting` one that a second person has not decided.
    Of `counted` days or events `response` was written about `answered_for`; the item is
    `answered` when these are all. `extent` changes whenever what is counted does.
    """

    control_id = serializers.CharField(source="implementation.control.ref_id")
    item = serializers.CharField(source="item.key")
    kind = serializers.ChoiceField(source="item.kind", choices=ItemKind.choices)
    title = serializers.CharField(source="item.title")
    starts = serializers.DateField(source="item.starts")
    ends = serializers.DateField(source="item.ends")
    extent = serializers.CharField(source="item.extent.key")
    counted = serializers.IntegerField()
    answered_for = serializers.IntegerField(source="answered_of")
    answered = serializers.BooleanField(source="is_answered")
    lacking = serializers.CharField(source="lacking_words")
    response = ResponseSerializer(source="accepted", allow_null=True)
    waiting = ResponseSerializer(allow_null=True)


class NewResponseSerializer(serializers.Serializer[Any]):
    """A response to one item of one control, as the list names them.

    With `extent` as it was read there it is refused (409) once more is counted.
    """

    control_id = serializers.CharField(max_length=MAX_PART)
    item = serializers.CharField(max_length=16)
    extent = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=16
    )
    cause = serializers.CharField(max_length=MAX_REASON)
    effect = serializers.CharField(max_length=MAX_REASON)
    measures = serializers.CharField(max_length=MAX_REASON)
    compensating = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=MAX_REASON
    )
    owner = serializers.CharField(max_length=MAX_OWNER)


class ResponseDecisionSerializer(serializers.Serializer[Any]):
    """A second person's word; a rejection says why."""

    decision = serializers.ChoiceField(choices=ReviewDecision.choices)
    reason = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=MAX_REASON
    )


class ItemsView(APIView):
    """What an auditor will ask about in a window, with the responses."""

    @extend_schema(
        parameters=CLOCKS,
        operation_id="systems_responses_list",
        responses=ItemSerializer(many=True),
    )
    def get(self, request: Request, slug: str) -> Response:
        """All items of the window, in the catalog's order."""
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=slug)
        moment, window = clocks_of(request, system)
        try:
            rows = items_answered(system, moment, window)
        except LookupError as unknown:
            raise Refused({"known_at": NOT_RECORDED}) from unknown
        return Response(ItemSerializer(rows, many=True).data)

    @extend_schema(
        parameters=CLOCKS,
        request=NewResponseSerializer,
        responses={201: ResponseSerializer},
    )
    @idempotent()
    def post(self, request: Request, slug: str) -> Response:
        """Respond, as an officer or the owner team; 409 while a response waits."""
        body = valid(NewResponseSerializer, request)
        named = body.pop("control_id")
        mine = ControlImplementation.objects.visible_to(actor_of(request))
        implementation = get_object_or_404(
            mine.select_related("system", "control"),
            system__slug=slug,
            control__ref_id=normalised_id(named) or named,
        )
        require_describer(implementation, actor_of(request))
        _, window = clocks_of(request, implementation.system)
        made = respond(
            implementation,
            body.pop("item"),
            window,
            seen=body.pop("extent"),
            **body,
            by=actor_of(request),
        )
        return Response(ResponseSerializer(made).data, status=201)


class ResponseViewSet(
    WithoutETag, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]
):
    """Responses, and the second person's decision on each."""

    serializer_class = ResponseSerializer
    lookup_field = "uuid"
    queryset = ItemResponse.objects.none()

    def get_queryset(self) -> QuerySet[Any]:
        """Only what `visible_to` allows."""
        rows: QuerySet[Any] = ItemResponse.objects.visible_to(actor_of(self.request))
        return rows.select_related("system", "implementation", "decision")

    @extend_schema(request=ResponseDecisionSerializer, responses=ResponseSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, uuid: str) -> Response:
        """Accept or reject it; 409 when it is decided."""
        response = self.get_object()
        require_response_decider(response, by=actor_of(request))
        body = valid(ResponseDecisionSerializer, request)
        decide_response(response, **body, by=actor_of(request))
        return Response(ResponseSerializer(self.get_object()).data)
