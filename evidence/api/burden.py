"""Who carries the controls of a system, and what our part costs, over the API."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controls.models import System
from evidence.requirements.burden_shares import past_shares, shares
from evidence.status.control_status import listed, moment_of, today_of
from evidence.status.trend import month_ends
from srm_project.requests import actor_of


class ShareSerializer(serializers.Serializer[Any]):
    """Controls by who carries them, and the work of a year that our part is.

    `ours` holds what nobody has read; `no_such_layer` has no object here, and
    `not_applicable` was left out as two officers agreed. `reviews` are acts of review.
    """

    controls = serializers.IntegerField(source="total")
    providers = serializers.IntegerField()
    shared = serializers.IntegerField()
    ours = serializers.IntegerField()
    no_such_layer = serializers.IntegerField(source="nobodys")
    not_applicable = serializers.IntegerField(source="left_out")
    asks = serializers.IntegerField(source="burden.asks")
    uploads_a_year = serializers.IntegerField(source="burden.uploads")
    reviews_a_year = serializers.IntegerField(source="burden.reviews")


class NamedShareSerializer(ShareSerializer):
    """The same of a family or a team; controls stand with the team that owns them,
    asks with the team that is asked."""

    name = serializers.CharField()


class ClassSourceSerializer(serializers.Serializer[Any]):
    """What classes rest on, and of how many controls."""

    rests_on = serializers.CharField()
    controls = serializers.IntegerField()


class PastBurdenSerializer(serializers.Serializer[Any]):
    """The whole at a month end, as recorded now."""

    on = serializers.DateField(source="day")
    share = ShareSerializer()


class BurdenSerializer(serializers.Serializer[Any]):
    """Today as a whole, by family and by team, and why; then the past month ends."""

    on = serializers.DateField()
    whole = ShareSerializer()
    families = NamedShareSerializer(many=True)
    teams = NamedShareSerializer(many=True)
    why = ClassSourceSerializer(many=True)
    past = PastBurdenSerializer(many=True)


class BurdenView(APIView):
    """Who carries a system's controls."""

    @extend_schema(responses=BurdenSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Today, and at the twelve month ends before it, oldest first."""
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=slug)
        today = today_of(system)
        of_today = shares(system, listed(system, moment_of(system, today, None)), today)
        shown = {
            "on": today,
            "whole": of_today.whole,
            "families": of_today.families,
            "teams": of_today.teams,
            "why": [{"rests_on": why, "controls": n} for why, n in of_today.why],
            "past": past_shares(system, month_ends(today, 13)[:-1]),
        }
        return Response(BurdenSerializer(shown).data)
