"""Letters that continue AWS's reports over the API, and the decision on each."""

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
from controls.models import System
from controls.reasons import MAX_REASON
from evidence.artifacts.letters import decide_letter, letters_to_decide
from evidence.models import ContinuityLetter, LetterAcceptance
from evidence.models.reviews import ReviewDecision
from srm_project.requests import actor_of


class LetterSerializer(serializers.ModelSerializer[ContinuityLetter]):
    """A letter that continues a report; `until` is exclusive."""

    class Meta:
        model = ContinuityLetter
        fields = ["uuid", "issued_on", "starts", "until"]


class LetterDecisionSerializer(serializers.ModelSerializer[LetterAcceptance]):
    """A second person's decision on a letter, for one system."""

    system = serializers.SlugRelatedField(
        slug_field="slug", queryset=System.objects.all()
    )
    decision: Any = serializers.ChoiceField(choices=ReviewDecision.choices)

    class Meta:
        model = LetterAcceptance
        fields = ["uuid", "system", "decision", "reason"]
        fields += ["reviewer_name", "decided_on"]
        read_only_fields = ["uuid", "reviewer_name", "decided_on"]
        extra_kwargs = {"reason": {"max_length": MAX_REASON}}


class WaitingLetterSerializer(serializers.Serializer[Any]):
    """A letter that waits for the caller's decision in one system."""

    letter = LetterSerializer()
    report = serializers.UUIDField(source="letter.artifact_version.uuid")
    system = serializers.SlugField(source="system.slug")


class LetterViewSet(
    WithoutETag, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]
):
    """Letters that continue reports, and what second persons decided on them."""

    serializer_class = LetterSerializer
    lookup_field = "uuid"
    queryset = ContinuityLetter.objects.none()

    def get_queryset(self) -> QuerySet[ContinuityLetter]:
        """Only what `visible_to` allows."""
        mine = ContinuityLetter.objects.visible_to(actor_of(self.request))
        return mine.for_listing()

    @extend_schema(responses=WaitingLetterSerializer(many=True))
    @action(detail=False, url_path="to-decide", pagination_class=None)
    def to_decide(self, request: Request) -> Response:
        """Letters registered after their report's review that wait for the caller."""
        rows = letters_to_decide(actor_of(request))
        return Response(WaitingLetterSerializer(rows, many=True).data)

    @extend_schema(responses=LetterDecisionSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def decisions(self, request: Request, uuid: str) -> Response:
        """What the systems the caller may read decided, newest first."""
        rows = LetterAcceptance.objects.visible_to(actor_of(request)).for_listing()
        decisions = rows.filter(letter=self.get_object())
        return Response(LetterDecisionSerializer(decisions, many=True).data)

    @extend_schema(
        request=LetterDecisionSerializer, responses={201: LetterDecisionSerializer}
    )
    @decisions.mapping.post
    @idempotent()
    def decide(self, request: Request, uuid: str) -> Response:
        """Accept or reject it for one system; 409 when it does not wait there."""
        letter = self.get_object()
        body = valid(LetterDecisionSerializer, request)
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, pk=body.pop("system").pk)
        acceptance = decide_letter(letter, system, **body, by=actor_of(request))
        return Response(LetterDecisionSerializer(acceptance).data, status=201)
