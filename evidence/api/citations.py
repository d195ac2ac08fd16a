"""What systems cite series for over the API, and the second person's decision."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.conventions import WithoutETag, valid
from controls.api.idempotency import idempotent
from controls.errors import Refused
from controls.models import System
from controls.reasons import MAX_REASON
from evidence.artifacts.citation_decisions import (
    citation_standings,
    citations_to_decide,
    decide_citations,
    require_decider,
)
from evidence.artifacts.citations import remove_citation
from evidence.models import Citation
from evidence.models.reviews import ReviewDecision
from srm_project.requests import actor_of


class CitationSerializer(serializers.Serializer[Any]):
    """One control of a system for whose providers' half a series is cited.

    `state` is accepted, waiting (for a second person), with-report (the next review of
    a report decides) or rejected.
    """

    uuid = serializers.UUIDField(source="citation.uuid")
    system = serializers.SlugField(source="citation.system.slug")
    artifact = serializers.UUIDField(source="citation.artifact.uuid")
    control_id = serializers.CharField(source="citation.control.ref_id")
    citation = serializers.CharField(source="citation.citation")
    state = serializers.CharField()
    unnamed = serializers.BooleanField(
        help_text="What is recorded that the series speaks to names other controls, and"
        " not this one."
    )


class NewCitationsSerializer(serializers.Serializer[Any]):
    """Controls of one system for whose providers' half a series is cited."""

    system = serializers.SlugField()
    control_ids = serializers.ListField(child=serializers.CharField(), min_length=1)
    citation = serializers.CharField(required=False, default="", max_length=300)


class CitationDecisionsSerializer(serializers.Serializer[Any]):
    """A second person's decision on any number of citations of one system."""

    system = serializers.SlugField()
    citations = serializers.ListField(child=serializers.UUIDField(), min_length=1)
    decision = serializers.ChoiceField(choices=ReviewDecision.choices)
    reason = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=MAX_REASON
    )


class CitationViewSet(
    WithoutETag, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]
):
    """Single citations, and the decision on those made after a review."""

    serializer_class = CitationSerializer
    lookup_field = "uuid"
    queryset = Citation.objects.none()

    def get_queryset(self) -> QuerySet[Citation]:
        """Only what `visible_to` allows."""
        mine = Citation.objects.visible_to(actor_of(self.request))
        return mine.select_related("artifact", "control", "system")

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One citation and where it stands."""
        citations = Citation.objects.filter(pk=self.get_object().pk)
        (standing,) = citation_standings(citations)
        return Response(CitationSerializer(standing).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, uuid: str) -> Response:
        """Stop offering the series for the control; the past stays on record."""
        remove_citation(self.get_object(), by=actor_of(request))
        return Response(status=204)

    @extend_schema(responses=CitationSerializer(many=True))
    @action(detail=False, url_path="to-decide", pagination_class=None)
    def to_decide(self, request: Request) -> Response:
        """Citations made after a review of the series that wait for the caller."""
        rows = citations_to_decide(actor_of(request))
        return Response(CitationSerializer(rows, many=True).data)

    @extend_schema(
        request=CitationDecisionsSerializer,
        responses={201: CitationSerializer(many=True)},
    )
    @action(detail=False, methods=["post"], pagination_class=None)
    @idempotent()
    def decisions(self, request: Request) -> Response:
        """Accept or reject them in one act; 409 when one of them does not wait."""
        body = valid(CitationDecisionsSerializer, request)
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=body.pop("system"))
        require_decider(system, by=actor_of(request))
        named = set(body.pop("citations"))
        here = Citation.objects.filter(system=system, uuid__in=named)
        rows = list(here)
        if len(rows) != len(named):
            raise Refused({"citations": "Name citations of this system only."})
        decide_citations(rows, system, **body, by=actor_of(request))
        standings = citation_standings(here)
        return Response(CitationSerializer(standings, many=True).data, status=201)
