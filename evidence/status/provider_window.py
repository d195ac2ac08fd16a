"""What providers leave open over a window, so far and to its end, gap by gap.

The window's end is looked at as if nothing new came: from the reports and letters that
count now. Days are inclusive. Source: rules R7, R21 to R23.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from controls.grammar import count_of, day_in_words
from controls.models import System
from evidence.status.clock_parameters import Window
from evidence.status.coverage import NeedDays, days_of
from evidence.status.day_ranges import Days, count, covers, united
from evidence.status.facts import AWS, AwsFacts, NeededService, PeriodFacts
from evidence.status.gather_window import gather_period
from evidence.status.rows import Moment

REGIONAL = "facilities, hardware and network"


@dataclass(frozen=True)
class ServiceWindow:
    """One service of a provider over the window, for controls with equal days.

    `so_far` counts to the day asked about, `to_end` to the window's last day, where
    awaited days are open. `controls` are labels in catalog order.
    """

    need: NeededService
    so_far: NeedDays
    to_end: NeedDays
    controls: tuple[str, ...]
    window: Window

    @property
    def needed(self) -> Days:
        """The first and the last day of the window on which it is in use."""
        ranges = (
            *self.to_end.audited_ranges,
            *self.to_end.asserted_ranges,
            *self.to_end.open_ranges,
        )
        return min(r[0] for r in ranges), max(r[1] for r in ranges)

    @property
    def where(self) -> tuple[str, ...]:
        """Its regions, or the sites of a provider other than AWS."""
        if self.need.sites:
            return self.need.sites
        return ("global",) if self.need.is_global else self.need.regions

    @property
    def part(self) -> str:
        """Which part of it is meant, where a service has two."""
        return REGIONAL if self.need.scope == "region" else ""

    @property
    def sentence(self) -> str:
        """`report to 31 March 2026, letter to 30 June 2026, audit ends 31 August 2026:
        62 days open`."""
        days = self.to_end
        parts = []
        if days.audited_ranges:
            parts.append(f"report to {day_in_words(days.audited_ranges[-1][1])}")
        if days.asserted_ranges:
            parts.append(_asserted(days))
        if not parts:
            parts.append("no report that counts")
        if self.needed[0] > self.window[0]:
            parts.append(f"in use from {day_in_words(self.needed[0])}")
        if self.needed[1] < self.window[1]:
            parts.append(f"in use to {day_in_words(self.needed[1])}")
        else:
            parts.append(f"audit ends {day_in_words(self.window[1])}")
        left = f"{count_of(days.open_days, 'day')} open" if days.open_days else ""
        return f"{', '.join(parts)}: {left or 'no day open'}"


def _asserted(days: NeedDays) -> str:
    """On the provider's word; without any report, on ours of it (R20)."""
    word = "letter" if days.audited_ranges or days.provider == AWS else "asserted"
    return f"{word} to {day_in_words(days.asserted_ranges[-1][1])}"


@dataclass(frozen=True)
class ProviderGap:
    """Days that no report and no letter of a provider covers, for some services.

    `ahead`: it begins on the day asked about or later, or reaches beyond it.
    """

    first: dt.date
    last: dt.date
    services: tuple[ServiceWindow, ...]
    ahead: bool

    @property
    def days(self) -> int:
        """How many days it has."""
        return count([(self.first, self.last)])

    @property
    def controls(self) -> tuple[str, ...]:
        """The controls that it touches, each once."""
        labels = [label for service in self.services for label in service.controls]
        return tuple(dict.fromkeys(labels))


@dataclass
class ProviderWindow:
    """One provider over the window: its services, those with most days open first."""

    slug: str
    name: str
    services: list[ServiceWindow] = field(default_factory=list)
    gaps: list[ProviderGap] = field(default_factory=list)

    @property
    def worst(self) -> ServiceWindow:
        """The service that leaves most days open by the window's end."""
        return self.services[0]

    @property
    def open_ahead(self) -> int:
        """Days from the day asked about on which something is open; each once."""
        return count(united((gap.first, gap.last) for gap in self.gaps if gap.ahead))


def provider_windows(
    system: System, moment: Moment, window: Window
) -> list[ProviderWindow]:
    """Providers that anything is needed from in a window, AWS first, as of a moment.

    A control that is not applicable on all of its days needs nobody. A constant number
    of statements. Raises LookupError when the system was not recorded by the moment.
    """
    rows = system.implementations.order_by("control__sort_order", "pk")
    labels = dict(rows.values_list("pk", "control__label"))
    facts = gather_period(system, labels, *window, moment)
    applicable = {
        labels[pk]: of_control
        for pk, of_control in facts.items()
        if not covers(of_control.not_applicable, [window])
    }
    in_order = {label: applicable[label] for label in labels.values()
                if label in applicable}  # fmt: skip
    return judged_windows(in_order, window, moment.on)


def judged_windows(
    facts: Mapping[str, PeriodFacts], window: Window, day: dt.date
) -> list[ProviderWindow]:
    """The same from facts of controls by their labels. Pure."""
    controls: dict[int, list[str]] = {}
    sides: dict[int, AwsFacts] = {}
    for label, of_control in facts.items():
        if of_control.aws is not None:
            controls.setdefault(id(of_control.aws), []).append(label)
            sides[id(of_control.aws)] = of_control.aws
    by_days: dict[object, tuple[NeededService, NeedDays, NeedDays, list[str]]] = {}
    for key, aws in sides.items():
        for need in aws.needed:
            so_far, to_end = _counted(need, aws, window, day)
            if to_end.needed:
                same = (need.provider, need.slug, need.scope, need.regions, so_far,
                        to_end)  # fmt: skip
                of_days = by_days.setdefault(same, (need, so_far, to_end, []))
                of_days[3].extend(controls[key])
    order = {label: place for place, label in enumerate(facts)}
    providers: dict[str, ProviderWindow] = {}
    for need, so_far, to_end, touched in by_days.values():
        labels = tuple(sorted(dict.fromkeys(touched), key=order.__getitem__))
        service = ServiceWindow(need, so_far, to_end, labels, window)
        provider = ProviderWindow(need.provider, need.provider_name)
        providers.setdefault(need.provider, provider).services.append(service)
    for provider in providers.values():
        provider.services.sort(key=_worst_first)
        provider.gaps = list(_gaps(provider.services, day))
    return sorted(providers.values(), key=lambda p: (p.slug != AWS, p.name))


def _counted(
    need: NeededService, aws: AwsFacts, window: Window, day: dt.date
) -> tuple[NeedDays, NeedDays]:
    """Days to the day asked about, and to the window's end if nothing new comes."""
    start, end = window
    last = min(end, day)
    if start <= last:
        so_far = days_of(need, aws, start, last, running=day <= end)
    else:
        so_far = NeedDays(need.slug, need.scope, 0, 0, 0)
    return so_far, days_of(need, aws, start, end)


def _worst_first(service: ServiceWindow) -> tuple[int, str, str]:
    return -service.to_end.open_days, service.need.slug, service.need.scope


def _gaps(services: Sequence[ServiceWindow], day: dt.date) -> Iterable[ProviderGap]:
    """Each range of open days once, with the services that share it; earliest first."""
    by_days: dict[Days, list[ServiceWindow]] = {}
    for service in services:
        for days in service.to_end.open_ranges:
            by_days.setdefault(days, []).append(service)
    for (first, last), sharing in sorted(by_days.items(), key=lambda item: item[0]):
        yield ProviderGap(first, last, tuple(sharing), ahead=last >= day)
