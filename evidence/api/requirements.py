"""What is asked of our halves, over the API: list, templates, add, change, retire.

One file: the bodies of a requirement, its terms and its changes are read together.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls import clock
from controls.api.conventions import ByKey, etag, expected_version, valid
from controls.api.filters import of_ask, of_control, of_system
from controls.api.idempotency import idempotent
from controls.models import (
    ControlImplementation,
    RetrospectiveChange,
    System,
    Team,
)
from controls.reasons import MAX_REASON
from evidence.api.clocks import BodyDayField
from evidence.artifacts.remarks import user_controls_of
from evidence.models import RequirementControl, RequirementTerms
from evidence.models.asks import Cadence, PopulationCadence, Purpose
from evidence.requirements.changes import (
    NewTerms,
    add_requirement,
    change_requirement,
)
from evidence.requirements.from_templates import ask_for_all, proposed
from evidence.requirements.retiring import retire_requirement
from evidence.status.control_status import today_of
from evidence.systems.describe import require_officer
from srm_project.requests import actor_of

# Of the rows of a page, in their order.
TERMS = Prefetch(
    "ask__terms",
    RequirementTerms.objects.select_related("owner_team", "change").order_by("days"),
)


class TermsSerializer(serializers.ModelSerializer[RequirementTerms]):
    """What an ask says for its days, the last included; null: an open side.

    `change` is the change in retrospect that wrote it.
    """

    first_day = serializers.DateField(allow_null=True)
    last_day = serializers.DateField(allow_null=True)
    owner_team: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    change: Any = serializers.SlugRelatedField(slug_field="uuid", read_only=True)

    class Meta:
        model = RequirementTerms
        fields = [
            "first_day",
            "last_day",
            "title",
            "guidance",
            "good_proof",
            "cadence",
            "population_cadence",
            "purpose",
            "owner_team",
            "grace_days",
            "lead_days",
            "change",
        ]


class WaitsSerializer(serializers.Serializer[Any]):
    """Nothing is changed yet: a second officer decides on this change."""

    detail = serializers.SerializerMethodField()
    change = serializers.UUIDField(source="uuid")
    kind = serializers.CharField()
    first_day = serializers.DateField()

    def get_detail(self, change: RetrospectiveChange) -> str:
        """What happened, in words."""
        return "Nothing is changed yet: a second officer has to decide on it."


class RequirementSerializer(serializers.ModelSerializer[RequirementControl]):
    """What is asked of our half; `operates_until` is exclusive."""

    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    control_id = serializers.CharField(
        source="implementation.control.ref_id", read_only=True
    )
    owner_team: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    user_control: Any = serializers.SlugRelatedField(slug_field="uuid", read_only=True)
    stated_on = serializers.SerializerMethodField()
    terms = TermsSerializer(source="ask.terms", many=True, read_only=True)

    def get_stated_on(self, stored: RequirementControl) -> dt.date:
        """The day on which it was first asked."""
        return stored.system.day_of(stored.ask.known_from)

    class Meta:
        model = RequirementControl
        fields = [
            "uuid",
            "system",
            "control_id",
            "title",
            "guidance",
            "good_proof",
            "what_it_shows",
            "cadence",
            "population_cadence",
            "cadence_source",
            "rarer_because",
            "purpose",
            "owner_team",
            "grace_days",
            "lead_days",
            "user_control",
            "operates_from",
            "operates_until",
            "origin",
            "stated_on",
            "terms",
            "version",
        ]


class AskedSerializer(serializers.Serializer[Any]):
    """What an officer asks. `owner_team` empty: the team that owns the control."""

    title = serializers.CharField(max_length=200)
    cadence = serializers.ChoiceField(choices=Cadence.choices)
    population_cadence = serializers.ChoiceField(
        choices=PopulationCadence.choices,
        default=PopulationCadence.QUARTERLY,
        help_text="Per event only: for which periods populations are drawn.",
    )
    purpose = serializers.ChoiceField(
        choices=Purpose.choices, default=Purpose.OPERATION
    )
    operates_from = BodyDayField()
    guidance = serializers.CharField(required=False, allow_blank=True)
    good_proof = serializers.CharField(required=False, allow_blank=True)
    rarer_because = serializers.CharField(
        required=False, allow_blank=True, max_length=MAX_REASON
    )
    owner_team: Any = serializers.SlugRelatedField(
        slug_field="slug", queryset=Team.objects.all(), required=False, allow_null=True
    )
    grace_days = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=180
    )
    lead_days = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=180
    )
    what_it_shows = serializers.CharField(
        required=False, allow_blank=True, max_length=200
    )


class ChangedSerializer(AskedSerializer):
    """Other terms, from a day on (default today).

    A day that lies back, grace longer than half the period, and the cadence `once` in
    place of another wait for a second officer and need a `reason`.
    """

    population_cadence = serializers.ChoiceField(
        choices=PopulationCadence.choices,
        required=False,
        help_text="Per event only: for which periods populations are drawn. Not named:"
        " as it is.",
    )
    from_day = BodyDayField(required=False)
    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=MAX_REASON
    )


class NewRequirementSerializer(AskedSerializer):
    """The same, for a control of a system."""

    system = serializers.SlugField()
    control_id = serializers.CharField()
    user_control = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="What a provider's report expects of us: our half is then required.",
    )


class RetireSerializer(serializers.Serializer[Any]):
    """From when it is no longer asked (exclusive end), and why."""

    until = BodyDayField()
    reason = serializers.CharField(max_length=MAX_REASON)


class SystemNameSerializer(serializers.Serializer[Any]):
    """A system by its slug."""

    system = serializers.SlugField()


class ProposedSerializer(serializers.Serializer[Any]):
    """What a template would ask."""

    control_id = serializers.CharField(source="implementation.control.ref_id")
    title = serializers.CharField()
    cadence = serializers.CharField()
    cadence_source = serializers.CharField()


class RequirementViewSet(viewsets.ReadOnlyModelViewSet[RequirementControl]):
    """Requirements of the systems the caller may read; officers tune them."""

    serializer_class = RequirementSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = RequirementControl.objects.none()
    filters = {
        "system": of_system(),
        "control": of_control("implementation__control"),
        "ask": of_ask("ask", "joined"),
    }

    def get_queryset(self) -> QuerySet[RequirementControl]:
        """Only what `visible_to` allows."""
        return (
            RequirementControl.objects.visible_to(actor_of(self.request))
            .for_listing()
            .select_related("ask", "user_control")
            .prefetch_related(TERMS)
        )

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One requirement with its ETag."""
        return _one(self.get_object())

    @extend_schema(request=NewRequirementSerializer, responses=RequirementSerializer)
    @idempotent()
    def create(self, request: Request) -> Response:
        """Ask one more thing of our half of a control."""
        body = _valid(NewRequirementSerializer, request)
        mine = ControlImplementation.objects.visible_to(actor_of(request))
        implementation = get_object_or_404(
            mine.select_related("system", "control"),
            system__slug=body.pop("system"),
            control__ref_id=body.pop("control_id"),
        )
        uuid, expected = body.pop("user_control", None), None
        if uuid is not None:
            ref_id, system = implementation.control.ref_id, implementation.system
            mine_to_ask = user_controls_of(ref_id, actor_of(request), system)
            expected = get_object_or_404(mine_to_ask, uuid=uuid)
        added = add_requirement(
            implementation,
            NewTerms(**body),
            by=actor_of(request),
            user_control=expected,
        )
        return _one(added, status=201)

    @extend_schema(
        request=ChangedSerializer,
        responses={200: RequirementSerializer, 202: WaitsSerializer},
    )
    def update(self, request: Request, uuid: str) -> Response:
        """Change what is asked, from a day on; needs If-Match.

        202: it waits for a second officer.
        """
        stored = self.get_object()
        body = _valid(ChangedSerializer, request)
        version = expected_version(request, stored)
        # A script that has never heard of it must not make populations rarer.
        body.setdefault("population_cadence", stored.population_cadence)
        waits = change_requirement(
            stored,
            from_day=body.pop("from_day", None),
            reason=body.pop("reason", ""),
            terms=NewTerms(**body),
            version=version,
            by=actor_of(request),
            today=stored.system.day_of(clock.now()),
        )
        return _waiting(waits) if waits else _one(self.get_object())

    @extend_schema(
        request=RetireSerializer,
        responses={200: RequirementSerializer, 202: WaitsSerializer},
    )
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, uuid: str) -> Response:
        """Stop asking from a day on; If-Match, where sent, must match.

        202: it waits for a second officer.
        """
        stored = self.get_object()
        body = _valid(RetireSerializer, request)
        version = expected_version(request, stored, required=False)
        waits = retire_requirement(
            stored,
            by=actor_of(request),
            today=stored.system.day_of(clock.now()),
            version=version,
            **body,
        )
        return _waiting(waits) if waits else _one(self.get_object())

    @extend_schema(
        request=SystemNameSerializer, responses=ProposedSerializer(many=True)
    )
    @action(detail=False, methods=["post"], pagination_class=None)
    def preview_templates(self, request: Request) -> Response:
        """What the templates would ask of halves that nothing is asked of."""
        system, today = self._system(request)
        rows = proposed(system, since=today)
        return Response(ProposedSerializer(rows, many=True).data)

    @extend_schema(request=SystemNameSerializer, responses={200: dict[str, int]})
    @action(detail=False, methods=["post"])
    @idempotent()
    def apply_templates(self, request: Request) -> Response:
        """Ask what the templates propose, from today on."""
        system, today = self._system(request)
        return Response(
            {"added": ask_for_all(system, by=actor_of(request), since=today)}
        )

    def _system(self, request: Request) -> tuple[System, dt.date]:
        body = _valid(SystemNameSerializer, request)
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=body["system"])
        require_officer(system, actor_of(request))
        return system, today_of(system)


def _valid(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    body: dict[str, Any] = valid(kind, request)
    return body


def _waiting(change: RetrospectiveChange) -> Response:
    data = dict(WaitsSerializer(change).data)
    return Response(data, status=202)


def _one(stored: RequirementControl, *, status: int = 200) -> Response:
    data = RequirementSerializer(stored).data
    return Response(data, status=status, headers={"ETag": etag(stored)})
