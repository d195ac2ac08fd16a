"""The officer's desk: what needs attention, and what there is to do, by noun.

The home of the admin. A constant number of statements, however many systems.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count
from django.urls import reverse

from controls import clock
from controls.grammar import count_of, verb_for
from controls.models import (
    Actor,
    AuditEvent,
    ControlImplementation,
    System,
)
from evidence.admin.controls import NEEDED, without_owner
from evidence.admin.desk_tasks import CONTROLS, Task, list_address, task_groups
from evidence.artifacts.citation_decisions import citations_to_decide
from evidence.people.missing import missing_people
from evidence.planning.my_work import exclusions_to_decide, unread_reports

MAX_FAMILIES = 4  # families named beside a number of controls
MAX_CHANGES = 8  # last changes shown


@dataclass(frozen=True)
class Attention:
    """A number with the sentence that it begins, and where to go.

    `mark` is the number, or "!" where the sentence stands alone.
    """

    mark: str
    sentence: str
    hint: str
    url: str
    step: str
    urgent: bool = True


@dataclass(frozen=True)
class Desk:
    """What the home shows a person."""

    systems: Sequence[System]
    attention: Sequence[Attention]
    groups: Sequence[tuple[str, Sequence[Task]]]
    changes: Sequence[AuditEvent]

    @property
    def for_whom(self) -> str:
        """Of which systems it speaks."""
        names = [system.name for system in self.systems]
        if not names:
            return "You are an officer of no system."
        if len(names) > MAX_FAMILIES:
            return f"For officers of {count_of(len(names), 'system')}."
        *others, last = names
        return (
            f"For officers of {', '.join(others)} and {last}."
            if others
            else (f"For officers of {last}.")
        )


def desk_of(user: Actor) -> Desk:
    """The desk of a person who may see the admin."""
    now = clock.now()
    systems = list(System.objects.officered_by(user).order_by("name", "pk"))
    by_key = {system.pk: system for system in systems}
    unowned = _unowned(by_key)
    unread = [one for one in unread_reports(user) if one.system.pk in by_key]
    waiting = len(citations_to_decide(user))
    attention = [
        *_people_missing(by_key, now),
        *_owners_missing(by_key, unowned),
    ]
    if unread:
        mine = sum(one.registered_by_me for one in unread)
        attention.append(
            Attention(
                str(len(unread)),
                f"{_word(len(unread), 'report')} of providers nobody has read.",
                f"You registered {mine} of them; somebody else must read those."
                if mine
                else "",
                reverse("evidence:artifacts"),
                "Read and decide",
                urgent=False,
            )
        )
    exclusions = exclusions_to_decide(user).count()
    attention += _decisions(waiting, exclusions)
    numbers = {
        "unowned": sum(unowned.values()),
        "unread": len(unread),
        "citations": waiting,
        "exclusions": exclusions,
    }
    return Desk(
        systems,
        attention,
        task_groups(user, by_key, numbers, now),
        list(AuditEvent.objects.visible_to(user).order_by("-at", "-seq")[:MAX_CHANGES]),
    )


def _decisions(citations: int, exclusions: int) -> list[Attention]:
    """What waits until this person decides as the second one."""
    kinds = ((citations, "citation"), (exclusions, "request to leave a control out"))
    return [
        Attention(
            str(number),
            f"{_word(number, noun)} {verb_for(number, 'waits')} for your decision.",
            "",
            reverse("evidence:work"),
            "Decide",
        )
        for number, noun in kinds
        if number
    ]


def _word(number: int, noun: str) -> str:
    """The noun as it follows the number, without it."""
    return count_of(number, noun).split(" ", 1)[1]


def _unowned(systems: Mapping[int, System]) -> Counter[tuple[int, str]]:
    """Controls that need an owner, by system and family."""
    rows = ControlImplementation.objects.filter(without_owner(), system__in=systems)
    named = rows.order_by().values_list("system_id", "control__family")
    return Counter(
        {(system, family): n for system, family, n in named.annotate(n=Count("pk"))}
    )


def _people_missing(systems: Mapping[int, System], now: dt.datetime) -> list[Attention]:
    """Who is missing in each system, as its page "People" says it."""
    missing = missing_people(list(systems.values()), now)
    return [
        Attention(
            "!",
            f"{warning.title_in(system)}.",
            warning.sentence,
            reverse("evidence:people", args=[system.slug]),
            "Bring somebody",
        )
        for system in systems.values()
        for warning in missing[system.pk]
    ]


def _owners_missing(
    systems: Mapping[int, System], unowned: Counter[tuple[int, str]]
) -> list[Attention]:
    by_system: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for (system, family), number in unowned.items():
        by_system[system][family] += number
    rows = []
    for key in sorted(by_system, key=lambda key: systems[key].name):
        families = by_system[key]
        number = families.total()
        named = [f"{n} of family {f.upper()}" for f, n in families.most_common()]
        rest = len(named) - MAX_FAMILIES
        if rest > 0:
            more = count_of(rest, "other family,other families")
            named = [*named[:MAX_FAMILIES], f"the rest of {more}"]
        rows.append(
            Attention(
                str(number),
                f"{_word(number, 'control')} of {systems[key].name}"
                f" {verb_for(number, 'has')} no owner.",
                f"{', '.join(named)}.",
                list_address(CONTROLS, owner=NEEDED, system__id__exact=key),
                "Assign owners",
            )
        )
    return rows
