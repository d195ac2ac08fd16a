"""Single reports over the API: shown, continued, ended, relied on."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.conventions import etag, expected_version, valid
from controls.api.idempotency import idempotent
from controls.models import System
from controls.reasons import MAX_REASON
from controls.reference.aws_names import lines_of_text
from evidence.api.clocks import BodyDayField
from evidence.api.letters import LetterSerializer
from evidence.api.remarks import RemarkSerializer
from evidence.api.scope import (
    ScopeConfirmSerializer,
    ScopeListSerializer,
    ScopeProposalSerializer,
    proposal_body,
)
from evidence.artifacts import register
from evidence.artifacts.reliance import record_reliance
from evidence.artifacts.remarks import register_remark
from evidence.artifacts.scope import (
    confirm_scope,
    propose_scope,
    require_open_scope,
    sealed_scope,
)
from evidence.models import ArtifactVersion, RelianceConclusion, RelianceReview
from evidence.models.artifacts import ArtifactVersionState
from srm_project.requests import actor_of

ENDED = [choice for choice in ArtifactVersionState.choices if choice[0] != "active"]


class NewLetterSerializer(serializers.Serializer[Any]):
    """When it was written and the last day it names."""

    issued_on = BodyDayField()
    ends = BodyDayField()


class ArtifactVersionSerializer(serializers.ModelSerializer[ArtifactVersion]):
    """One report; `until` is exclusive. `same_days_as` are labels of others of its
    series that stand and speak of the same days: record which is superseded."""

    letters: Any = LetterSerializer(many=True, read_only=True)
    same_days_as = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = ArtifactVersion
        fields = [
            "uuid",
            "label",
            "reference",
            "starts",
            "until",
            "opinion",
            "impact_level",
            "partition",
            "regions",
            "service_slugs",
            "sites",
            "state",
            "ended_on",
            "letters",
            "same_days_as",
        ]


class NewVersionSerializer(serializers.ModelSerializer[ArtifactVersion]):
    """A report to register; `ends` is its last day, null for no end or an assessment.

    AWS is scoped by services and regions, any other provider by `sites`.
    """

    starts = BodyDayField()
    ends = BodyDayField(allow_null=True)
    issued_on = BodyDayField(required=False, allow_null=True)
    services = serializers.ListField(
        child=serializers.CharField(), help_text='Slugs of services; "*" is all.'
    )

    class Meta:
        model = ArtifactVersion
        fields = [
            "label",
            "reference",
            "starts",
            "ends",
            "issued_on",
            "opinion",
            "impact_level",
            "partition",
            "regions",
            "services",
            "sites",
        ]


class EndedVersionSerializer(serializers.Serializer[Any]):
    """Which of three ends a report met, and from which day.

    `superseded` takes nothing away, `revoked` opens the days from then on, `withdrawn`
    (by its auditor) takes all its days and needs a reason.
    """

    state = serializers.ChoiceField(choices=ENDED)
    ended_on = BodyDayField()
    reason = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=MAX_REASON
    )


class ReliesSerializer(serializers.ModelSerializer[RelianceReview]):
    """One system's reading of one report."""

    system = serializers.SlugRelatedField(
        slug_field="slug", queryset=System.objects.all()
    )
    conclusion: Any = serializers.ChoiceField(choices=RelianceConclusion.choices)

    class Meta:
        model = RelianceReview
        fields = [
            "uuid",
            "system",
            "conclusion",
            "scope_note",
            "period_note",
            "exceptions_note",
            "cuec_note",
            "reviewer_name",
            "reviewed_on",
        ]
        read_only_fields = ["uuid", "reviewer_name", "reviewed_on"]


class ArtifactVersionViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """Single reports: continued by letters, ended, relied on."""

    serializer_class = ArtifactVersionSerializer
    lookup_field = "uuid"
    queryset = ArtifactVersion.objects.none()

    def get_queryset(self) -> QuerySet[ArtifactVersion]:
        """Only what `visible_to` allows."""
        mine = ArtifactVersion.objects.visible_to(actor_of(self.request))
        return mine.for_listing().prefetch_related("letters")

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One report with its ETag."""
        return _shown(self.get_object())

    @extend_schema(request=NewLetterSerializer, responses=LetterSerializer)
    @action(detail=True, methods=["post"])
    @idempotent()
    def letters(self, request: Request, uuid: str) -> Response:
        """Record a letter that continues the report."""
        version = self.get_object()
        register.require_registrar(actor_of(request))
        body = valid(NewLetterSerializer, request)
        letter = register.add_letter(version, **body, by=actor_of(request))
        return Response(LetterSerializer(letter).data, status=201)

    @extend_schema(request=EndedVersionSerializer, responses=ArtifactVersionSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, uuid: str) -> Response:
        """Record that it was superseded, revoked or withdrawn; 409 when ended before.

        If-Match, where sent, must match.
        """
        version = self.get_object()
        register.require_registrar(actor_of(request))
        body = valid(EndedVersionSerializer, request)
        register.end_version(
            version,
            state=body["state"],
            on=body["ended_on"],
            reason=body["reason"],
            seen_version=expected_version(request, version, required=False),
            by=actor_of(request),
        )
        return _shown(self.get_object())

    @extend_schema(request=ScopeListSerializer, responses=ScopeProposalSerializer)
    @action(detail=True, methods=["post"], url_path="scope-preview")
    def scope_preview(self, request: Request, uuid: str) -> Response:
        """What each line of a list means, and the scope by it; nothing is written."""
        version = self.get_object()
        by = actor_of(request)
        require_open_scope(version, by=by)
        body = valid(ScopeListSerializer, request)
        lines = lines_of_text(body["text"])
        proposal = propose_scope(version, lines, body["how"], by=by)
        answer = proposal_body(proposal, sealed_scope(version, proposal, by=by))
        return Response(ScopeProposalSerializer(answer).data)

    @extend_schema(
        request=ScopeConfirmSerializer, responses={201: ArtifactVersionSerializer}
    )
    @action(detail=True, methods=["post"])
    @idempotent()
    def scope(self, request: Request, uuid: str) -> Response:
        """Make the scope what a preview showed; 409 where the report changed since."""
        version = self.get_object()
        require_open_scope(version, by=actor_of(request))
        body = valid(ScopeConfirmSerializer, request)
        confirm_scope(version, **body, by=actor_of(request))
        shown = self.get_object()
        data = ArtifactVersionSerializer(shown).data
        return Response(data, status=201, headers={"ETag": etag(shown)})

    @extend_schema(responses=RemarkSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def remarks(self, request: Request, uuid: str) -> Response:
        """Carve-outs, exceptions and controls of users, oldest first."""
        rows = self.get_object().remarks.order_by("pk")
        return Response(RemarkSerializer(rows, many=True).data)

    @extend_schema(request=RemarkSerializer, responses={201: RemarkSerializer})
    @remarks.mapping.post
    @idempotent()
    def remark(self, request: Request, uuid: str) -> Response:
        """Write down one thing that the report says, as a registrar."""
        version = self.get_object()
        register.require_registrar(actor_of(request))
        body = valid(RemarkSerializer, request)
        remark = register_remark(version, **body, by=actor_of(request))
        return Response(RemarkSerializer(remark).data, status=201)

    @extend_schema(responses=ReliesSerializer(many=True))
    @action(detail=True, methods=["get"], url_path="reliance", pagination_class=None)
    def reliance(self, request: Request, uuid: str) -> Response:
        """What the systems the caller may read made of it, newest first."""
        rows = RelianceReview.objects.visible_to(actor_of(request)).for_listing()
        reviews = rows.filter(artifact_version=self.get_object())
        return Response(ReliesSerializer(reviews, many=True).data)

    @extend_schema(request=ReliesSerializer, responses=ReliesSerializer)
    @reliance.mapping.post
    @idempotent()
    def rely(self, request: Request, uuid: str) -> Response:
        """Record a reliance review, by somebody who neither registered the report nor
        set its scope; with If-Match, of the report as it was read."""
        version = self.get_object()
        seen = expected_version(request, version, required=False)
        body = valid(ReliesSerializer, request)
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, pk=body.pop("system").pk)
        review = record_reliance(
            version, system, **body, seen_version=seen, by=actor_of(request)
        )
        return Response(ReliesSerializer(review).data, status=201)


def _shown(version: ArtifactVersion) -> Response:
    body = ArtifactVersionSerializer(version).data
    return Response(body, headers={"ETag": etag(version)})
