"""Notices as people read them: a line for an ask or an act, most urgent first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, Count, F, Func, Q, TextField, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, JSONArray
from django.urls import reverse

from controls.models import System
from evidence.models import Notice
from evidence.models.notices import INFORMATION, URGENCY, NoticeKind

MAX_NAMED = 3  # things of one act that a line names
# What a line says of many things that became so by one act; `act` tells them apart.
OF_MANY = {
    NoticeKind.TO_REVIEW: "{number} submissions by {who} wait for your review: {named}",
    NoticeKind.ACCEPTED: "{number} of your submissions were accepted by {who}: {named}",
    NoticeKind.REJECTED: (
        "{number} of your submissions were rejected by {who}, “{reason}”: {named}"
    ),
}
# What is due of one ask is one line, on however many days and for whichever controls.
OF_AN_ASK = (NoticeKind.OVERDUE, NoticeKind.DUE_SOON)
WHERE_MANY = {
    NoticeKind.TO_REVIEW: "evidence:queue",
    NoticeKind.ACCEPTED: "evidence:work",
    NoticeKind.REJECTED: "evidence:work",
}


@dataclass(frozen=True)
class NoticeLine:
    """Notices of one ask or act, one for most; `notices` is never empty, most urgent
    first."""

    notices: Sequence[Notice]

    @property
    def first(self) -> Notice:
        """The most urgent one, which stands for all: kind, system, mail."""
        return self.notices[0]

    @property
    def _of_one_ask(self) -> bool:
        return self.first.kind in OF_AN_ASK

    @property
    def _of_one_team(self) -> bool:
        return self.first.kind == NoticeKind.ESCALATED

    @property
    def system(self) -> System | None:
        """The system it is about; None for no single one."""
        return self.first.system

    @property
    def only_information(self) -> bool:
        """Whether there is nothing to do about it."""
        return self.first.kind in INFORMATION

    @cached_property
    def sentence(self) -> str:
        """What it says, in one sentence and on one line."""
        if len(self.notices) == 1:
            return self.first.sentence
        if self._of_one_ask:
            sentences = [notice.sentence for notice in self.notices]
            more = len(sentences) - MAX_NAMED
            return " ".join(
                sentences[:MAX_NAMED] + ([f"And {more} more."] if more > 0 else [])
            )
        facts = self.first.said
        if self._of_one_team:
            return (
                f"{facts.get('team', '')} has not shown {len(self.notices)} things that"
                f" are long overdue, the oldest due on {facts.get('day', '')}:"
                f" {self._named}."
            )
        sentence = OF_MANY[NoticeKind(self.first.kind)].format(
            number=len(self.notices),
            who=facts.get("who", ""),
            reason=facts.get("reason", ""),
            named=self._named,
        )
        return " ".join(f"{sentence}.".split())

    @property
    def _controls_of_the_team(self) -> str:
        """Its controls in the list of the system, the worst first."""
        system = self.first.system
        if system is None:
            return reverse("evidence:systems")
        query = urlencode({"team": self.first.said.get("team", ""), "sort": "verdict"})
        return f"{reverse('evidence:controls', args=[system.slug])}?{query}"

    @property
    def _named(self) -> str:
        """Each thing once, the first MAX_NAMED by name."""
        names = list(dict.fromkeys(row.said.get("what", "") for row in self.notices))
        named = ", ".join(f"“{name}”" for name in names[:MAX_NAMED])
        more = len(names) - MAX_NAMED
        return f"{named} and {more} more" if more > 0 else named

    @property
    def path(self) -> str:
        """Where it is opened: of one notice its own address, which stands in mails."""
        if len(self.notices) == 1 or self._of_one_ask:
            return reverse("evidence:notice", args=[self.first.uuid])
        if self._of_one_team:
            return self._controls_of_the_team
        return reverse(WHERE_MANY[NoticeKind(self.first.kind)])


def lines_of(notices: Iterable[Notice]) -> list[NoticeLine]:
    """A line for each ask or act, most urgent first, the older day before the newer."""
    acts: dict[tuple[object, ...], list[Notice]] = {}
    for notice in notices:
        acts.setdefault(_act(notice), []).append(notice)
    lines = [NoticeLine(sorted(group, key=_urgency)) for group in acts.values()]
    return sorted(lines, key=lambda line: _urgency(line.first))


def _act(notice: Notice) -> tuple[object, ...]:
    is_over = notice.read_at is not None or notice.ended_at is not None
    if notice.kind in OF_AN_ASK:  # `overdue:the ask's uuid:the day`
        _, _, rest = notice.key.partition(":")
        return ("ask", rest.split(":")[0] or notice.key, is_over)
    if notice.kind == NoticeKind.ESCALATED:
        return ("team", notice.system_id, notice.said.get("team"), is_over)
    act = notice.said.get("act")
    if act is None or notice.kind not in OF_MANY:
        return (notice.pk,)
    return (notice.kind, notice.system_id, act, notice.said.get("reason"), is_over)


def lines_counted(which: Q) -> Count:
    """How many lines `lines_of` makes of such notices, an aggregate.

    They are to be alike in being over or not.
    """
    of_ask = Func(
        F("key"),
        Value(":"),
        Value(2),
        function="split_part",
        output_field=TextField(),
    )
    of_act = [F("kind"), F("system"), KT("said__act"), KT("said__reason")]
    of_team = [Value("team"), F("system"), KT("said__team")]
    told_apart = Case(
        When(kind__in=OF_AN_ASK, then=_as_text(Value("ask"), of_ask)),
        When(kind=NoticeKind.ESCALATED, then=_as_text(*of_team)),
        When(kind__in=OF_MANY, said__act__isnull=False, then=_as_text(*of_act)),
        default=_as_text(F("pk")),
    )
    return Count(told_apart, distinct=True, filter=which)


def _as_text(*expressions: Any) -> Cast:
    """Expressions as one that can be told apart."""
    return Cast(JSONArray(*expressions), TextField())


def _urgency(notice: Notice) -> tuple[int, str]:
    return URGENCY.index(NoticeKind(notice.kind)), notice.said.get("day", "")
