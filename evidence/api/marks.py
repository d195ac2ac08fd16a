"""What auditors write, over the API: marks of controls and results of sampled events.

Officers of the system read them; nobody but the engagement's auditors writes.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from controls import clock
from controls.api.conventions import ByKey, etag, expected_version, valid
from controls.api.filters import Filter, in_state, of_control, of_system
from controls.api.idempotency import idempotent
from controls.control_ids import normalised_id
from controls.models import ControlImplementation, Engagement
from controls.reasons import MAX_REASON
from evidence.engagements.item_results import record_result
from evidence.engagements.marks import NO_VERSION, MarkDraft, mark_control
from evidence.engagements.who_may import require_marker
from evidence.models import ControlMark, SampleItem, TestedItem
from evidence.models.marks import (
    MAX_REFERENCE,
    AssessmentMethod,
    ItemResult,
    MarkState,
)
from srm_project.requests import actor_of

OF_ENGAGEMENT = Filter(
    "The uuid of an engagement.",
    lambda rows, text: rows.filter(engagement__uuid=text),
    format="uuid",
)


class ControlMarkSerializer(serializers.ModelSerializer[ControlMark]):
    """What the auditors of an engagement say of a control. No verdict reads it."""

    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    engagement = serializers.UUIDField(source="engagement.uuid")
    control_id = serializers.CharField(source="implementation.control.ref_id")
    marked_by = serializers.CharField(source="marked_by.name")

    class Meta:
        model = ControlMark
        fields = [
            "uuid",
            "system",
            "engagement",
            "control_id",
            "state",
            "methods",
            "reference",
            "note",
            "marked_by",
            "marked_at",
            "version",
        ]


class ControlMarkEditSerializer(serializers.Serializer[Any]):
    """What a mark says; what is not named stays."""

    state = serializers.ChoiceField(choices=MarkState.choices, required=False)
    methods = serializers.ListField(
        child=serializers.ChoiceField(choices=AssessmentMethod.choices),
        required=False,
        max_length=len(AssessmentMethod.values),
    )
    reference = serializers.CharField(
        required=False, allow_blank=True, max_length=MAX_REFERENCE
    )
    note = serializers.CharField(
        required=False, allow_blank=True, max_length=MAX_REASON
    )


class NewControlMarkSerializer(ControlMarkEditSerializer):
    """The first mark of a control in an engagement."""

    engagement = serializers.UUIDField()
    control_id = serializers.CharField(max_length=40)
    state = serializers.ChoiceField(choices=MarkState.choices)


class TestedItemSerializer(serializers.ModelSerializer[TestedItem]):
    """What the auditors of an engagement found of a sampled event."""

    __test__ = False  # no test of pytest's

    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    engagement = serializers.UUIDField(source="engagement.uuid")
    sample = serializers.UUIDField(source="sample_item.sample.uuid")
    item = serializers.UUIDField(source="sample_item.uuid")
    key = serializers.CharField(source="sample_item.item.key")
    tested_by = serializers.CharField(source="tested_by.name")

    class Meta:
        model = TestedItem
        fields = [
            "uuid",
            "system",
            "engagement",
            "sample",
            "item",
            "key",
            "result",
            "note",
            "tested_by",
            "tested_at",
            "version",
        ]


class ItemResultSerializer(serializers.Serializer[Any]):
    """A result; an exception says what it is."""

    result = serializers.ChoiceField(choices=ItemResult.choices)
    note = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=MAX_REASON
    )


class NewItemResultSerializer(ItemResultSerializer):
    """The first result of a sampled event (`item`, of `/samples/{uuid}/items/`)."""

    engagement = serializers.UUIDField()
    item = serializers.UUIDField()


class _OfAudit(viewsets.ReadOnlyModelViewSet[Any]):
    """What marks and results share: who reads them, and who writes."""

    pagination_class = ByKey
    lookup_field = "uuid"

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One with its ETag."""
        return self.shown(self.get_object())

    def engagement_of(self, request: Request, uuid: Any) -> Engagement:
        """The engagement that a body names, for one of its auditors."""
        mine = Engagement.objects.open_to(actor_of(request)).select_related("system")
        engagement: Engagement = get_object_or_404(mine, uuid=uuid)
        require_marker(engagement, by=actor_of(request))
        return engagement

    def shown(self, row: Any, status: int = 200) -> Response:
        """One as it stands now, with its ETag."""
        stored = self.get_queryset().get(pk=row.pk)
        kind: Any = self.get_serializer_class()
        headers = {"ETag": etag(stored)}
        return Response(kind(stored).data, status=status, headers=headers)


class MarkViewSet(_OfAudit):
    """Marks of the engagements that the caller audits or is an officer of."""

    serializer_class = ControlMarkSerializer
    queryset = ControlMark.objects.none()
    filters = {
        "system": of_system(),
        "engagement": OF_ENGAGEMENT,
        "control": of_control("implementation__control"),
        "state": in_state(MarkState.values),
    }

    def get_queryset(self) -> QuerySet[ControlMark]:
        """Only what `visible_to` allows."""
        mine = ControlMark.objects.visible_to(actor_of(self.request))
        return mine.select_related(
            "system", "engagement__system", "implementation__control", "marked_by"
        ).order_by("pk")

    @extend_schema(
        request=NewControlMarkSerializer, responses={201: ControlMarkSerializer}
    )
    @idempotent()
    def create(self, request: Request) -> Response:
        """Mark a control for the first time, as an auditor; 409 where it is marked."""
        body = valid(NewControlMarkSerializer, request)
        engagement = self.engagement_of(request, body.pop("engagement"))
        named = body.pop("control_id")
        rows = ControlImplementation.objects.filter(system=engagement.system)
        implementation = get_object_or_404(
            rows.select_related("control", "system"),
            control__ref_id=normalised_id(named) or named,
        )
        made = mark_control(
            engagement,
            implementation,
            MarkDraft(**body),
            by=actor_of(request),
            now=clock.now(),
            version=NO_VERSION,
        )
        return self.shown(made, 201)

    @extend_schema(request=ControlMarkEditSerializer, responses=ControlMarkSerializer)
    def partial_update(self, request: Request, uuid: str) -> Response:
        """Change a mark, as an auditor; needs If-Match."""
        mark = self.get_object()
        require_marker(mark.engagement, by=actor_of(request))
        version = expected_version(request, mark)
        body = valid(ControlMarkEditSerializer, request)
        names = ("state", "methods", "reference", "note")
        draft = {name: body.get(name, getattr(mark, name)) for name in names}
        saved = mark_control(
            mark.engagement,
            mark.implementation,
            MarkDraft(**draft),
            by=actor_of(request),
            now=clock.now(),
            version=version,
        )
        return self.shown(saved)


class TestedItemViewSet(_OfAudit):
    """Results of sampled events, of the same engagements."""

    __test__ = False  # no test of pytest's

    serializer_class = TestedItemSerializer
    queryset = TestedItem.objects.none()
    filters = {
        "system": of_system(),
        "engagement": OF_ENGAGEMENT,
        "result": Filter(
            "A result.",
            lambda rows, text: rows.filter(result=text),
            words=tuple(ItemResult.values),
        ),
    }

    def get_queryset(self) -> QuerySet[TestedItem]:
        """Only what `visible_to` allows."""
        mine = TestedItem.objects.visible_to(actor_of(self.request))
        return mine.select_related(
            "system",
            "engagement__system",
            "sample_item__sample",
            "sample_item__item",
            "tested_by",
        ).order_by("pk")

    @extend_schema(
        request=NewItemResultSerializer, responses={201: TestedItemSerializer}
    )
    @idempotent()
    def create(self, request: Request) -> Response:
        """Record what was found of a sampled event, as an auditor; 409 where a result
        stands."""
        body = valid(NewItemResultSerializer, request)
        engagement = self.engagement_of(request, body["engagement"])
        mine = SampleItem.objects.visible_to(actor_of(request)).for_upload()
        item = get_object_or_404(
            mine, uuid=body["item"], sample__system=engagement.system_id
        )
        return self._recorded(request, engagement, item, body, NO_VERSION, 201)

    @extend_schema(request=ItemResultSerializer, responses=TestedItemSerializer)
    def partial_update(self, request: Request, uuid: str) -> Response:
        """Change a result, as an auditor; needs If-Match."""
        tested = self.get_object()
        require_marker(tested.engagement, by=actor_of(request))
        version = expected_version(request, tested)
        body = valid(ItemResultSerializer, request)
        item = tested.sample_item
        return self._recorded(request, tested.engagement, item, body, version)

    def _recorded(
        self,
        request: Request,
        engagement: Engagement,
        item: SampleItem,
        body: dict[str, Any],
        version: int | None,
        status: int = 200,
    ) -> Response:
        saved = record_result(
            engagement,
            item,
            result=body["result"],
            note=body["note"],
            by=actor_of(request),
            now=clock.now(),
            version=version,
        )
        return self.shown(saved, status)
