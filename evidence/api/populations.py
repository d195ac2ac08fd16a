"""Populations over the API: submitted, judged, withdrawn, drawn from."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.bodies import (
    KeptJSONParser,
    LinesFormParser,
    LinesMultiPartParser,
)
from controls.api.conventions import ByKey, WithoutETag, page_of, valid
from controls.api.filters import in_state, of_ask, of_control, of_system
from controls.api.idempotency import idempotent
from controls.errors import Refused
from evidence.api.clocks import BodyDayField
from evidence.api.removals import WhySerializer
from evidence.api.reviews import AcceptanceSerializer, day_of
from evidence.api.samples import NewSampleSerializer, SampleSerializer
from evidence.api.uploads import Streaming
from evidence.models import Population, PopulationItem, RequirementControl, Sample
from evidence.models.populations import PopulationState
from evidence.populations.event_list import Events, of_rows
from evidence.populations.populations import (
    PopulationStatement,
    bring_list,
    decide_population,
    submit_population,
    withdraw_population,
)
from evidence.populations.preview import read
from evidence.populations.samples import draw_sample
from evidence.populations.selection import SelectionMethod
from evidence.populations.who_may import require_population_submitter
from evidence.status.control_status import today_of
from evidence.submissions.uploads import Upload
from evidence.submissions.waiting_files import WaitingFile
from srm_project.requests import actor_of


class PopulationSerializer(serializers.ModelSerializer[Population]):
    """All events of some days; both days are inclusive."""

    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    requirement = serializers.UUIDField(source="requirement.uuid")
    drawn_by = serializers.CharField(source="drawn_by.email")
    state = serializers.CharField()

    class Meta:
        model = Population
        fields = [
            "uuid",
            "system",
            "requirement",
            "starts",
            "ends",
            "source",
            "query",
            "completeness",
            "row_count",
            "columns",
            "sha256",
            "drawn_by",
            "drawn_at",
            "state",
        ]


class NewPopulationSerializer(serializers.Serializer[Any]):
    """A population: as a CSV or XLSX `file`, or as JSON `rows` with key and day."""

    requirement = serializers.UUIDField()
    starts = BodyDayField()
    ends = BodyDayField()
    source: Any = serializers.CharField(max_length=200)
    query = serializers.CharField(max_length=5000)
    completeness = serializers.CharField(max_length=5000)
    none_happened = serializers.BooleanField(required=False, default=False)
    file = serializers.FileField(required=False)
    rows = serializers.ListField(
        child=serializers.DictField(child=serializers.CharField(allow_blank=True)),
        required=False,
        help_text="Each with key, day and further columns.",
    )


class EventSerializer(serializers.ModelSerializer[PopulationItem]):
    """One event; `position` counts from 1."""

    class Meta:
        model = PopulationItem
        fields = ["position", "key", "happened_on", "columns"]


Brought = tuple[RequirementControl, PopulationStatement, Events, Upload | None]


def _bring(view: PopulationViewSet, request: Request) -> None:
    """Read the list and send it to the store, while nobody waits for the key."""
    requirement, drawn, events, upload = view.brought(request)
    today = today_of(requirement.system)
    bring_list(requirement, drawn, events, upload, by=actor_of(request), today=today)


class PopulationViewSet(
    WithoutETag,
    Streaming,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Population],
):
    """Populations the caller may read. They are never changed, so there is no ETag."""

    serializer_class = PopulationSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = Population.objects.none()
    filters = {
        "system": of_system(),
        "control": of_control("requirement__implementation__control"),
        "ask": of_ask("requirement__ask", "requirement__joined"),
        "state": in_state(PopulationState.values),
    }
    _brought: Brought | None = None
    parser_classes = [KeptJSONParser, LinesMultiPartParser, LinesFormParser]

    def get_queryset(self) -> QuerySet[Population]:
        """Only what `visible_to` allows."""
        return Population.objects.visible_to(actor_of(self.request)).for_listing()

    @extend_schema(request=NewPopulationSerializer, responses=PopulationSerializer)
    @idempotent(before=_bring)
    def create(self, request: Request) -> Response:
        """Record a population with all its events, or nothing."""
        requirement, drawn, events, upload = self.brought(request)
        made = submit_population(
            requirement,
            drawn,
            events,
            upload=upload,
            by=actor_of(request),
            today=today_of(requirement.system),
        )
        shown = self.get_queryset().get(pk=made.pk)
        return Response(PopulationSerializer(shown).data, status=201)

    def brought(self, request: Request) -> Brought:
        """For what a population is, what the body says of it, its list; read once."""
        if self._brought is None:
            self._brought = self._read(request)
        return self._brought

    def _read(self, request: Request) -> Brought:
        self.refuse_unread(request)
        body = valid(NewPopulationSerializer, request)
        mine = RequirementControl.objects.visible_to(actor_of(request)).for_listing()
        requirement = get_object_or_404(mine, uuid=body.pop("requirement"))
        require_population_submitter(requirement, by=actor_of(request))
        upload, rows = _upload(body.pop("file", None)), body.pop("rows", None)
        drawn = PopulationStatement(**body)
        events = _events(upload, rows, drawn, zone=requirement.system.zone)
        return requirement, drawn, events, upload

    @extend_schema(responses=EventSerializer(many=True))
    @action(detail=True, methods=["get"])
    def items(self, request: Request, uuid: str) -> Response:
        """Its events in the order of the list."""
        events = self.get_object().items.order_by("position")
        return page_of(self, events, EventSerializer)

    @extend_schema(request=AcceptanceSerializer, responses=PopulationSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, uuid: str) -> Response:
        """Judge it complete and accurate; not by who drew it."""
        body = valid(AcceptanceSerializer, request)
        decide_population(
            self.get_object(),
            accept=True,
            reason=body["reason"],
            by=actor_of(request),
            day=day_of(body),
        )
        return Response(PopulationSerializer(self.get_object()).data)

    @extend_schema(request=WhySerializer, responses=PopulationSerializer)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, uuid: str) -> Response:
        """Say why it is not complete or accurate."""
        why = valid(WhySerializer, request)["reason"]
        decide_population(
            self.get_object(), accept=False, reason=why, by=actor_of(request)
        )
        return Response(PopulationSerializer(self.get_object()).data)

    @extend_schema(request=WhySerializer, responses=PopulationSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, uuid: str) -> Response:
        """Take it back, with a reason."""
        why = valid(WhySerializer, request)["reason"]
        withdraw_population(self.get_object(), reason=why, by=actor_of(request))
        return Response(PopulationSerializer(self.get_object()).data)

    @extend_schema(request=NewSampleSerializer, responses=SampleSerializer)
    @action(detail=True, methods=["post"])
    @idempotent()
    def draw(self, request: Request, uuid: str) -> Response:
        """Draw a sample; without a seed one is made."""
        body = valid(NewSampleSerializer, request)
        reason = body.pop("reason")
        made = draw_sample(
            self.get_object(),
            SelectionMethod(**body),
            reason=reason,
            by=actor_of(request),
        )
        shown = Sample.objects.for_listing().get(pk=made.pk)
        return Response(SampleSerializer(shown).data, status=201)


def _upload(file: Any) -> Upload | None:
    return file.as_upload() if isinstance(file, WaitingFile) else None


def _events(
    upload: Upload | None,
    rows: list[dict[str, Any]] | None,
    drawn: PopulationStatement,
    *,
    zone: dt.tzinfo,
) -> Events:
    """The events sent, one way or the other. Raises Refused naming lines."""
    if upload is not None and rows is not None:
        raise Refused({"rows": "Send a file or rows, not both."})
    events = read(upload, drawn, zone=zone)
    if rows:
        events = of_rows(rows, drawn.starts, drawn.ends, zone=zone)
    if events.wrong:
        lines = [f"Line {fault.line}: {fault.text}" for fault in events.errors]
        raise Refused({"rows" if rows else "file": lines})
    return events
