"""Samples of populations over the API: how one is drawn, its items, what deviates."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.conventions import ByKey, WithoutETag, page_of, valid
from controls.api.filters import of_ask, of_control, of_system
from controls.api.idempotency import idempotent
from controls.reasons import MAX_REASON
from evidence.models import Sample, SampleItem, SampleMethod
from evidence.populations.samples import record_deviation
from srm_project.requests import actor_of


class NewSampleSerializer(serializers.Serializer[Any]):
    """How to draw: size and seed at random, every and first, or positions by hand."""

    method = serializers.ChoiceField(choices=SampleMethod.choices)
    reason = serializers.CharField(max_length=MAX_REASON)
    size = serializers.IntegerField(required=False, allow_null=True, default=None)
    seed = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=100
    )
    every = serializers.IntegerField(required=False, allow_null=True, default=None)
    first = serializers.IntegerField(required=False, allow_null=True, default=None)
    positions = serializers.ListField(
        child=serializers.IntegerField(), required=False, default=list
    )


class SampleSerializer(serializers.ModelSerializer[Sample]):
    """A sample, with what is needed to draw it again."""

    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    population = serializers.UUIDField(source="population.uuid")
    drawn_by = serializers.CharField(source="drawn_by.email")
    deviations = serializers.IntegerField(source="deviating")

    class Meta:
        model = Sample
        fields = [
            "uuid",
            "system",
            "population",
            "method",
            "size",
            "seed",
            "every",
            "first",
            "reason",
            "drawn_by",
            "drawn_at",
            "deviations",
        ]


class SampleItemSerializer(serializers.ModelSerializer[SampleItem]):
    """A sampled event: open, submitted, accepted or rejected, and what deviates."""

    position = serializers.IntegerField(source="item.position")
    key = serializers.CharField(source="item.key")
    happened_on = serializers.DateField(source="item.happened_on")
    state = serializers.CharField()
    evidence = serializers.UUIDField(source="link_evidence", allow_null=True)
    deviation = serializers.CharField(source="deviation_note", allow_null=True)

    class Meta:
        model = SampleItem
        fields = [
            "uuid",
            "position",
            "key",
            "happened_on",
            "state",
            "evidence",
            "deviation",
        ]


class NewDeviationSerializer(serializers.Serializer[Any]):
    """Which sampled item deviates, and in what."""

    item = serializers.UUIDField()
    note = serializers.CharField(max_length=MAX_REASON)


class SampleViewSet(
    WithoutETag,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Sample],
):
    """Samples the caller may read."""

    serializer_class = SampleSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = Sample.objects.none()
    filters = {
        "system": of_system(),
        "control": of_control("population__requirement__implementation__control"),
        "ask": of_ask(
            "population__requirement__ask", "population__requirement__joined"
        ),
    }

    def get_queryset(self) -> QuerySet[Sample]:
        """Only what `visible_to` allows."""
        return Sample.objects.visible_to(actor_of(self.request)).for_listing()

    @extend_schema(responses=SampleItemSerializer(many=True))
    @action(detail=True, methods=["get"])
    def items(self, request: Request, uuid: str) -> Response:
        """Its items, each with the state of its proof."""
        items = self.get_object().items.with_state().select_related("item")
        return page_of(self, items, SampleItemSerializer)

    @extend_schema(request=NewDeviationSerializer, responses=SampleItemSerializer)
    @action(detail=True, methods=["post"])
    @idempotent()
    def deviations(self, request: Request, uuid: str) -> Response:
        """Record that one of its items was not handled as asked."""
        body = valid(NewDeviationSerializer, request)
        mine = self.get_object().items.for_listing()
        item = get_object_or_404(mine, uuid=body["item"])
        record_deviation(item, note=body["note"], by=actor_of(request))
        return Response(SampleItemSerializer(mine.get(pk=item.pk)).data, status=201)
