"""Duties that are others than those which a team acknowledged: it is asked again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.urls import reverse

from controls.grammar import count_of
from controls.models import ControlImplementation, DutyAcknowledgement, System
from controls.models.systems import systems_by_day
from evidence.models.notices import NoticeKind
from evidence.notices.candidates import NoticeCandidate
from evidence.notices.people import People
from evidence.systems.acknowledgements import TeamDuties, duties_of_systems


def duties_changed(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """The contributors of each team whose duties today are others than those it last
    acknowledged; it ends once they are acknowledged, or are the same again."""
    systems = _perhaps_changed()
    for today, of_day in systems_by_day(systems, instant).items():
        for system, teams in duties_of_systems(of_day, today).items():
            for of_team in teams:
                if of_team.state == "changed":
                    yield _candidate(people, system, of_team)


def _perhaps_changed() -> QuerySet[System]:
    """Systems in which some control was written since a team's last word. Two
    statements at most: the one of the words, and what is made of the answer."""
    words = DutyAcknowledgement.objects.newest_of_teams().select_related(None)
    since = words.values_list("system_id", "known_from")
    later = Q(pk__in=[])
    for system, known_from in since:
        later |= Q(system=system, known_from__gt=known_from)
    written = ControlImplementation.objects.filter(later)
    return System.objects.filter(pk__in=written.values("system"))


def _candidate(people: People, system: System, of_team: TeamDuties) -> NoticeCandidate:
    new = sum(map(len, of_team.added.values()))
    gone = sum(map(len, of_team.dropped.values()))
    place = reverse("evidence:matrix", args=[system.slug])
    query = urlencode({"team": of_team.team.name, "duty": "ours"})
    return NoticeCandidate(
        NoticeKind.DUTIES_CHANGED,
        f"duties:{system.uuid}:{of_team.team.pk}:{of_team.digest}",
        frozenset(people.team(system.pk, of_team.team.pk)),
        system.pk,
        f"{place}?{query}",
        {
            "team": of_team.team.name,
            "what": f"{count_of(new, 'duty', 'is')} new, {gone} gone",
        },
    )
