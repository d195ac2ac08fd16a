"""What the company has answered of the items of a window, and what it has not (R36).

A response answers what was counted when it was written. Days, deviations or a graver
outcome that come to its item later are not answered by it, as known from then on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from evidence.findings.standing import known
from evidence.models import ItemKind, ItemResponse
from evidence.models.reviews import ReviewDecision
from evidence.status.items import Extent, Kind, WindowItem, items_of
from evidence.status.rows import Moment
from evidence.status.window import Period


def extent_of(response: ItemResponse) -> Extent:
    """How much of its item there was when a response was written."""
    days = (response.starts, response.ends)
    kind = cast("Kind", response.kind)
    return Extent(kind, *days, response.late_days, tuple(response.events))


@dataclass(frozen=True)
class ItemAnswer:
    """An item of a control with the response that counts, and one that waits."""

    item: WindowItem
    accepted: ItemResponse | None
    waiting: ItemResponse | None

    @property
    def kind_name(self) -> str:
        """What kind of item it is, in words: `Missed`."""
        return str(ItemKind(self.item.kind).label)

    @property
    def counted(self) -> int:
        """How many days or events it is now; a period is one."""
        return self.item.extent.counted

    @property
    def answered_of(self) -> int:
        """How many of them the response that counts was written about."""
        if self.accepted is None:
            return 0
        return self.item.extent.shared(extent_of(self.accepted))

    @property
    def is_answered(self) -> bool:
        """Whether a response that counts was written about all of it."""
        return self.accepted is not None and self.answered_of == self.counted

    @property
    def lacking_words(self) -> str:
        """What a response that counts leaves unanswered; empty: nothing, or there is
        none."""
        if self.accepted is None or self.is_answered:
            return ""
        return answered_in_part(self.item.extent, extent_of(self.accepted))

    @property
    def waiting_words(self) -> str:
        """The same of the response that waits, once it is accepted."""
        if self.waiting is None:
            return ""
        then = extent_of(self.waiting)
        if self.item.extent.shared(then) == self.counted:
            return ""
        return answered_in_part(self.item.extent, then)


def answered_in_part(now: Extent, then: Extent) -> str:
    """How far what was written `then` answers what there is `now`, as a sentence."""
    if now.kind in {"late", "missed", "waived"}:
        return f"Answered when it was {then.words}; it is {now.words} now."
    return f"Answered for {now.shared(then)} of {now.words}."


def answers_by_control(
    periods: Mapping[int, Period], moment: Moment, names: Mapping[str, str]
) -> dict[int, list[ItemAnswer]]:
    """The items of windows that were judged already, by the key of the control, with
    their responses. One statement; `names` are `display_names`."""
    responses = _responses(periods, moment)
    return {
        pk: [
            _answer(item, responses.get((pk, item.key), []), moment)
            for item in items_of(judged, names)
        ]
        for pk, judged in periods.items()
    }


def _answer(
    item: WindowItem, responses: Iterable[ItemResponse], moment: Moment
) -> ItemAnswer:
    decisions = [(row, _decision(row, moment)) for row in responses]
    accepted = [row for row, was in decisions if was == ReviewDecision.ACCEPT]
    waiting = [row for row, was in decisions if was is None]
    newest = max(accepted, key=lambda row: row.decision.pk, default=None)
    return ItemAnswer(item, newest, waiting[-1] if waiting else None)


def all_answered(answers: Collection[ItemAnswer]) -> bool:
    """Whether each item is answered in full, and there is one (R15)."""
    return bool(answers) and all(row.is_answered for row in answers)


def _responses(
    implementations: Iterable[int], moment: Moment
) -> dict[tuple[int, str], list[ItemResponse]]:
    rows = ItemResponse.objects.filter(implementation__in=list(implementations))
    by_item: defaultdict[tuple[int, str], list[ItemResponse]] = defaultdict(list)
    for row in known(rows, moment).select_related("decision").order_by("pk"):
        by_item[row.implementation_id, row.key].append(row)
    return by_item


def _decision(response: ItemResponse, moment: Moment) -> str | None:
    """What was decided, as far as it was known at the moment."""
    decision = getattr(response, "decision", None)
    if decision is None:
        return None
    if moment.known_at and decision.known_from >= moment.known_at:
        return None
    text: str = decision.decision
    return text
