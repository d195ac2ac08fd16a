"""How far many controls are, over the API: shown, then said; and in retrospect."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls import clock
from controls.access import require_officer
from controls.api.conventions import valid
from controls.api.idempotency import idempotent
from controls.errors import Refused
from controls.implementation_bulk import propose
from controls.implementation_in_retrospect import request_status_change
from controls.models import ControlImplementation, System
from controls.models.implementation_statements import STATEABLE
from controls.reasons import MAX_REASON
from evidence.api.clocks import BodyDayField
from evidence.bulk_acts.act import changing, sealed_act
from evidence.bulk_acts.confirmation import confirm_act
from evidence.bulk_acts.statuses import Statuses, rows_of
from evidence.requirements.expected import controls_expected_of_us
from evidence.status.control_filter import keys_matching
from evidence.status.control_status import listed, moment_of
from srm_project.requests import actor_of

STATE = Statuses()
MAX_CONTROLS = 2_000  # in one list; a catalog has about 1,200


class StatusOfManySerializer(serializers.Serializer[Any]):
    """A status, and the controls that it is said of: by id, by filters, or both.

    Without either it is every control. `team` is the name of the owner team.
    """

    implementation_status = serializers.ChoiceField(choices=STATEABLE)
    stated_from = BodyDayField(
        required=False, help_text="First day; today unless named."
    )
    control_ids = serializers.ListField(
        child=serializers.CharField(max_length=60),
        required=False,
        max_length=MAX_CONTROLS,
    )
    q = serializers.CharField(required=False, max_length=200)
    family = serializers.CharField(required=False, max_length=60)
    responsibility = serializers.CharField(required=False, max_length=60)
    verdict = serializers.CharField(required=False, max_length=60)
    team = serializers.CharField(required=False, max_length=120)


class ProposalSerializer(serializers.Serializer[Any]):
    """One control: `first`, `change`, `same` or `refused`, and then why."""

    control_id = serializers.CharField(source="control.control.ref_id")
    outcome = serializers.CharField()
    before = serializers.CharField()
    why = serializers.CharField()


class StatusPreviewSerializer(serializers.Serializer[Any]):
    """What would become of each; `token` says it, empty where nothing would change."""

    controls = ProposalSerializer(many=True)
    token = serializers.CharField()


class StatusTokenSerializer(serializers.Serializer[Any]):
    """What the preview answered with."""

    token = serializers.CharField()


class StatusCountSerializer(serializers.Serializer[Any]):
    """Of how many controls it is said."""

    controls = serializers.IntegerField()


class EarlierStatusSerializer(serializers.Serializer[Any]):
    """How far controls were from a day before today on, and why that is changed."""

    control_ids = serializers.ListField(
        child=serializers.CharField(max_length=60), max_length=MAX_CONTROLS
    )
    implementation_status = serializers.ChoiceField(choices=STATEABLE)
    part_statuses = serializers.DictField(
        child=serializers.ChoiceField(choices=STATEABLE), required=False
    )
    first_day = BodyDayField()
    reason = serializers.CharField(max_length=MAX_REASON)


class ChangeAskedSerializer(serializers.Serializer[Any]):
    """The change in retrospect that another officer decides."""

    uuid = serializers.UUIDField()
    state = serializers.CharField()
    first_day = serializers.DateField()


class ImplementationStatusViewSet(viewsets.GenericViewSet[ControlImplementation]):
    """How far many controls of one system are."""

    serializer_class = StatusPreviewSerializer
    queryset = ControlImplementation.objects.none()

    @extend_schema(request=StatusOfManySerializer, responses=StatusPreviewSerializer)
    @action(detail=False, methods=["post"], pagination_class=None)
    def preview(self, request: Request, slug: str) -> Response:
        """What would become of each control; writes nothing."""
        system = self._mine(request, slug)
        body = valid(StatusOfManySerializer, request)
        today = system.day_of(clock.now())
        status = body.pop("implementation_status")
        first_day = body.pop("stated_from", today)
        by = actor_of(request)
        proposals = propose(
            system,
            _keys(system, body, today),
            status=status,
            first_day=first_day,
            by=by,
            today=today,
            expected_of_us=controls_expected_of_us(system, today),
        )
        rows = rows_of(proposals, status, first_day)
        token = ""
        if changing(rows):
            values = {"implementation_status": status, "stated_from": str(first_day)}
            token = sealed_act(STATE, system, rows, values, sentence="", back="", by=by)
        answer = {"controls": proposals, "token": token}
        return Response(StatusPreviewSerializer(answer).data)

    @extend_schema(
        request=StatusTokenSerializer, responses={200: StatusCountSerializer}
    )
    @action(detail=False, methods=["post"], pagination_class=None)
    @idempotent()
    def confirm(self, request: Request, slug: str) -> Response:
        """Say what a preview showed: all of it, or nothing."""
        system = self._mine(request, slug)
        token = valid(StatusTokenSerializer, request)["token"]
        today = system.day_of(clock.now())
        done = confirm_act(STATE, system, token, by=actor_of(request), today=today)
        return Response({"controls": done.changed})

    @extend_schema(
        request=EarlierStatusSerializer, responses={201: ChangeAskedSerializer}
    )
    @action(detail=False, methods=["post"], pagination_class=None)
    @idempotent()
    def earlier(self, request: Request, slug: str) -> Response:
        """Ask to change what was said of days before today; another officer decides."""
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=slug)
        require_officer(system, actor_of(request))
        body = valid(EarlierStatusSerializer, request)
        change = request_status_change(
            system,
            body.pop("control_ids"),
            status=body.pop("implementation_status"),
            **body,
            by=actor_of(request),
            today=system.day_of(clock.now()),
        )
        return Response(ChangeAskedSerializer(change).data, status=201)

    def _mine(self, request: Request, slug: str) -> System:
        """The system, if the caller may say how far some control of it is."""
        system: System = get_object_or_404(
            System.objects.visible_to(actor_of(request)), slug=slug
        )
        STATE.require_right(system, by=actor_of(request))
        return system


def _keys(system: System, body: dict[str, Any], today: Any) -> list[int]:
    """The keys of the controls that are meant. Raises Refused for unknown ids."""
    moment = moment_of(system, today, None)
    rows = listed(system, moment)
    ref_ids = body.pop("control_ids", None)
    if ref_ids is not None:
        if unknown := sorted(set(ref_ids) - {row["ref_id"] for row in rows}):
            named = ", ".join(unknown)[:200]
            sentence = f"This system has no such control: {named}."
            raise Refused({"control_ids": sentence})
        rows = [row for row in rows if row["ref_id"] in set(ref_ids)]
    return keys_matching(system, moment, rows, body)
