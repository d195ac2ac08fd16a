"""Reviews over the API: one link or many decided, accepted ones confirmed anew."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls import clock
from controls.api.conventions import etag, expected_version, valid
from controls.api.known_fields import checked
from controls.reasons import MAX_REASON
from evidence.api.links import LinkSerializer
from evidence.models import EvidenceLink
from evidence.models.confirmed_days import DayConfirmation
from evidence.reviews import decide
from evidence.reviews.reconfirm import reconfirm, to_reconfirm
from srm_project.requests import actor_of


class ReviewSerializer(serializers.Serializer[Any]):
    """A judgement with its reason."""

    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=MAX_REASON
    )


class AcceptanceSerializer(ReviewSerializer):
    """A reason, and whether the evidence itself shows the day it was performed."""

    day_confirmed = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Of what was recorded after its due day: the evidence itself shows"
        " the day. Without it, it counts as late as of the day it was recorded.",
    )
    day_shown_by = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=MAX_REASON,
        help_text="Where: a ticket, a log, a signature. Needed with `day_confirmed`.",
    )
    complete = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Needed where the evidence says what shows that it is complete:"
        " the reviewer looked, and it is.",
    )


class DecisionSerializer(AcceptanceSerializer):
    """One decision of many; `version` is what was looked at."""

    link = serializers.UUIDField()
    accept = serializers.BooleanField()
    version = serializers.IntegerField(required=False, allow_null=True, default=None)


class MarkSerializer(serializers.Serializer[Any]):
    """One accepted link whose duties changed, and how."""

    link = serializers.UUIDField()
    since = serializers.DateField(allow_null=True)
    added = serializers.ListField(child=serializers.CharField())
    gone = serializers.ListField(child=serializers.CharField())


def reason_of(request: Request) -> str:
    """The reason in the body of a review; empty where there is none."""
    reason: str = valid(ReviewSerializer, request)["reason"]
    return reason


def day_of(fields: dict[str, Any]) -> DayConfirmation:
    """What valid fields say of the day. Raises Refused for a yes without where."""
    day = DayConfirmation(fields.pop("day_confirmed"), fields.pop("day_shown_by"))
    day.columns()
    return day


class LinkReviews(viewsets.GenericViewSet[EvidenceLink]):
    """What reviewers do with links."""

    @extend_schema(request=AcceptanceSerializer, responses=LinkSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, uuid: str) -> Response:
        """Accept; needs If-Match."""
        link = self.get_object()
        body = valid(AcceptanceSerializer, request)
        link.accept(
            by=actor_of(request),
            reason=body["reason"],
            version=expected_version(request, link),
            day=day_of(body),
            complete=body["complete"],
        )
        return Response(LinkSerializer(link).data, headers={"ETag": etag(link)})

    @extend_schema(request=ReviewSerializer, responses=LinkSerializer)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, uuid: str) -> Response:
        """Reject with a reason; needs If-Match."""
        link = self.get_object()
        link.reject(
            by=actor_of(request),
            reason=reason_of(request),
            version=expected_version(request, link),
        )
        return Response(LinkSerializer(link).data, headers={"ETag": etag(link)})

    @extend_schema(
        request=DecisionSerializer(many=True), responses=LinkSerializer(many=True)
    )
    @action(detail=False, methods=["post"], pagination_class=None)
    def decide(self, request: Request) -> Response:
        """Many decisions, each with its reason: all are recorded, or none."""
        serializer = DecisionSerializer(data=request.data, many=True)
        checked(serializer)
        decisions = [
            decide.Decision(day=day_of(fields), **fields)
            for fields in serializer.validated_data
        ]
        decided = decide.decide_all(decisions, by=actor_of(request))
        rows = self.get_queryset().filter(pk__in=[link.pk for link in decided])
        return Response(LinkSerializer(rows, many=True).data)

    @extend_schema(request=ReviewSerializer, responses=LinkSerializer)
    @action(detail=True, methods=["post"])
    def reconfirm(self, request: Request, uuid: str) -> Response:
        """Accepted before our duties changed: it proves those of now as well.

        Needs If-Match.
        """
        link = self.get_object()
        version = expected_version(request, link)
        reconfirm(
            link, by=actor_of(request), reason=reason_of(request), version=version
        )
        return Response(LinkSerializer(link).data, headers={"ETag": etag(link)})

    @extend_schema(responses=MarkSerializer(many=True))
    @action(
        detail=False, methods=["get"], url_path="to-reconfirm", pagination_class=None
    )
    def to_reconfirm(self, request: Request) -> Response:
        """What waits for the caller, as a reviewer, to confirm anew."""
        reconfirmations = [
            mark for mark, _ in to_reconfirm(actor_of(request), clock.now())
        ]
        return Response(MarkSerializer(reconfirmations, many=True).data)
