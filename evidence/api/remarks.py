"""What reports say that systems have to answer, over the API, and the answers."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.access import require_officer
from controls.api.conventions import WithoutETag, valid
from controls.api.idempotency import idempotent
from controls.models import System
from controls.reasons import MAX_REASON
from evidence.artifacts.remark_answers import (
    answer_remark,
    decide_answer,
    require_decider,
)
from evidence.models import RemarkAnswer, RemarkChoice, RemarkKind, ReportRemark
from evidence.models.remarks import MAX_REMARK
from evidence.models.reviews import ReviewDecision
from srm_project.requests import actor_of


class RemarkSerializer(serializers.ModelSerializer[ReportRemark]):
    """A subservice organisation carved out, an exception, or a control of users.

    `layers` are what a subservice organisation runs, `control_ids` what the others
    touch; in own words, never the report's text.
    """

    kind: Any = serializers.ChoiceField(choices=RemarkKind.choices)
    text = serializers.CharField(
        max_length=MAX_REMARK, required=False, allow_blank=True, default=""
    )
    layers = serializers.ListField(child=serializers.CharField(), default=list)
    control_ids = serializers.ListField(child=serializers.CharField(), default=list)

    class Meta:
        model = ReportRemark
        fields = ["uuid", "kind", "title", "text", "provider_slug", "layers"]
        fields += ["control_ids"]
        read_only_fields = ["uuid", "provider_slug"]


class RemarkAnswerSerializer(serializers.ModelSerializer[RemarkAnswer]):
    """What one system makes of it; it counts once `decision` is accept."""

    system = serializers.SlugRelatedField(
        slug_field="slug", queryset=System.objects.all()
    )
    choice: Any = serializers.ChoiceField(choices=RemarkChoice.choices)
    text = serializers.CharField(max_length=MAX_REASON)
    decision: Any = serializers.CharField(
        source="decision.decision", read_only=True, default=""
    )

    class Meta:
        model = RemarkAnswer
        fields = ["uuid", "system", "choice", "text", "answerer_name", "answered_on"]
        fields += ["decision"]
        read_only_fields = ["uuid", "answerer_name", "answered_on"]


class RemarkDecisionSerializer(serializers.Serializer[Any]):
    """A second person's word on an answer; a rejection says why."""

    decision = serializers.ChoiceField(choices=ReviewDecision.choices)
    reason = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=MAX_REASON
    )


class RemarkViewSet(
    WithoutETag, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]
):
    """What reports say, and what systems answered."""

    serializer_class = RemarkSerializer
    lookup_field = "uuid"
    queryset = ReportRemark.objects.none()

    def get_queryset(self) -> QuerySet[ReportRemark]:
        """Only what `visible_to` allows."""
        mine: QuerySet[ReportRemark]
        mine = ReportRemark.objects.visible_to(actor_of(self.request)).for_listing()
        return mine

    @extend_schema(responses=RemarkAnswerSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def answers(self, request: Request, uuid: str) -> Response:
        """What the systems the caller may read answered, oldest first."""
        rows = RemarkAnswer.objects.visible_to(actor_of(request)).for_listing()
        answers = rows.filter(remark=self.get_object())
        return Response(RemarkAnswerSerializer(answers, many=True).data)

    @extend_schema(
        request=RemarkAnswerSerializer, responses={201: RemarkAnswerSerializer}
    )
    @answers.mapping.post
    @idempotent()
    def answer(self, request: Request, uuid: str) -> Response:
        """Answer it for one system, as its officer; 409 while another answer waits."""
        remark = self.get_object()
        body = valid(RemarkAnswerSerializer, request)
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, pk=body.pop("system").pk)
        require_officer(system, actor_of(request))
        answer = answer_remark(remark, system, **body, by=actor_of(request))
        return Response(RemarkAnswerSerializer(answer).data, status=201)


class RemarkAnswerViewSet(
    WithoutETag, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]
):
    """Answers, and the second person's decision on each."""

    serializer_class = RemarkAnswerSerializer
    lookup_field = "uuid"
    queryset = RemarkAnswer.objects.none()

    def get_queryset(self) -> QuerySet[RemarkAnswer]:
        """Only what `visible_to` allows."""
        return RemarkAnswer.objects.visible_to(actor_of(self.request)).for_listing()

    @extend_schema(request=RemarkDecisionSerializer, responses=RemarkAnswerSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, uuid: str) -> Response:
        """Accept or reject it; 409 when it is decided."""
        answer = self.get_object()
        require_decider(answer, by=actor_of(request))
        body = valid(RemarkDecisionSerializer, request)
        decide_answer(answer, **body, by=actor_of(request))
        return Response(RemarkAnswerSerializer(self.get_object()).data)
