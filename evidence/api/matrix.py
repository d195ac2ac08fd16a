"""The customer responsibility matrix, and teams' acknowledgements, over the API."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controls.api.conventions import ByKey, valid
from controls.api.filters import Filter, narrowed, of_control
from controls.api.idempotency import idempotent
from controls.errors import Refused
from controls.models import ControlImplementation, System, Team
from evidence.api.clocks import CLOCKS, clocks_of
from evidence.exports.rows.status_rows import SOURCES
from evidence.status import gather_sql
from evidence.status.control_status import NOT_RECORDED
from evidence.status.rows import as_bigints, read_rows
from evidence.systems.acknowledgements import acknowledge, duties_today
from evidence.systems.matrix import DUTIES, of_rows, with_reports
from evidence.systems.matrix_rows import MatrixControl
from srm_project.requests import actor_of


class OurDutySerializer(serializers.Serializer[Any]):
    """One layer that is ours to configure or provide; "": all of the control."""

    layer = serializers.CharField()
    kind = serializers.CharField()


class MatrixRowSerializer(serializers.Serializer[Any]):
    """One service beside the control. `proof`: how the provider's part stands."""

    service = serializers.CharField(source="component")
    variant = serializers.CharField()
    responsibility = serializers.CharField()
    provider = serializers.CharField()
    provider_layers = serializers.ListField(
        child=serializers.CharField(), source="theirs"
    )
    our_duties = OurDutySerializer(many=True, source="ours")
    reports = serializers.ListField(child=serializers.CharField())
    proof = serializers.CharField()
    sources = serializers.ListField(child=serializers.CharField())


class MatrixPartSerializer(serializers.Serializer[Any]):
    """Parts of the control, such as “AC-2 (a), (b)”, that differ from the whole."""

    label: Any = serializers.CharField()
    responsibility = serializers.CharField()
    rows = MatrixRowSerializer(many=True)


class MatrixControlSerializer(serializers.Serializer[Any]):
    """One control with a row for each service in use that touches it."""

    control_id = serializers.CharField(source="control.ref_id")
    label: Any = serializers.CharField(source="control.label")
    title = serializers.CharField(source="control.title")
    responsibility = serializers.CharField()
    responsibility_source = serializers.SerializerMethodField()
    owner = serializers.SerializerMethodField()
    expected_of_us = serializers.ListField(
        child=serializers.CharField(), source="expected"
    )
    rows = MatrixRowSerializer(many=True)
    parts = MatrixPartSerializer(many=True)

    def get_responsibility_source(self, control: MatrixControl) -> str:
        """What the class rests on."""
        return SOURCES.get(control.control["source"] or "", "")

    def get_owner(self, control: MatrixControl) -> str:
        """The team that owns it; empty for nobody."""
        return control.control["owner"] or ""


def _any_row(rows: Any, text: str) -> Any:
    return rows


class MatrixViewSet(viewsets.GenericViewSet[ControlImplementation]):
    """Who answers for what in a system."""

    pagination_class = ByKey
    serializer_class = MatrixControlSerializer
    queryset = ControlImplementation.objects.none()
    filters = {
        "control": of_control("control"),
        # narrowed by the view: rows are those of the day asked about
        "service": Filter("Only rows of this service (slug).", _any_row),
        "duty": Filter("Only rows with such a duty.", _any_row, words=DUTIES),
    }

    @extend_schema(parameters=CLOCKS, responses=MatrixControlSerializer(many=True))
    def list(self, request: Request, slug: str) -> Response:
        """Controls page by page, each beside the services in use on the day."""
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=slug)
        moment, _ = clocks_of(request, system)
        named = ("service", "duty")
        narrowing = {name: request.query_params.get(name, "") for name in named}
        implementations: Any = system.implementations.only("system_id")
        implementations = narrowed(request, implementations, self)
        pks = [row.pk for row in self.paginate_queryset(implementations) or ()]
        statement = gather_sql.IMPLEMENTATIONS
        rows = read_rows(statement, moment, implementations=as_bigints(pks))
        try:
            controls = of_rows(rows, moment, narrowing)
            shown = with_reports(system, moment, controls)
        except LookupError:
            raise Refused({"known_at": NOT_RECORDED}) from None
        return self.get_paginated_response(
            MatrixControlSerializer(shown, many=True).data
        )


class TeamDutiesSerializer(serializers.Serializer[Any]):
    """A team's duties today, and what it last acknowledged.

    `state`: acknowledged, changed since, or never. `duties` are by control, each as
    `service:variant/layer/kind`; `digest` names them all.
    """

    team = serializers.CharField(source="team.slug")
    state = serializers.CharField()
    digest = serializers.CharField()
    duties = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField())
    )
    added = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField())
    )
    dropped = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField())
    )
    acknowledged_by = serializers.CharField(
        source="latest.acknowledged_by", default=None, allow_null=True
    )
    acknowledged_at = serializers.DateTimeField(
        source="latest.known_from", default=None, allow_null=True
    )


class AcknowledgeSerializer(serializers.Serializer[Any]):
    """Whose duties were read, and the digest of these."""

    team = serializers.SlugField()
    digest = serializers.RegexField(r"^[0-9a-f]{64}$")


class AcknowledgementsView(APIView):
    """Which teams have read their duties in a system."""

    @extend_schema(responses=TeamDutiesSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        """The teams that own controls with a duty of ours, by name; today."""
        of_teams = duties_today(self._system(request, slug))
        return Response(TeamDutiesSerializer(of_teams, many=True).data)

    @extend_schema(
        request=AcknowledgeSerializer, responses={201: AcknowledgeSerializer}
    )
    @idempotent()
    def post(self, request: Request, slug: str) -> Response:
        """For a contributor of the team; 409 where its duties are others by now."""
        system = self._system(request, slug)
        body = valid(AcknowledgeSerializer, request)
        team = Team.objects.filter(slug=body["team"]).first()
        if team is None:
            raise Refused({"team": f"There is no team “{body['team']}”."})
        acknowledge(system, team, body["digest"], by=actor_of(request))
        return Response(body, status=201)

    def _system(self, request: Request, slug: str) -> System:
        mine = System.objects.visible_to(actor_of(request))
        return get_object_or_404(mine, slug=slug)
