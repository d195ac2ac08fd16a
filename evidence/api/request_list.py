"""The requests of an engagement as a list: planned and asked by its auditors, taken
out by whoever reads the engagement."""

from __future__ import annotations

import io
from typing import Any

from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls import clock
from controls.api.bodies import KeptJSONParser, LinesMultiPartParser
from controls.api.conventions import valid
from controls.api.idempotency import idempotent
from controls.errors import Refused
from controls.grammar import size_in_words
from controls.models import Engagement, Team
from evidence.api.clocks import CLOCKS, BodyDayField, clocks_of
from evidence.api.requests import EvidenceRequestSerializer
from evidence.exports.request_list import write_request_list
from evidence.models import EvidenceRequest
from evidence.requests.list_plan import Defaults, contributing_teams, plan_list
from evidence.requests.list_rows import MAX_BYTES, read_upload
from evidence.requests.listing import confirm_list, sealed_list
from evidence.requests.requests import UNKNOWN_TEAM
from evidence.requests.who_may import require_lister
from evidence.status.control_status import today_of
from srm_project.requests import actor_of

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ListedRequestSerializer(serializers.Serializer[Any]):
    """One row as it would be asked."""

    place = serializers.CharField()
    number = serializers.CharField()
    title = serializers.CharField()
    what = serializers.CharField()
    control_ids = serializers.SerializerMethodField()
    team = serializers.CharField(source="team.slug")
    due_on = serializers.DateField()

    def get_control_ids(self, row: Any) -> list[str]:
        """The controls it is about."""
        return [control.control.ref_id for control in row.controls]


class AskedBeforeSerializer(serializers.Serializer[Any]):
    """A row whose number is asked in the engagement already."""

    place = serializers.CharField()
    number = serializers.CharField()
    title = serializers.CharField()


class RowFaultSerializer(serializers.Serializer[Any]):
    """What is wrong with a row: its sheet, line and column, and a sentence."""

    sheet = serializers.CharField(source="place.sheet")
    line = serializers.IntegerField(source="place.line")
    column = serializers.CharField(source="place.column")
    text = serializers.CharField(source="message")


class RequestPlanSerializer(serializers.Serializer[Any]):
    """What a list would ask; `token` confirms it within an hour, empty for nothing."""

    requests = ListedRequestSerializer(many=True)
    before = AskedBeforeSerializer(many=True)
    faults = RowFaultSerializer(many=True)
    notes = serializers.ListField(child=serializers.CharField())
    token = serializers.CharField()


class SentListSerializer(serializers.Serializer[Any]):
    """A list (CSV or XLSX); the day (inclusive) and team of rows that name none."""

    file = serializers.FileField()
    due_on = BodyDayField()
    team = serializers.SlugField(required=False, default="")


class ListTokenSerializer(serializers.Serializer[Any]):
    """What the plan answered with."""

    token = serializers.CharField()


class RequestListViewSet(viewsets.GenericViewSet[EvidenceRequest]):
    """The list of requests of one engagement."""

    serializer_class = RequestPlanSerializer
    queryset = EvidenceRequest.objects.none()
    parser_classes = [LinesMultiPartParser, KeptJSONParser]

    @extend_schema(request=SentListSerializer, responses=RequestPlanSerializer)
    @action(detail=False, methods=["post"])
    def plan(self, request: Request, uuid: str) -> Response:
        """What a list would ask: nothing is asked yet; 422 where that is nothing."""
        engagement = self._engagement(request, uuid)
        require_lister(engagement, actor_of(request))
        body = valid(SentListSerializer, request)
        file = body["file"]
        if file.size > MAX_BYTES:
            limit = size_in_words(MAX_BYTES)
            raise Refused({"file": f"The file is larger than {limit}."})
        plan = plan_list(
            engagement,
            read_upload(file, file.name),
            Defaults(body["due_on"], _team(engagement, body["team"])),
            today=today_of(engagement.system),
        )
        token = ""
        if plan.requests:
            token = sealed_list(engagement, plan, by=actor_of(request))
        answer = {
            "requests": plan.requests,
            "before": plan.before,
            "faults": plan.faults,
            "notes": plan.notes,
            "token": token,
        }
        status = 200 if plan.requests else 422
        return Response(RequestPlanSerializer(answer).data, status=status)

    @extend_schema(
        request=ListTokenSerializer,
        responses={201: EvidenceRequestSerializer(many=True)},
    )
    @action(detail=False, methods=["post"], pagination_class=None)
    @idempotent()
    def confirm(self, request: Request, uuid: str) -> Response:
        """Ask all of a plan, or nothing; confirmed again, the same requests."""
        engagement = self._engagement(request, uuid)
        require_lister(engagement, actor_of(request))
        token = valid(ListTokenSerializer, request)["token"]
        made = confirm_list(engagement, token, by=actor_of(request))
        rows = EvidenceRequest.objects.filter(pk__in=[row.pk for row in made])
        shown = rows.for_listing().prefetch_related("answers", "judgements")
        body = EvidenceRequestSerializer(shown.order_by("pk"), many=True).data
        return Response(body, status=201)

    @extend_schema(parameters=CLOCKS, responses={(200, XLSX): bytes})
    @action(detail=False, methods=["get"], pagination_class=None)
    def workbook(self, request: Request, uuid: str) -> FileResponse:
        """All requests as known at the clocks, as XLSX."""
        engagement = self._engagement(request, uuid)
        body = io.BytesIO()
        moment, window = clocks_of(request, engagement.system)
        if "window_from" not in request.query_params:
            window = (engagement.window_start, engagement.window_end)
        write_request_list(
            engagement,
            body,
            reader=actor_of(request),
            moment=moment,
            window=window,
            now=clock.now(),
        )
        body.seek(0)
        name = f"{engagement.system.slug}-requests.xlsx"
        return FileResponse(body, as_attachment=True, filename=name, content_type=XLSX)

    def _engagement(self, request: Request, uuid: str) -> Engagement:
        mine = Engagement.objects.open_to(actor_of(request)).select_related("system")
        try:
            return get_object_or_404(mine, uuid=uuid)
        except ValidationError:
            raise Http404("There is no such engagement.") from None


def _team(engagement: Engagement, slug: str) -> Team | None:
    """The contributing team of that slug; None for none. Raises Refused."""
    if not slug:
        return None
    teams = {team.slug: team for team in contributing_teams(engagement.system)}
    if slug not in teams:
        raise Refused({"team": UNKNOWN_TEAM})
    return teams[slug]
