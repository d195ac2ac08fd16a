"""Evidence over the API: uploaded, reviewed, corrected, used again, withdrawn."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import parsers, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls import clock
from controls.api.conventions import ByKey, etag, expected_version, valid
from controls.api.idempotency import idempotent
from controls.approvals import refuse_stale
from controls.errors import Refused
from controls.models import User
from evidence.api.uploads import FilesSerializer, Streaming, checked_files
from evidence.models import (
    Evidence,
    EvidenceLink,
    EvidenceRequirement,
    SampleItem,
)
from evidence.reviews import decide
from evidence.reviews.reconfirm import reconfirm, to_reconfirm
from evidence.status.control_status import today_of
from evidence.status.what_if import if_withdrawn
from evidence.submissions.revise import attach, newest, revise
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit, submit_draft, withdraw
from evidence.submissions.who_may import require_reviser, require_withdrawer
from srm_project.requests import actor_of


class LinkSerializer(serializers.ModelSerializer[EvidenceLink]):
    """One evidence for one half of one control, and where it stands."""

    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    control_id = serializers.CharField(
        source="implementation.control.ref_id", read_only=True
    )
    evidence = serializers.UUIDField(source="revision.evidence.uuid", read_only=True)
    title = serializers.CharField(source="revision.evidence.title", read_only=True)
    performed_on = serializers.DateField(source="revision.performed_on", read_only=True)
    digest = serializers.CharField(source="revision.digest", read_only=True)
    sample_item = serializers.UUIDField(
        source="sample_item.uuid", read_only=True, default=None
    )

    class Meta:
        model = EvidenceLink
        fields = [
            "uuid",
            "system",
            "control_id",
            "half",
            "evidence",
            "title",
            "performed_on",
            "digest",
            "state",
            "occurrence",
            "sample_item",
            "proves_from",
            "proves_to",
            "version",
        ]
        read_only_fields = fields


class UploadSerializer(FilesSerializer):
    """Files and what is said about them. Days are inclusive."""

    requirement = serializers.UUIDField()
    title = serializers.CharField(max_length=200)
    performed_on = serializers.DateField()
    period_start = serializers.DateField()
    period_end = serializers.DateField()
    collected_on = serializers.DateField(required=False)
    source_system = serializers.CharField(required=False, max_length=120)
    procedure = serializers.CharField(required=False)
    also = serializers.ListField(child=serializers.UUIDField(), required=False)
    collected_by = serializers.EmailField(required=False)
    addresses = serializers.ListField(
        child=serializers.URLField(max_length=500), required=False, max_length=10
    )
    draft = serializers.BooleanField(required=False, default=False)
    sample_item = serializers.UUIDField(
        required=False, help_text="the sampled event it shows, where asked per event"
    )


class RevisionSerializer(FilesSerializer):
    """A correction or an addition: new files and days, and why.

    Without `collected_by` the earlier collector stays.
    """

    kind = serializers.ChoiceField(choices=["correction", "addition"])
    reason = serializers.CharField()
    title = serializers.CharField(max_length=200, required=False)
    performed_on = serializers.DateField()
    period_start = serializers.DateField()
    period_end = serializers.DateField()
    collected_on = serializers.DateField(required=False)
    source_system = serializers.CharField(required=False, max_length=120)
    procedure = serializers.CharField(required=False)
    collected_by = serializers.EmailField(required=False)


class AttachSerializer(serializers.Serializer[Any]):
    """A further requirement the same evidence is offered for."""

    requirement = serializers.UUIDField()


class TurnSerializer(serializers.Serializer[Any]):
    """One control whose answer would change."""

    control_id = serializers.CharField(source="ref_id")
    half_before = serializers.CharField(source="before.status.customer_half")
    half_after = serializers.CharField(source="after.status.customer_half")
    verdict_before = serializers.CharField(source="before.status.verdict")
    verdict_after = serializers.CharField(source="after.status.verdict")


class MarkSerializer(serializers.Serializer[Any]):
    """One accepted link whose duties changed, and how."""

    link = serializers.UUIDField()
    since = serializers.DateField(allow_null=True)
    added = serializers.ListField(child=serializers.CharField())
    gone = serializers.ListField(child=serializers.CharField())


class ReviewSerializer(serializers.Serializer[Any]):
    """A judgement with its reason."""

    reason = serializers.CharField(required=False, allow_blank=True, default="")


class DecisionSerializer(serializers.Serializer[Any]):
    """One decision of many; `version` is what was looked at."""

    link = serializers.UUIDField()
    accept = serializers.BooleanField()
    reason = serializers.CharField(required=False, allow_blank=True, default="")
    version = serializers.IntegerField(required=False, allow_null=True, default=None)


class LinkViewSet(Streaming, viewsets.ReadOnlyModelViewSet[EvidenceLink]):
    """Evidence as linked to controls; uploads and reviews."""

    serializer_class = LinkSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = EvidenceLink.objects.none()
    parser_classes = [parsers.JSONParser, parsers.MultiPartParser, parsers.FormParser]

    def get_queryset(self) -> QuerySet[EvidenceLink]:
        """Only what `visible_to` allows."""
        return EvidenceLink.objects.visible_to(actor_of(self.request)).for_listing()

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One link with its ETag."""
        link = self.get_object()
        return Response(LinkSerializer(link).data, headers={"ETag": etag(link)})

    @extend_schema(request=UploadSerializer, responses=LinkSerializer)
    @idempotent()
    def create(self, request: Request) -> Response:
        """Upload files for a requirement and submit them for review."""
        self.refuse_unread(request)
        body = valid(UploadSerializer, request)
        mine = EvidenceRequirement.objects.visible_to(actor_of(request)).for_listing()
        requirement = get_object_or_404(mine, uuid=body["requirement"])
        also = [get_object_or_404(mine, uuid=uuid) for uuid in body.get("also", ())]
        link = submit(
            _submission(body),
            checked_files(body),
            requirement=requirement,
            also=also,
            item=_sample_item(request, body.get("sample_item")),
            by=actor_of(request),
            today=today_of(requirement.system),
        )
        return Response(
            LinkSerializer(link).data, status=201, headers={"ETag": etag(link)}
        )

    @extend_schema(request=None, responses=LinkSerializer)
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, uuid: str) -> Response:
        """Submit a draft for review; needs If-Match."""
        link = self.get_object()
        version = expected_version(request, link)
        submit_draft(link, by=actor_of(request), version=version)
        return Response(LinkSerializer(link).data, headers={"ETag": etag(link)})

    @extend_schema(request=ReviewSerializer, responses=LinkSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, uuid: str) -> Response:
        """Accept; needs If-Match."""
        link = self.get_object()
        link.accept(
            by=actor_of(request),
            reason=_reason(request),
            version=expected_version(request, link),
        )
        return Response(LinkSerializer(link).data, headers={"ETag": etag(link)})

    @extend_schema(request=ReviewSerializer, responses=LinkSerializer)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, uuid: str) -> Response:
        """Reject with a reason; needs If-Match."""
        link = self.get_object()
        link.reject(
            by=actor_of(request),
            reason=_reason(request),
            version=expected_version(request, link),
        )
        return Response(LinkSerializer(link).data, headers={"ETag": etag(link)})

    @extend_schema(responses=TurnSerializer(many=True))
    @action(
        detail=True, methods=["get"], url_path="if-withdrawn", pagination_class=None
    )
    def if_withdrawn(self, request: Request, uuid: str) -> Response:
        """The controls that would turn today; changes nothing."""
        link = self.get_object()
        require_withdrawer(link, by=actor_of(request))
        turns = if_withdrawn(link, by=actor_of(request), today=today_of(link.system))
        return Response(TurnSerializer(turns, many=True).data)

    @extend_schema(request=ReviewSerializer, responses=LinkSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, uuid: str) -> Response:
        """Take it back, with a reason; needs If-Match."""
        link = self.get_object()
        version = expected_version(request, link)
        withdraw(link, by=actor_of(request), reason=_reason(request), version=version)
        return Response(LinkSerializer(link).data, headers={"ETag": etag(link)})

    @extend_schema(request=ReviewSerializer, responses=LinkSerializer)
    @action(detail=True, methods=["post"])
    def reconfirm(self, request: Request, uuid: str) -> Response:
        """Accepted before our duties changed: it proves those of now as well.

        Needs If-Match.
        """
        link = self.get_object()
        version = expected_version(request, link)
        reconfirm(link, by=actor_of(request), reason=_reason(request), version=version)
        return Response(LinkSerializer(link).data, headers={"ETag": etag(link)})

    @extend_schema(responses=MarkSerializer(many=True))
    @action(
        detail=False, methods=["get"], url_path="to-reconfirm", pagination_class=None
    )
    def to_reconfirm(self, request: Request) -> Response:
        """What waits for the caller, as a reviewer, to confirm anew."""
        reconfirmations = [
            mark for mark, _ in to_reconfirm(actor_of(request), clock.today())
        ]
        return Response(MarkSerializer(reconfirmations, many=True).data)

    @extend_schema(request=RevisionSerializer, responses=LinkSerializer(many=True))
    @action(detail=True, methods=["post"], pagination_class=None)
    @idempotent()
    def revise(self, request: Request, uuid: str) -> Response:
        """Correct or add to the evidence behind it; answers with the new links."""
        evidence = self._revisable(request)
        self.refuse_unread(request)
        body = valid(RevisionSerializer, request)
        revision = revise(
            evidence,
            _submission({"title": evidence.title} | body),
            checked_files(body),
            kind=body["kind"],
            reason=body["reason"],
            by=actor_of(request),
            today=today_of(evidence.system),
        )
        rows = self.get_queryset().filter(revision=revision).order_by("pk")
        return Response(LinkSerializer(rows, many=True).data, status=201)

    @extend_schema(request=AttachSerializer, responses=LinkSerializer)
    @action(detail=True, methods=["post"])
    @idempotent()
    def attach(self, request: Request, uuid: str) -> Response:
        """Offer the newest revision for one more requirement; unreviewed."""
        evidence = self._revisable(request)
        mine = EvidenceRequirement.objects.visible_to(actor_of(request)).for_listing()
        requirement = get_object_or_404(
            mine, uuid=valid(AttachSerializer, request)["requirement"]
        )
        link = attach(newest(evidence), requirement=requirement, by=actor_of(request))
        return Response(LinkSerializer(link).data, status=201)

    def _revisable(self, request: Request) -> Evidence:
        """The evidence behind the link; If-Match, where sent, must match the link."""
        link = self.get_object()
        require_reviser(link.revision.evidence, by=actor_of(request))
        refuse_stale(link, expected_version(request, link, required=False))
        evidence: Evidence = link.revision.evidence
        return evidence

    @extend_schema(
        request=DecisionSerializer(many=True), responses=LinkSerializer(many=True)
    )
    @action(detail=False, methods=["post"], pagination_class=None)
    def decide(self, request: Request) -> Response:
        """Many decisions, each with its reason: all are recorded, or none."""
        serializer = DecisionSerializer(data=request.data, many=True)
        serializer.is_valid(raise_exception=True)
        decisions = [decide.Decision(**fields) for fields in serializer.validated_data]
        decided = decide.decide_all(decisions, by=actor_of(request))
        rows = self.get_queryset().filter(pk__in=[link.pk for link in decided])
        return Response(LinkSerializer(rows, many=True).data)


def _sample_item(request: Request, uuid: Any) -> SampleItem | None:
    if uuid is None:
        return None
    mine = SampleItem.objects.visible_to(actor_of(request)).for_upload()
    return get_object_or_404(mine, uuid=uuid)


def _reason(request: Request) -> str:
    reason: str = valid(ReviewSerializer, request)["reason"]
    return reason


def _submission(body: dict[str, Any]) -> Submission:
    return Submission(
        title=body["title"],
        performed_on=body["performed_on"],
        period_start=body["period_start"],
        period_end=body["period_end"],
        collected_on=body.get("collected_on") or body["performed_on"],
        source_system=body.get("source_system", ""),
        procedure=body.get("procedure", ""),
        collected_by=_collector(body.get("collected_by")),
        addresses=tuple(body.get("addresses", ())),
        draft=body.get("draft", False),
    )


def _collector(email: str | None) -> User | None:
    if not email:
        return None
    collector = User.objects.filter(email__iexact=email).first()
    if collector is None:
        raise Refused({"collected_by": "Nobody here has that address."})
    return collector
