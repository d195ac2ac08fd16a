"""What falls due, and the next audit window, over the API."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controls import clock
from controls.access import require_officer
from controls.api.conventions import etag, expected_version, valid
from controls.errors import Refused
from controls.models import System, Team
from evidence.api.clocks import BodyDayField, days_of
from evidence.planning.calendar import CalendarScope, falling_due, refuse_long
from evidence.planning.roll_forward import following, preview, roll_forward
from evidence.status.control_status import today_of
from srm_project.requests import actor_of


class DueSerializer(serializers.Serializer[Any]):
    """One thing on one day."""

    day = serializers.DateField()
    kind = serializers.CharField()
    control = serializers.CharField()
    title = serializers.CharField()
    team = serializers.CharField()
    state = serializers.CharField(source="word")
    url = serializers.SerializerMethodField()

    def get_url(self, due: Any) -> str:
        """Where it is dealt with."""
        return f"{settings.SITE_URL}{due.path}"


class CalendarView(APIView):
    """What falls due in a system."""

    @extend_schema(
        parameters=[
            OpenApiParameter("from", dt.date, description="First day; today."),
            OpenApiParameter("to", dt.date, description="Last day; 90 days later."),
            OpenApiParameter("team", str, description="Only of this team (slug)."),
        ],
        responses=DueSerializer(many=True),
    )
    def get(self, request: Request, slug: str) -> Response:
        """By day; at most 366 days at a time."""
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=slug)
        first, last = days_of(request, "from", "to")
        first = first or today_of(system)
        last = last or first + dt.timedelta(days=90)
        refuse_long(first, last)
        scope = CalendarScope(first, last, [system], _teams(request))
        due = falling_due(scope, user=actor_of(request), now=clock.now())
        return Response(DueSerializer(due, many=True).data)


def _teams(request: Request) -> frozenset[int] | None:
    slug = request.query_params.get("team")
    if not slug:
        return None
    team = Team.objects.filter(slug=slug).first()
    if team is None:
        raise Refused({"team": f"There is no team “{slug[:60]}”."})
    return frozenset([team.pk])


class CitationToConfirmSerializer(serializers.Serializer[Any]):
    """A cited series and what its newest report speaks of."""

    artifact = serializers.UUIDField(source="artifact.uuid")
    title = serializers.CharField(source="artifact.title")
    controls = serializers.IntegerField()
    speaks = serializers.BooleanField()
    word = serializers.CharField()


class RollForwardSerializer(serializers.Serializer[Any]):
    """What the next window would start with; days are inclusive."""

    window_from = serializers.DateField(source="start")
    window_to = serializers.DateField(source="end")
    gap = serializers.IntegerField()
    overlap = serializers.IntegerField()
    requirements = serializers.SerializerMethodField()
    without_owner = serializers.SerializerMethodField()
    citations = CitationToConfirmSerializer(many=True)
    seen = serializers.CharField(source="digest")

    def get_requirements(self, next_window: Any) -> int:
        """How many go on."""
        return len(next_window.carried)

    def get_without_owner(self, next_window: Any) -> list[str]:
        """Controls of requirements that nobody owns."""
        return [row.implementation.control.ref_id for row in next_window.ownerless]


class NextWindowSerializer(serializers.Serializer[Any]):
    """The days, the digest of what was seen, and the cited series confirmed."""

    window_from = BodyDayField()
    window_to = BodyDayField()
    seen = serializers.RegexField(r"^[0-9a-f]{64}$")
    confirmed = serializers.ListField(child=serializers.UUIDField(), default=list)


class RollForwardView(APIView):
    """The next audit window of a system. Officers only."""

    @extend_schema(
        parameters=[
            OpenApiParameter("window_from", dt.date, description="First day."),
            OpenApiParameter("window_to", dt.date, description="Last day."),
        ],
        responses=RollForwardSerializer,
    )
    def get(self, request: Request, slug: str) -> Response:
        """What it would start with; the days after this window unless said."""
        system = self._system(request, slug)
        start, end = days_of(request, "window_from", "window_to")
        first, last = following(system)
        next_window = preview(system, start or first, end or last)
        body = RollForwardSerializer(next_window).data
        return Response(body, headers={"ETag": etag(system)})

    @extend_schema(request=NextWindowSerializer, responses=dict[str, str])
    def post(self, request: Request, slug: str) -> Response:
        """Begin it; needs If-Match, and every citation confirmed."""
        system = self._system(request, slug)
        version = expected_version(request, system)
        body = valid(NextWindowSerializer, request)
        roll_forward(
            system,
            body["window_from"],
            body["window_to"],
            seen=body["seen"],
            confirmed=frozenset(str(uuid) for uuid in body["confirmed"]),
            by=actor_of(request),
            version=version,
        )
        window = {
            "window_start": str(system.window_start),
            "window_end": str(system.window_end),
        }
        return Response(window, headers={"ETag": etag(system)})

    def _system(self, request: Request, slug: str) -> System:
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=slug)
        require_officer(system, actor_of(request))
        return system
