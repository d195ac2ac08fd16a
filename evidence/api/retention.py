"""How long a system keeps evidence, and its legal holds, over the API.

Another number of years is asked for here and decided at `/retrospective-changes/`; a
hold is placed by one officer and lifted by another.
"""

from __future__ import annotations

import json
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.access import require_officer
from controls.api.conventions import ByKey, WithoutETag, etag, valid
from controls.api.idempotency import idempotent
from controls.models import AuditEvent, System
from controls.reasons import MAX_REASON
from evidence.api.retrospect import RetrospectiveChangeSerializer
from evidence.files.legal_holds import lift_hold, place_hold, require_lifter
from evidence.files.retention import change_retention, retention_years
from evidence.models import Evidence, LegalHold, RetentionClass
from evidence.models.retention import MAX_RETENTION_YEARS
from evidence.status.control_status import today_of
from srm_project.recent_proof import require_recent_proof_of_program
from srm_project.requests import actor_of


class RetentionClassSerializer(serializers.ModelSerializer[RetentionClass]):
    """A number of years, since when it is known, and who said so."""

    since = serializers.DateTimeField(source="known_from")
    reason = serializers.CharField(source="change.reason")
    requested_by = serializers.CharField(source="change.requested_by.email")
    approved_by = serializers.CharField(source="change.decided_by.email")

    class Meta:
        model = RetentionClass
        fields = ["years", "since", "reason", "requested_by", "approved_by"]


class LegalHoldSerializer(serializers.ModelSerializer[LegalHold]):
    """What is held and why; `evidence` is null for all evidence of the system."""

    evidence = serializers.UUIDField(
        source="evidence.uuid", allow_null=True, default=None
    )
    placed_by = serializers.CharField(source="placed_by.email")
    lifted_by = serializers.CharField(
        source="lifted_by.email", allow_null=True, default=None
    )

    class Meta:
        model = LegalHold
        fields = [
            "uuid",
            "evidence",
            "reason",
            "placed_by",
            "placed_at",
            "lifted_by",
            "lifted_at",
            "lift_reason",
        ]


class RetentionSerializer(serializers.Serializer[Any]):
    """Years now, the classes, newest first, and holds where the caller may see them."""

    years = serializers.IntegerField()
    classes = RetentionClassSerializer(many=True)
    legal_holds = LegalHoldSerializer(many=True)


class NewRetentionSerializer(serializers.Serializer[Any]):
    """For how many years evidence is to be kept, and why."""

    years = serializers.IntegerField(min_value=1, max_value=MAX_RETENTION_YEARS)
    reason = serializers.CharField(max_length=MAX_REASON)


class NewHoldSerializer(serializers.Serializer[Any]):
    """Why something must be kept; without `evidence` all evidence of the system."""

    evidence = serializers.UUIDField(required=False, allow_null=True, default=None)
    reason = serializers.CharField(max_length=MAX_REASON)


class LiftHoldSerializer(serializers.Serializer[Any]):
    """Why it need not be kept any longer."""

    reason = serializers.CharField(max_length=MAX_REASON)


class HoldEventSerializer(serializers.ModelSerializer[AuditEvent]):
    """What happened to a hold: an entry of the system's audit log."""

    actor = serializers.CharField(source="actor_name")
    facts = serializers.SerializerMethodField()

    class Meta:
        model = AuditEvent
        fields = ["seq", "at", "verb", "actor", "facts"]

    @extend_schema_field(serializers.DictField(child=serializers.JSONField()))
    def get_facts(self, event: AuditEvent) -> dict[str, Any]:
        """What it says besides."""
        body: dict[str, Any] = json.loads(event.body)
        return {name: value for name, value in body.items() if name != "_"}


def _system_of(request: Request, slug: str) -> System:
    return get_object_or_404(System.objects.visible_to(actor_of(request)), slug=slug)


def _require_proof(request: Request) -> None:
    """Of a session (AZ-12); a token was made after one."""
    if request.auth is None:
        require_recent_proof_of_program(request)


class RetentionViewSet(viewsets.ViewSet):
    """For how many years a system keeps evidence; for its officers, what is held."""

    @extend_schema(responses=RetentionSerializer)
    def retrieve(self, request: Request, slug: str) -> Response:
        """Years, classes and holds; each number of years needs a second officer."""
        system = _system_of(request, slug)
        holds = LegalHold.objects.visible_to(actor_of(request)).filter(system=system)
        shown = {
            "years": retention_years(system),
            "classes": system.retention_classes.newest_first(),
            "legal_holds": holds.for_listing(),
        }
        return Response(RetentionSerializer(shown).data)

    @extend_schema(
        request=NewRetentionSerializer, responses={202: RetrospectiveChangeSerializer}
    )
    def create(self, request: Request, slug: str) -> Response:
        """Ask for another number of years: another officer decides."""
        system, by = _system_of(request, slug), actor_of(request)
        require_officer(system, by)
        body = valid(NewRetentionSerializer, request)
        _require_proof(request)
        change = change_retention(
            system, body["years"], reason=body["reason"], by=by, today=today_of(system)
        )
        waiting = RetrospectiveChangeSerializer(change).data
        return Response(waiting, status=202, headers={"ETag": etag(change)})


class LegalHoldViewSet(WithoutETag, viewsets.ReadOnlyModelViewSet[LegalHold]):
    """Legal holds of a system, for its officers alone: a dispute is not for all."""

    serializer_class = LegalHoldSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = LegalHold.objects.none()

    def get_queryset(self) -> QuerySet[LegalHold]:
        """Only what `visible_to` allows, of the system in the address."""
        mine = LegalHold.objects.visible_to(actor_of(self.request)).for_listing()
        return mine.filter(system__slug=self.kwargs["slug"])

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """404 for a system that the caller may not see, 403 for all but officers."""
        require_officer(_system_of(request, kwargs["slug"]), actor_of(request))
        return super().list(request, *args, **kwargs)

    @extend_schema(request=NewHoldSerializer, responses={201: LegalHoldSerializer})
    @idempotent()
    def create(self, request: Request, slug: str) -> Response:
        """Let nobody destroy the bytes of one piece of evidence, or of all."""
        system, by = _system_of(request, slug), actor_of(request)
        require_officer(system, by)
        body = valid(NewHoldSerializer, request)
        evidence = None
        if body["evidence"] is not None:
            mine = Evidence.objects.visible_to(by).filter(system=system)
            evidence = get_object_or_404(mine, uuid=body["evidence"])
        hold = place_hold(system, evidence=evidence, reason=body["reason"], by=by)
        return Response(LegalHoldSerializer(hold).data, status=201)

    @extend_schema(request=LiftHoldSerializer, responses=LegalHoldSerializer)
    @action(detail=True, methods=["post"])
    def lift(self, request: Request, slug: str, uuid: str) -> Response:
        """Let retention decide again, as an officer who did not place it."""
        hold = self.get_object()
        reason = valid(LiftHoldSerializer, request)["reason"]
        require_lifter(hold, actor_of(request))
        _require_proof(request)
        lift_hold(hold, reason=reason, by=actor_of(request))
        return Response(LegalHoldSerializer(self.get_object()).data)

    @extend_schema(responses=HoldEventSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def events(self, request: Request, slug: str, uuid: str) -> Response:
        """What happened to it, oldest first: placed, and lifted once."""
        mine = AuditEvent.objects.visible_to(actor_of(request))
        events = mine.of_subject(self.get_object())
        return Response(HoldEventSerializer(events, many=True).data)
