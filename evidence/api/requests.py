"""Requests for evidence over the API: asked, answered, accepted, returned."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls import clock
from controls.api.conventions import ByKey, etag, expected_version, valid
from controls.api.filters import Filter, of_control, of_system
from controls.api.idempotency import idempotent
from controls.errors import Refused
from controls.models import Role, System, Team, User
from controls.reasons import MAX_REASON
from evidence.api.clocks import BodyDayField
from evidence.models import (
    Evidence,
    EvidenceRequest,
    RequestAnswer,
    RequestJudgement,
)
from evidence.models.requests import MAX_NUMBER, EvidenceRequestState
from evidence.requests.answers import answer, decide_answer
from evidence.requests.requests import (
    MAX_CONTROLS,
    UNKNOWN_PERSON,
    UNKNOWN_TEAM,
    RequestDraft,
    cancel,
    request_evidence,
)
from evidence.requests.who_may import require_answerer, require_requester
from srm_project.requests import actor_of


class RequestAnswerSerializer(serializers.ModelSerializer[RequestAnswer]):
    """Evidence offered as an answer, and the revision that was meant."""

    evidence = serializers.UUIDField(source="revision.evidence.uuid")
    revision = serializers.IntegerField(source="revision.number")
    digest = serializers.CharField(source="revision.digest")
    answered_by = serializers.CharField(source="answered_by.email")

    class Meta:
        model = RequestAnswer
        fields = ["uuid", "evidence", "revision", "digest", "answered_by", "note"]


class RequestJudgementSerializer(serializers.ModelSerializer[RequestJudgement]):
    """What came of it, and why."""

    judged_by = serializers.CharField(source="judged_by.email")

    class Meta:
        model = RequestJudgement
        fields = ["uuid", "became", "reason", "judged_by"]


class EvidenceRequestSerializer(serializers.ModelSerializer[EvidenceRequest]):
    """What is asked of whom by when (inclusive), and where it stands."""

    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    control_ids = serializers.SerializerMethodField()
    team: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    person = serializers.CharField(source="person.email", default=None)
    asked_by = serializers.CharField(source="asked_by.email")
    engagement = serializers.CharField(source="engagement.title", default=None)
    answers = RequestAnswerSerializer(many=True)
    judgements = RequestJudgementSerializer(many=True)

    class Meta:
        model = EvidenceRequest
        fields = [
            "uuid",
            "system",
            "control_ids",
            "number",
            "title",
            "what",
            "team",
            "person",
            "due_on",
            "overdue",
            "state",
            "asked_by",
            "engagement",
            "answers",
            "judgements",
            "version",
        ]

    def get_control_ids(self, request: EvidenceRequest) -> list[str]:
        """The controls it is about."""
        return [row.control.ref_id for row in request.controls.all()]


class NewRequestSerializer(serializers.Serializer[Any]):
    """A request to make. `person` is an e-mail address."""

    system = serializers.SlugField()
    control_ids = serializers.ListField(
        child=serializers.CharField(),
        min_length=1,
        max_length=MAX_CONTROLS,
        help_text="`ac` names a whole family, `all` the whole baseline.",
    )
    title = serializers.CharField(max_length=200)
    number = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=MAX_NUMBER,
        help_text="The auditor's own, once in an engagement.",
    )
    what = serializers.CharField(required=False, default="")
    team = serializers.SlugField()
    person = serializers.EmailField(required=False, allow_null=True, default=None)
    due_on = BodyDayField()


class NewAnswerSerializer(serializers.Serializer[Any]):
    """Evidence by uuid: the newest revision of each is what answers."""

    evidence = serializers.ListField(child=serializers.UUIDField(), min_length=1)
    note = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=MAX_REASON
    )


class JudgementSerializer(serializers.Serializer[Any]):
    """Why; needed to return a request or to take it back."""

    reason = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=MAX_REASON
    )


class EvidenceRequestViewSet(viewsets.ReadOnlyModelViewSet[EvidenceRequest]):
    """Requests the caller may read."""

    serializer_class = EvidenceRequestSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = EvidenceRequest.objects.none()
    filters = {
        "system": of_system(),
        "control": of_control("controls__control", unique=False),
        "state": Filter(
            "A state, `unsettled`, or `overdue`.",
            lambda rows, text: rows.matching(state=text, now=clock.now()),
            words=(*EvidenceRequestState.values, "unsettled", "overdue"),
        ),
    }

    def get_queryset(self) -> QuerySet[EvidenceRequest]:
        """Only what `visible_to` allows."""
        mine = EvidenceRequest.objects.visible_to(actor_of(self.request)).for_listing()
        related = ("answers__revision__evidence", "answers__answered_by")
        return mine.prefetch_related(*related, "judgements__judged_by")

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One request with its ETag."""
        return self._shown(self.get_object())

    @extend_schema(
        request=NewRequestSerializer, responses={201: EvidenceRequestSerializer}
    )
    @idempotent()
    def create(self, request: Request) -> Response:
        """Ask a team; officers and auditors may."""
        body = valid(NewRequestSerializer, request)
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=body.pop("system"))
        require_requester(system, actor_of(request))
        team = Team.objects.filter(slug=body.pop("team")).first()
        if team is None:
            raise Refused({"team": UNKNOWN_TEAM})
        person = _person(system, body.pop("person"))
        made = request_evidence(
            system, RequestDraft(**body, team=team, person=person), by=actor_of(request)
        )
        return self._shown(made, status=201)

    @extend_schema(
        request=NewAnswerSerializer, responses={200: EvidenceRequestSerializer}
    )
    @action(detail=True, methods=["post"])
    @idempotent()
    def answer(self, request: Request, uuid: str) -> Response:
        """Answer with evidence that is here; needs If-Match."""
        evidence_request = self.get_object()
        require_answerer(evidence_request, actor_of(request))
        version = expected_version(request, evidence_request)
        body = valid(NewAnswerSerializer, request)
        mine = Evidence.objects.visible_to(actor_of(request))
        evidence = [get_object_or_404(mine, uuid=uuid) for uuid in body["evidence"]]
        answer(
            evidence_request,
            evidence,
            note=body["note"],
            by=actor_of(request),
            version=version,
        )
        return self._shown(self.get_object())

    @extend_schema(request=JudgementSerializer, responses=EvidenceRequestSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, uuid: str) -> Response:
        """Accept the answer; needs If-Match."""
        return self._judged(request, accept=True)

    @extend_schema(
        operation_id="requests_return",
        request=JudgementSerializer,
        responses=EvidenceRequestSerializer,
    )
    @action(detail=True, methods=["post"], url_path="return")
    def send_back(self, request: Request, uuid: str) -> Response:
        """Return it, with what is still missing; needs If-Match."""
        return self._judged(request, accept=False)

    @extend_schema(request=JudgementSerializer, responses=EvidenceRequestSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, uuid: str) -> Response:
        """Take it back, with a reason; needs If-Match."""
        evidence_request = self.get_object()
        version = expected_version(request, evidence_request)
        reason = valid(JudgementSerializer, request)["reason"]
        cancel(evidence_request, reason=reason, by=actor_of(request), version=version)
        return self._shown(self.get_object())

    def _judged(self, request: Request, *, accept: bool) -> Response:
        evidence_request = self.get_object()
        version = expected_version(request, evidence_request)
        reason = valid(JudgementSerializer, request)["reason"]
        decide_answer(
            evidence_request,
            accept=accept,
            reason=reason,
            by=actor_of(request),
            version=version,
        )
        return self._shown(self.get_object())

    def _shown(self, row: EvidenceRequest, status: int = 200) -> Response:
        body = EvidenceRequestSerializer(row).data
        return Response(body, status=status, headers={"ETag": etag(row)})


def _person(system: System, email: str | None) -> User | None:
    """The contributor of that address. Raises Refused for anybody else."""
    if not email:
        return None
    here = system.memberships.active().filter(role=Role.CONTRIBUTOR)
    person = User.objects.filter(
        email__iexact=email, pk__in=here.values("user")
    ).first()
    if person is None:
        raise Refused({"person": UNKNOWN_PERSON})
    return person
