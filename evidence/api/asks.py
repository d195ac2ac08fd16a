"""Asks over the API: what each names, joined and split, and its address for scripts.

One file: the bodies of an ask and of its controls are read together.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.access import require_officer
from controls.api.bodies import (
    KeptJSONParser,
    LinesFormParser,
    LinesMultiPartParser,
)
from controls.api.conventions import ByKey, WithoutETag, valid
from controls.api.filters import of_control, of_system
from controls.api.idempotency import idempotent
from controls.errors import Refused
from controls.models import (
    ControlImplementation,
    RetrospectiveChange,
    System,
    Team,
)
from controls.reasons import MAX_REASON
from evidence.api.clocks import CLOCKS, BodyDayField, clocks_of
from evidence.api.requirements import WaitsSerializer
from evidence.api.uploads import Streaming, checked_files, submission_of
from evidence.models import (
    EvidenceLink,
    EvidenceRequirement,
    RequirementControl,
)
from evidence.models.asks import Cadence, Purpose
from evidence.planning.bring_for_ask import BROUGHT, Brought, bring_for_ask
from evidence.planning.next_upload import ask_of_today
from evidence.requirements.join_checks import MAX_LINE, AskTerms, NamedControl
from evidence.requirements.join_offers import offers_in
from evidence.requirements.joining import add_control, join, split
from evidence.status.asks_of_window import AskPeriod, counts_of, periods_of_ask
from evidence.status.control_status import NOT_RECORDED, today_of
from evidence.submissions.waiting_files import MAX_FILES
from srm_project.requests import actor_of

ROWS = RequirementControl.objects.for_listing().order_by(
    "implementation__control__sort_order", "pk"
)


class NamedControlSerializer(serializers.ModelSerializer[RequirementControl]):
    """One control of an ask, and what in a performance proves it."""

    requirement = serializers.UUIDField(source="uuid")
    control_id = serializers.CharField(source="implementation.control.ref_id")

    class Meta:
        model = RequirementControl
        fields = [
            "requirement",
            "control_id",
            "what_it_shows",
            "operates_from",
            "operates_until",
        ]


class AskSerializer(serializers.Serializer[EvidenceRequirement]):
    """One ask as of today; `controls` is empty where all of them begin later."""

    uuid = serializers.UUIDField()
    system = serializers.CharField(source="system.slug")
    title = serializers.SerializerMethodField()
    cadence = serializers.SerializerMethodField()
    controls = serializers.SerializerMethodField()

    def get_title(self, ask: EvidenceRequirement) -> str:
        """What is asked."""
        rows = _rows(ask)
        return rows[0].title if rows else ""

    def get_cadence(self, ask: EvidenceRequirement) -> str:
        """How often."""
        rows = _rows(ask)
        return rows[0].cadence if rows else ""

    @extend_schema_field(NamedControlSerializer(many=True))
    def get_controls(self, ask: EvidenceRequirement) -> Any:
        """The controls that it names today, in catalog order."""
        return NamedControlSerializer(_rows(ask), many=True).data


class JoinedControlSerializer(serializers.Serializer[Any]):
    """A requirement to join, with its line; `version` is the one that was looked at."""

    requirement = serializers.UUIDField()
    what_it_shows = serializers.CharField(max_length=MAX_LINE)
    version = serializers.IntegerField(required=False, allow_null=True, default=None)


class JoinSerializer(serializers.Serializer[Any]):
    """One ask for several controls, from a day on (default today)."""

    system = serializers.SlugField()
    title = serializers.CharField(max_length=200)
    cadence = serializers.ChoiceField(choices=Cadence.choices)
    purpose = serializers.ChoiceField(
        choices=Purpose.choices, default=Purpose.OPERATION
    )
    guidance = serializers.CharField(required=False, allow_blank=True, default="")
    good_proof = serializers.CharField(required=False, allow_blank=True, default="")
    owner_team: Any = serializers.SlugRelatedField(
        slug_field="slug",
        queryset=Team.objects.all(),
        required=False,
        allow_null=True,
        default=None,
    )
    grace_days = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=180, default=None
    )
    controls = JoinedControlSerializer(many=True)
    from_day = BodyDayField(required=False)
    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=MAX_REASON, default=""
    )


class SplitSerializer(serializers.Serializer[Any]):
    """Requirements that stand alone again, from a day on (default today)."""

    requirements = serializers.ListField(child=serializers.UUIDField(), min_length=1)
    from_day = BodyDayField(required=False)
    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=MAX_REASON, default=""
    )


class AddedControlSerializer(serializers.Serializer[Any]):
    """One more control of an ask, expected from a day on (default today)."""

    control_id = serializers.CharField()
    what_it_shows = serializers.CharField(max_length=MAX_LINE)
    from_day = BodyDayField(required=False)


class OfferedControlSerializer(JoinedControlSerializer):
    """A requirement that is offered, as `POST` takes it, with its control."""

    control_id = serializers.CharField()


class OfferSerializer(serializers.Serializer[Any]):
    """Asks that the shipped list would make one."""

    key = serializers.CharField()
    title = serializers.CharField(source="shipped.title")
    cadence = serializers.CharField(source="shipped.cadence")
    purpose = serializers.CharField()
    owner_team = serializers.CharField(source="team.slug", default=None)
    controls = serializers.SerializerMethodField()

    @extend_schema_field(OfferedControlSerializer(many=True))
    def get_controls(self, offer: Any) -> Any:
        """Its controls with their lines."""
        return [
            {
                "requirement": str(row.uuid),
                "control_id": row.implementation.control.ref_id,
                "what_it_shows": line,
                "version": row.version,
            }
            for row, line in offer.rows
        ]


class AskUploadSerializer(serializers.Serializer[Any]):
    """Files for the oldest open period of an ask. Only `file` is needed.

    Unless it is said, `title` is what the ask is called, with its period, and
    `performed_on` today.
    """

    file = serializers.ListField(
        child=serializers.FileField(), min_length=1, max_length=MAX_FILES
    )
    expected_sha256 = serializers.ListField(
        child=serializers.RegexField(r"^[0-9a-f]{64}$"), required=False
    )
    title = serializers.CharField(max_length=200, required=False, default="")
    performed_on = BodyDayField(required=False)
    about = BodyDayField(
        required=False,
        help_text="A day of the period that they are about, instead of the oldest.",
    )
    collected_on = BodyDayField(required=False)
    source_system = serializers.CharField(required=False, max_length=120)
    procedure = serializers.CharField(required=False)
    again = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Submit it although the same bytes were brought before.",
    )


class BroughtSerializer(serializers.Serializer[Any]):
    """What an upload counts for. `new` is false where the same was brought before."""

    evidence = serializers.UUIDField(source="link.revision.evidence.uuid")
    link = serializers.UUIDField(source="link.uuid")
    title = serializers.CharField(source="link.revision.evidence.title")
    period_start = serializers.DateField(source="link.revision.period_from")
    period_end = serializers.DateField(source="link.revision.period_last")
    controls = serializers.SerializerMethodField()
    new = serializers.BooleanField()

    def get_controls(self, brought: Brought) -> list[str]:
        """The controls that it is offered for, without those it was refused for."""
        links = EvidenceLink.objects.filter(
            revision=brought.link.revision_id, state__in=BROUGHT
        )
        ordered = links.order_by("implementation__control__sort_order")
        return list(ordered.values_list("implementation__control__ref_id", flat=True))


class ControlOutcomeSerializer(serializers.Serializer[Any]):
    """What became of one control in a period."""

    control = serializers.CharField()
    outcome = serializers.CharField()


class AskPeriodSerializer(serializers.Serializer[Any]):
    """One period of an ask, with the outcome of its worst control."""

    title = serializers.CharField()
    starts = serializers.DateField()
    ends = serializers.DateField()
    due_on = serializers.DateField()
    outcome = serializers.CharField()
    controls = serializers.SerializerMethodField()

    @extend_schema_field(ControlOutcomeSerializer(many=True))
    def get_controls(self, period: AskPeriod) -> list[dict[str, str]]:
        """Each control that the period was expected of."""
        return [
            {"control": label, "outcome": outcome} for label, outcome in period.controls
        ]


class AskOccurrencesSerializer(serializers.Serializer[Any]):
    """What a window expects of an ask: counts by period, and the periods."""

    counts = serializers.DictField(child=serializers.IntegerField())
    periods = AskPeriodSerializer(many=True)


class AskViewSet(
    WithoutETag, Streaming, viewsets.ReadOnlyModelViewSet[EvidenceRequirement]
):
    """Asks of the systems the caller may read: what is asked today, by ask."""

    serializer_class = AskSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = EvidenceRequirement.objects.none()
    filters = {
        "system": of_system(),
        "control": of_control(
            "controls__implementation__control",
            "joined_controls__implementation__control",
            unique=False,
        ),
    }
    parser_classes = [KeptJSONParser, LinesMultiPartParser, LinesFormParser]

    def get_queryset(self) -> QuerySet[EvidenceRequirement]:
        """Only what `visible_to` allows; in a list not what stands under another."""
        mine = EvidenceRequirement.objects.visible_to(actor_of(self.request))
        if self.action == "list":
            alone = Q(controls__isnull=False, controls__joined=None)
            mine = mine.filter(Q(joined_controls__isnull=False) | alone).distinct()
        return mine.select_related("system").prefetch_related(
            Prefetch("joined_controls", ROWS), Prefetch("controls", ROWS)
        )

    @extend_schema(
        request=JoinSerializer, responses={201: AskSerializer, 202: WaitsSerializer}
    )
    @idempotent()
    def create(self, request: Request) -> Response:
        """Put several requirements under one ask from a day on. Officers only.

        202: the day lies back, so it waits for a second officer.
        """
        body = valid(JoinSerializer, request)
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=body.pop("system"))
        today = today_of(system)
        named = [NamedControl(**control) for control in body.pop("controls")]
        from_day, reason = body.pop("from_day", None), body.pop("reason")
        joined = join(
            system,
            AskTerms(**body),
            named,
            from_day=from_day or today,
            by=actor_of(request),
            today=today,
            reason=reason,
        )
        if isinstance(joined, RetrospectiveChange):
            return Response(dict(WaitsSerializer(joined).data), status=202)
        made = self.get_queryset().get(pk=joined.pk)
        return Response(AskSerializer(made).data, status=201)

    @extend_schema(
        request=SplitSerializer, responses={200: AskSerializer, 202: WaitsSerializer}
    )
    @action(detail=True, methods=["post"])
    def split(self, request: Request, uuid: str) -> Response:
        """Let some of its requirements stand alone again from a day on.

        202: the day lies back, so it waits for a second officer.
        """
        stored = self.get_object()
        body = valid(SplitSerializer, request)
        today = today_of(stored.system)
        waits = split(
            stored,
            body["requirements"],
            from_day=body.get("from_day") or today,
            by=actor_of(request),
            today=today,
            reason=body["reason"],
        )
        if waits:
            return Response(dict(WaitsSerializer(waits).data), status=202)
        return Response(AskSerializer(self.get_object()).data)

    @extend_schema(request=AddedControlSerializer, responses={201: AskSerializer})
    @action(detail=True, methods=["post"])
    @idempotent()
    def controls(self, request: Request, uuid: str) -> Response:
        """Name one more control in it, expected from a day on."""
        stored = self.get_object()
        body = valid(AddedControlSerializer, request)
        mine = ControlImplementation.objects.visible_to(actor_of(request))
        control = get_object_or_404(
            mine.select_related("system", "control", "owner_team"),
            system=stored.system,
            control__ref_id=body["control_id"],
        )
        today = today_of(stored.system)
        add_control(
            stored,
            control,
            body["what_it_shows"],
            from_day=body.get("from_day") or today,
            by=actor_of(request),
            today=today,
        )
        return Response(AskSerializer(self.get_object()).data, status=201)

    @extend_schema(
        parameters=[OpenApiParameter("system", OpenApiTypes.STR, required=True)],
        responses=OfferSerializer(many=True),
    )
    @action(detail=False, methods=["get"], pagination_class=None)
    def offers(self, request: Request) -> Response:
        """What the shipped list would join in a system. Officers only."""
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=request.query_params.get("system", ""))
        require_officer(system, actor_of(request))
        offered = offers_in(system, today_of(system))
        return Response(OfferSerializer(offered, many=True).data)

    @extend_schema(parameters=CLOCKS, responses=AskOccurrencesSerializer)
    @action(detail=True, methods=["get"], pagination_class=None)
    def occurrences(self, request: Request, uuid: str) -> Response:
        """What the audit window, or another one, expects of it: each period once."""
        stored = self.get_object()
        moment, window = clocks_of(request, stored.system)
        try:
            periods = periods_of_ask(stored, moment, window)
        except LookupError as unknown:
            raise Refused({"known_at": NOT_RECORDED}) from unknown
        body = {"counts": counts_of(periods), "periods": periods}
        return Response(AskOccurrencesSerializer(body).data)

    @extend_schema(
        request={"multipart/form-data": AskUploadSerializer},
        responses={200: BroughtSerializer, 201: BroughtSerializer},
    )
    @action(detail=True, methods=["post"])
    @idempotent()
    def evidence(self, request: Request, uuid: str) -> Response:
        """Bring files for its oldest open period, and for the controls open in it.

        With `about`, for the open period that holds that day; 400 where none does, and
        the same bytes count as brought before only where they are for that period.
        201; 200 where the same bytes, performed on the same day or for the same period,
        were brought before: nothing is recorded again, unless `again`. The address of
        an ask that was joined goes on: it answers the ask under which it stands now.
        """
        self.refuse_unread(request)
        stored = self.get_object()
        today = today_of(stored.system)
        body = valid(AskUploadSerializer, request)
        body["files"] = body.pop("file")
        body.setdefault("performed_on", today)
        about = body.pop("about", None)
        days = {"period_start": today, "period_end": today}
        brought = bring_for_ask(
            ask_of_today(stored, today),
            submission_of(days | body),
            checked_files(body),
            by=actor_of(request),
            today=today,
            about=about,
            again=body["again"],
        )
        status = 201 if brought.new else 200
        return Response(BroughtSerializer(brought).data, status=status)


def _rows(ask: EvidenceRequirement) -> list[RequirementControl]:
    """The rows that stand under an ask today, in catalog order."""
    alone = [row for row in ask.controls.all() if row.joined_id is None]
    return [*ask.joined_controls.all(), *alone]
