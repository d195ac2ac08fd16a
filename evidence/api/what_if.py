"""What other components would change, over the API, and making it so.

One file: the comparison, its preview and its confirmation say the same choice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controls.access import require_officer
from controls.api.conventions import valid
from controls.api.idempotency import idempotent
from controls.api.known_fields import checked
from controls.models import System
from controls.reasons import MAX_REASON
from controls.responsibility.what_if_system import suppose
from controls.service_names import display_names, named
from evidence.api.clocks import BodyDayField
from evidence.forms.components import regions_in_use
from evidence.status.control_status import today_of
from evidence.systems.service_changes import confirm, preview
from evidence.systems.service_uses import ChangeOfServices
from evidence.systems.what_if_reports import unproven_services
from srm_project.requests import actor_of

WORDS = "Slug or alias, or `slug:variant`; may be given several times."


class BasisRowSerializer(serializers.Serializer[Any]):
    """A duty of ours: this layer of this component."""

    layer = serializers.CharField()
    component = serializers.CharField()
    variant = serializers.CharField()
    kind = serializers.CharField()
    duty = serializers.CharField()


class DutyCountSerializer(serializers.Serializer[Any]):
    """A duty and the number of controls that ask for it."""

    duty = BasisRowSerializer(source="row")
    controls = serializers.IntegerField()


class CarriedSerializer(serializers.Serializer[Any]):
    """A duty of ours and what it becomes on another component."""

    duty = BasisRowSerializer(source="row")
    onto = BasisRowSerializer()


class CarriedCountSerializer(CarriedSerializer):
    """The same with the number of controls that ask for it."""

    controls = serializers.IntegerField()


class ControlChangeSerializer(serializers.Serializer[Any]):
    """One control whose class or duties would be others."""

    control_id = serializers.CharField(source="control.control.ref_id")
    before = serializers.CharField(source="before.responsibility")
    after = serializers.CharField(source="after.responsibility")
    ruled_by = serializers.CharField(
        source="control.decision.source",
        help_text="What rules today; other than `derived` it keeps ruling.",
    )
    dropped = BasisRowSerializer(many=True)
    moved = BasisRowSerializer(many=True)
    carried = serializers.SerializerMethodField()
    kept = BasisRowSerializer(many=True)
    new = BasisRowSerializer(many=True)

    @extend_schema_field(CarriedSerializer(many=True))
    def get_carried(self, change: Any) -> Any:
        """Each duty that stays ours on another component."""
        rows = [{"row": row, "onto": onto} for row, onto in change.carried]
        return CarriedSerializer(rows, many=True).data


class UnprovenServiceSerializer(serializers.Serializer[Any]):
    """Why a provider's part would not be proven for a service that begins."""

    service = serializers.CharField()
    sentence = serializers.CharField()
    controls = serializers.ListField(child=serializers.CharField())


class WhatIfSerializer(serializers.Serializer[Any]):
    """All that would change on a day; duties are the customer's.

    Each duty of before is kept, carried over to another component, moved to a provider
    or dropped; each of after that is neither kept nor carried over is new.
    """

    on = serializers.DateField()
    classes_before = serializers.DictField(child=serializers.IntegerField())
    classes_after = serializers.DictField(child=serializers.IntegerField())
    dropped = DutyCountSerializer(many=True)
    moved = DutyCountSerializer(many=True)
    carried = CarriedCountSerializer(many=True)
    new = DutyCountSerializer(many=True)
    kept = serializers.IntegerField()
    unproven = UnprovenServiceSerializer(many=True)
    changes = ControlChangeSerializer(many=True)


class WhatIfView(APIView):
    """A system with other components than it has, in thought only (S9)."""

    @extend_schema(
        parameters=[
            OpenApiParameter("end", str, many=True, description=WORDS),
            OpenApiParameter("add", str, many=True, description=WORDS),
            OpenApiParameter(
                "first_day", dt.date, description="The others' first day; else today."
            ),
        ],
        responses=WhatIfSerializer,
    )
    def get(self, request: Request, slug: str) -> Response:
        """Classes before and after, our duties and what becomes of them."""
        system = _system(request, slug)
        query = request.query_params
        body: dict[str, Any] = {
            "end": query.getlist("end"),
            "add": query.getlist("add"),
        }
        if query.get("first_day"):
            body["first_day"] = query["first_day"]
        choice = ServicesSerializer(data=body)
        checked(choice)
        change = _change(system, choice.validated_data, today_of(system))
        difference = suppose(
            system, change.first_day, ending=change.ending, adding=change.starting
        )
        shown = {
            "on": change.first_day,
            "unproven": unproven_services(
                system, change, difference.after, display_names()
            ),
            **{n: getattr(difference, n) for n in difference.__slots__},
        }
        return Response(WhatIfSerializer(shown).data)


class ServicesSerializer(serializers.Serializer[Any]):
    """Services to end and to begin on one day: the end's last day is the one before.

    Without `regions` what begins runs where the system's other services do.
    """

    end = serializers.ListField(
        child=serializers.CharField(), required=False, default=list, help_text=WORDS
    )
    add = serializers.ListField(
        child=serializers.CharField(), required=False, default=list, help_text=WORDS
    )
    first_day = BodyDayField(required=False)
    regions = serializers.ListField(
        child=serializers.CharField(max_length=30), required=False, default=list
    )


class ClassTurnSerializer(serializers.Serializer[Any]):
    """A control with another class from the day on."""

    control = serializers.CharField()
    title = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class ConsequencesSerializer(serializers.Serializer[Any]):
    """What follows, and the token to confirm it with, within an hour and once.

    `in_retrospect`: another officer decides. `voided`: controls left out so far, and
    from which day no more. Controls that need a person: `to_confirm` have accepted
    proof to confirm for the new duties, `wait` have a request that waits, `rule` an
    override over other duties, `unowned` are newly ours and nobody's.
    """

    token = serializers.CharField()
    first_day = serializers.DateField()
    in_retrospect = serializers.BooleanField()
    ended = serializers.ListField(child=serializers.CharField())
    started = serializers.ListField(child=serializers.CharField())
    decided = serializers.IntegerField()
    turns = ClassTurnSerializer(many=True)
    asks = serializers.ListField(child=serializers.CharField())
    voided = serializers.DictField(child=serializers.CharField())
    to_confirm = serializers.ListField(child=serializers.CharField())
    wait = serializers.ListField(child=serializers.CharField())
    rule = serializers.ListField(child=serializers.CharField())
    unowned = serializers.ListField(child=serializers.CharField())


class ServicesPreviewView(APIView):
    """The comparison made real, first step: what would follow."""

    @extend_schema(request=ServicesSerializer, responses={200: ConsequencesSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """For an officer; nothing changes."""
        system, by = _system(request, slug), actor_of(request)
        require_officer(system, by)
        today = today_of(system)
        change = _change(system, valid(ServicesSerializer, request), today)
        consequences, token = preview(system, change, by=by, today=today)
        shown = vars(consequences) | {
            "token": token,
            "ended": [name for _, name, _ in consequences.ended],
            "voided": dict(consequences.voided),
        }
        return Response(ConsequencesSerializer(shown).data)


class ConfirmSerializer(serializers.Serializer[Any]):
    """The token of the preview, and why."""

    token = serializers.CharField()
    reason = serializers.CharField(max_length=MAX_REASON)


class ConfirmedSerializer(serializers.Serializer[Any]):
    """How many controls were decided anew; where days before today are altered, the
    change in retrospect that another officer decides."""

    controls = serializers.IntegerField()
    retrospective = serializers.CharField(allow_blank=True)


class ServicesConfirmView(APIView):
    """The comparison made real, second step."""

    @extend_schema(
        request=ConfirmSerializer,
        responses={200: ConfirmedSerializer, 202: ConfirmedSerializer},
    )
    @idempotent()
    def post(self, request: Request, slug: str) -> Response:
        """For who previewed it; 409 where something else would follow by now. 202:
        another officer decides."""
        system, by = _system(request, slug), actor_of(request)
        require_officer(system, by)
        body = valid(ConfirmSerializer, request)
        today = today_of(system)
        done = confirm(system, body["token"], reason=body["reason"], by=by, today=today)
        status = 202 if done.retrospective else 200
        return Response(ConfirmedSerializer(done).data, status=status)


def _system(request: Request, slug: str) -> System:
    mine = System.objects.visible_to(actor_of(request))
    return get_object_or_404(mine, slug=slug)


def _change(
    system: System, body: Mapping[str, Any], today: dt.date
) -> ChangeOfServices:
    """What a valid ServicesSerializer says. Raises Refused for an unknown service."""
    return ChangeOfServices(
        tuple(named(body["end"], field="end")),
        tuple(named(body["add"], field="add")),
        body.get("first_day") or today,
        tuple(body["regions"] or regions_in_use(system)),
    )
