"""Failing observations, findings and their dispositions over the API.

One file: observations and findings share their lists, clocks and dispositions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.conventions import ByKey, WithoutETag, valid
from controls.api.filters import of_control, of_system
from controls.api.idempotency import idempotent
from controls.control_ids import normalised_id
from controls.models import ControlImplementation
from controls.reasons import MAX_REASON
from evidence.api.clocks import CLOCKS, BodyDayField, clocks_of
from evidence.findings.dispositions import decide_disposition, request_disposition
from evidence.findings.recording import record_finding, record_observation
from evidence.findings.standing import finding_standings, observation_standings
from evidence.findings.who_may import require_asker, require_decider, require_recorder
from evidence.models import (
    Disposition,
    DispositionKind,
    EvidenceLink,
    FailingObservation,
    Finding,
    Severity,
)
from evidence.models.findings import MAX_TITLE
from evidence.models.observations import MAX_PART, MAX_SOURCE
from evidence.models.reviews import ReviewDecision
from evidence.status.control_status import now, today_of
from evidence.status.rows import Moment
from srm_project.requests import actor_of

STATES_OF_OBSERVATIONS = [
    ("open", "Open: nothing was made of it"),
    ("explained", "Explained: no failure"),
    ("finding", "A finding took its place"),
]
STATES_OF_FINDINGS = [
    ("open", "Open"),
    ("overdue", "Overdue"),
    ("closed", "Closed"),
    ("false-positive", "False positive: never a weakness"),
]


class DispositionSerializer(serializers.ModelSerializer[Disposition]):
    """What is asked for; it counts once `decision` is accept.

    `link` is the link of the evidence that closes a finding.
    """

    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    finding = serializers.UUIDField(
        source="finding.uuid", read_only=True, default=None, allow_null=True
    )
    observation = serializers.UUIDField(
        source="observation.uuid", read_only=True, default=None, allow_null=True
    )
    link = serializers.UUIDField(
        source="link.uuid", read_only=True, default=None, allow_null=True
    )
    decision: Any = serializers.CharField(
        source="decision.decision", read_only=True, default=""
    )
    decided_on: Any = serializers.DateField(
        source="decision.decided_on", read_only=True, default=None, allow_null=True
    )

    class Meta:
        model = Disposition
        fields = ["uuid", "system", "finding", "observation", "kind", "text"]
        fields += ["severity", "link", "requester_name", "requested_on", "decision"]
        fields += ["decided_on"]


class NewDispositionSerializer(serializers.Serializer[Any]):
    """What is asked for: `link` (of evidence) for a closure, `severity` for a risk
    adjustment."""

    kind = serializers.ChoiceField(choices=DispositionKind.choices)
    text = serializers.CharField(max_length=MAX_REASON)
    severity = serializers.ChoiceField(choices=Severity.choices, required=False)
    link = serializers.UUIDField(required=False)


class DispositionDecisionSerializer(serializers.Serializer[Any]):
    """A second person's word; a rejection says why, and a deviation accepted in a
    FedRAMP system names the authorizing official."""

    decision = serializers.ChoiceField(choices=ReviewDecision.choices)
    reason = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=MAX_REASON
    )
    official = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=MAX_SOURCE
    )


class _OfControlSerializer(serializers.Serializer[Any]):
    """Which control of which system, and perhaps which of its parts."""

    system: Any = serializers.SlugField()
    control_id = serializers.CharField(max_length=MAX_PART)
    part = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=MAX_PART
    )


class NewObservationSerializer(_OfControlSerializer):
    """A control that was seen to fail on a day."""

    source: Any = serializers.CharField(max_length=MAX_SOURCE)
    text = serializers.CharField(max_length=MAX_REASON)
    observed_on = BodyDayField()


class NewFindingSerializer(_OfControlSerializer):
    """A finding; of an `observation` it takes the day, and what else is not said."""

    title = serializers.CharField(max_length=MAX_TITLE)
    severity = serializers.ChoiceField(choices=Severity.choices)
    text = serializers.CharField(max_length=MAX_REASON)
    source: Any = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=MAX_SOURCE
    )
    found_on = BodyDayField(required=False)
    observation = serializers.UUIDField(required=False)


class ObservationSerializer(serializers.Serializer[Any]):
    """What failed, and whether anything was made of it: `open`, `explained`, or a
    `finding` took its place."""

    uuid = serializers.UUIDField(source="observation.uuid")
    system = serializers.SlugField(source="observation.system.slug")
    control_id = serializers.CharField(
        source="observation.implementation.control.ref_id"
    )
    part = serializers.CharField(source="observation.part")
    source: Any = serializers.CharField(source="observation.source")
    text = serializers.CharField(source="observation.text")
    observed_on = serializers.DateField(source="observation.observed_on")
    recorder_name = serializers.CharField(source="observation.recorder_name")
    state = serializers.ChoiceField(choices=STATES_OF_OBSERVATIONS)
    finding = serializers.UUIDField(
        source="finding.uuid", default=None, allow_null=True
    )


class FindingSerializer(serializers.Serializer[Any]):
    """A finding on the day asked about: `age_days` and `overdue_days` count to it;
    `severity` is that of an accepted risk adjustment."""

    uuid = serializers.UUIDField(source="finding.uuid")
    system = serializers.SlugField(source="finding.system.slug")
    control_id = serializers.CharField(source="finding.implementation.control.ref_id")
    part = serializers.CharField(source="finding.part")
    title = serializers.CharField(source="finding.title")
    text = serializers.CharField(source="finding.text")
    source: Any = serializers.CharField(source="finding.source")
    severity = serializers.ChoiceField(choices=Severity.choices)
    recorder_name = serializers.CharField(source="finding.recorder_name")
    found_on = serializers.DateField(source="finding.found_on")
    observation = serializers.UUIDField(
        source="finding.observation.uuid", default=None, allow_null=True
    )
    state = serializers.ChoiceField(choices=STATES_OF_FINDINGS)
    age_days = serializers.IntegerField(source="days")
    due_on = serializers.DateField(allow_null=True)
    overdue_days = serializers.IntegerField()
    closed_on = serializers.DateField(
        source="facts.closed_on", default=None, allow_null=True
    )


class _SubjectViewSet(
    WithoutETag, mixins.ListModelMixin, viewsets.GenericViewSet[Any], ABC
):
    """What findings and observations share: lists of today, one about any day."""

    pagination_class = ByKey
    lookup_field = "uuid"
    filters = {"system": of_system(), "control": of_control("implementation__control")}
    model: Any

    def get_queryset(self) -> QuerySet[Any]:
        """Only what `visible_to` allows."""
        rows = self.model.objects.visible_to(actor_of(self.request)).for_listing()
        listed: QuerySet[Any] = rows.select_related(
            "implementation__owner_team", "implementation__system"
        )
        return listed

    @abstractmethod
    def standings(self, rows: list[Any], moment: Moment) -> list[Any]:
        """Where each stands."""

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Those that the caller may read, each as it stands today."""
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        by_day: dict[Any, list[Any]] = {}
        instant = now()
        for row in page:
            by_day.setdefault(row.system.day_of(instant), []).append(row)
        standings = {
            row.pk: standing
            for day, rows in by_day.items()
            for row, standing in zip(
                rows, self.standings(rows, Moment(day)), strict=True
            )
        }
        kind: Any = self.get_serializer_class()
        shown = kind([standings[row.pk] for row in page], many=True)
        return self.get_paginated_response(shown.data)

    def retrieve(self, request: Request, uuid: str) -> Response:
        """One, about the day and the knowledge asked for; 404 where it was recorded or
        seen later."""
        row = self.get_object()
        moment, _ = clocks_of(request, row.system)
        unknown = moment.known_at and row.known_from >= moment.known_at
        if unknown or moment.on < row.first_day:
            raise NotFound
        return self.shown(row, moment)

    def shown(self, row: Any, moment: Moment, status: int = 200) -> Response:
        """One as it stands at a moment."""
        kind: Any = self.get_serializer_class()
        (standing,) = self.standings([row], moment)
        return Response(kind(standing).data, status=status)

    def made(self, row: Any) -> Response:
        """What was just made, as it stands today."""
        row = self.get_queryset().get(pk=row.pk)
        return self.shown(row, Moment(today_of(row.system)), 201)

    def control_of(self, request: Request, body: dict[str, Any]) -> Any:
        """The control that a body names, where the caller may record what failed."""
        mine = ControlImplementation.objects.visible_to(actor_of(request))
        named = body.pop("control_id")
        implementation = get_object_or_404(
            mine.select_related("system", "control"),
            system__slug=body.pop("system"),
            control__ref_id=normalised_id(named) or named,
        )
        require_recorder(implementation.system, actor_of(request))
        return implementation

    def dispositions_of(self, subject: Any) -> Response:
        """What was asked for, oldest first."""
        rows = subject.dispositions.select_related(
            "system", "finding", "observation", "link", "decision"
        ).order_by("pk")
        return Response(DispositionSerializer(rows, many=True).data)

    def dispose(self, request: Request, subject: Any) -> Response:
        """Ask for a disposition of the subject."""
        require_asker(subject, actor_of(request))
        body = valid(NewDispositionSerializer, request)
        if named := body.pop("link", None):
            mine = EvidenceLink.objects.visible_to(actor_of(request))
            links = mine.filter(implementation=subject.implementation_id)
            body["link"] = get_object_or_404(links, uuid=named)
        made = request_disposition(subject, **body, by=actor_of(request))
        return Response(DispositionSerializer(made).data, status=201)


class ObservationViewSet(_SubjectViewSet):
    """Failing observations: written down by officers and auditors, never changed."""

    serializer_class = ObservationSerializer
    model = FailingObservation
    queryset = FailingObservation.objects.none()

    def standings(self, rows: list[Any], moment: Moment) -> list[Any]:
        """Where each stands."""
        return observation_standings(rows, moment)

    @extend_schema(parameters=CLOCKS)
    def retrieve(self, request: Request, uuid: str) -> Response:
        """One observation, about the day and the knowledge asked for."""
        return super().retrieve(request, uuid)

    @extend_schema(
        request=NewObservationSerializer, responses={201: ObservationSerializer}
    )
    @idempotent()
    def create(self, request: Request) -> Response:
        """Write down that a control was seen to fail, as an officer or auditor."""
        body = valid(NewObservationSerializer, request)
        implementation = self.control_of(request, body)
        return self.made(
            record_observation(implementation, **body, by=actor_of(request))
        )

    @extend_schema(responses=DispositionSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def dispositions(self, request: Request, uuid: str) -> Response:
        """What was asked for, oldest first."""
        return self.dispositions_of(self.get_object())

    @extend_schema(
        request=NewDispositionSerializer, responses={201: DispositionSerializer}
    )
    @dispositions.mapping.post
    @idempotent()
    def explain(self, request: Request, uuid: str) -> Response:
        """Explain it, as an officer; 409 while another explanation waits."""
        return self.dispose(request, self.get_object())


class FindingViewSet(_SubjectViewSet):
    """Findings: written by officers and auditors, never changed."""

    serializer_class = FindingSerializer
    model = Finding
    queryset = Finding.objects.none()

    def standings(self, rows: list[Any], moment: Moment) -> list[Any]:
        """Where each stands."""
        return finding_standings(rows, moment)

    def get_queryset(self) -> QuerySet[Any]:
        """With the observation behind each."""
        return super().get_queryset().select_related("observation")

    @extend_schema(parameters=CLOCKS)
    def retrieve(self, request: Request, uuid: str) -> Response:
        """One finding, about the day and the knowledge asked for."""
        return super().retrieve(request, uuid)

    @extend_schema(request=NewFindingSerializer, responses={201: FindingSerializer})
    @idempotent()
    def create(self, request: Request) -> Response:
        """Write a finding, as an officer or auditor."""
        body = valid(NewFindingSerializer, request)
        implementation = self.control_of(request, body)
        if named := body.pop("observation", None):
            rows = FailingObservation.objects.filter(implementation=implementation)
            body["observation"] = get_object_or_404(rows, uuid=named)
        return self.made(record_finding(implementation, **body, by=actor_of(request)))

    @extend_schema(responses=DispositionSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def dispositions(self, request: Request, uuid: str) -> Response:
        """What was asked for, oldest first."""
        return self.dispositions_of(self.get_object())

    @extend_schema(
        request=NewDispositionSerializer, responses={201: DispositionSerializer}
    )
    @dispositions.mapping.post
    @idempotent()
    def ask(self, request: Request, uuid: str) -> Response:
        """Ask to close it or for a deviation, as an officer or the owner team; 409
        while something waits or once it is over."""
        return self.dispose(request, self.get_object())


class DispositionViewSet(
    WithoutETag, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]
):
    """What was asked for, and the second person's decision on each."""

    serializer_class = DispositionSerializer
    lookup_field = "uuid"
    queryset = Disposition.objects.none()

    def get_queryset(self) -> QuerySet[Any]:
        """Only what `visible_to` allows."""
        rows: QuerySet[Any] = Disposition.objects.visible_to(actor_of(self.request))
        return rows.select_related(
            "system",
            "finding__implementation",
            "finding__observation",
            "observation__implementation",
            "link__revision__evidence",
            "decision",
        )

    @extend_schema(
        request=DispositionDecisionSerializer, responses=DispositionSerializer
    )
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, uuid: str) -> Response:
        """Accept or reject it; 409 when it is decided, or not proven."""
        disposition = self.get_object()
        require_decider(disposition, by=actor_of(request))
        body = valid(DispositionDecisionSerializer, request)
        decide_disposition(disposition, **body, by=actor_of(request))
        return Response(DispositionSerializer(self.get_object()).data)
