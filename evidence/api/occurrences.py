"""What a window expects of one control, occurrence by occurrence, over the API."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controls.models import System
from controls.service_names import display_names
from evidence.api.clocks import CLOCKS, clocks_of
from evidence.status.control_status import control_statuses, refuse_unrecorded
from evidence.status.occurrences import WORDS, occurrences
from evidence.status.rules import RULES, rules_then
from srm_project.requests import actor_of


class OccurrenceSerializer(serializers.Serializer[Any]):
    """One expected occurrence; days are inclusive.

    `state` is `waiting` where something submitted waits for review; `outcome` is what
    the window counts until then.
    """

    requirement = serializers.UUIDField(source="result.requirement")
    title = serializers.CharField(source="result.title")
    period_from = serializers.DateField(source="result.starts")
    period_to = serializers.DateField(source="result.ends")
    due_on = serializers.DateField(source="result.due_on")
    performed_on = serializers.DateField(allow_null=True)
    state = serializers.ChoiceField(choices=list(WORDS.items()))
    outcome = serializers.CharField(source="result.outcome")
    late_days = serializers.IntegerField(source="result.late_days")
    collected_late = serializers.BooleanField(source="result.collected_late")
    recorded_late_days = serializers.IntegerField(source="result.recorded_late_days")
    days_after_end = serializers.IntegerField(source="result.days_after_end")
    within_grace = serializers.BooleanField(source="result.within_grace")
    days = serializers.IntegerField(source="result.days")
    asked_days = serializers.IntegerField(source="result.asked_days")
    outside = serializers.CharField(
        source="result.outside",
        help_text="`before`, `after_within_grace` or `after` the window; else empty.",
    )
    former_outcome = serializers.CharField(
        source="result.former_outcome",
        allow_null=True,
        help_text="What a waived one was before the change in retrospect.",
    )
    changed_in_retrospect = serializers.BooleanField(
        source="result.changed_in_retrospect"
    )
    notes = serializers.ListField(child=serializers.CharField())
    evidence = serializers.UUIDField(allow_null=True)
    population = serializers.UUIDField(source="result.population.uuid", default=None)
    reviewer = serializers.CharField()


class OccurrencesSerializer(serializers.Serializer[Any]):
    """The occurrences with the clocks and the window they were asked for."""

    control_id = serializers.CharField()
    on = serializers.DateField()
    known_at = serializers.DateTimeField(allow_null=True)
    rules = serializers.IntegerField(help_text="Number of the rules that judged.")
    rules_then = serializers.IntegerField(
        allow_null=True, help_text="Number in force at `known_at`, where it is another."
    )
    window_from = serializers.DateField()
    window_to = serializers.DateField()
    result = serializers.CharField()
    reasons = serializers.ListField(
        child=serializers.CharField(), help_text="Why the result is so, as sentences."
    )
    unasked_days = serializers.IntegerField()
    asked_from = serializers.DateField(allow_null=True)
    occurrences = OccurrenceSerializer(many=True)


class OccurrencesView(APIView):
    """The timeline of one control."""

    @extend_schema(parameters=CLOCKS, responses=OccurrencesSerializer)
    def get(self, request: Request, slug: str, ref_id: str) -> Response:
        """By requirement and day: due, performed, on time, late, missed or waiting."""
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=slug)
        row = get_object_or_404(system.implementations, control__ref_id=ref_id)
        moment, window = clocks_of(request, system)
        refuse_unrecorded(system, moment.known_at)
        try:
            answer = control_statuses(system, moment, pks=[row.pk], window=window)[0]
        except LookupError:
            raise Http404("This control was not recorded at that time.") from None
        assert answer.period is not None
        names = display_names()
        body = {
            "control_id": ref_id,
            "on": moment.on,
            "known_at": moment.known_at,
            "rules": RULES,
            "rules_then": rules_then(moment.known_at),
            "window_from": window[0],
            "window_to": window[1],
            "result": answer.period.result,
            "reasons": [
                reason.sentence_with(names) for reason in answer.period.reasons
            ],
            "unasked_days": answer.period.unasked_days,
            "asked_from": answer.period.asked_from,
            "occurrences": occurrences(answer, moment),
        }
        return Response(OccurrencesSerializer(body).data)
