"""Populations of a system with their samples, and a sample item by item with its files.

For the auditor's pages; results are recorded by `item_results`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q

from controls.engagement_scope import BASELINE, ControlScope
from controls.models import Actor, Engagement
from evidence.files.who_may import RESTRICTED, may_open
from evidence.models import (
    EvidenceFile,
    EvidenceLink,
    Population,
    Sample,
    SampleItem,
    TestedItem,
)
from evidence.models.links import LinkState
from evidence.models.marks import ItemResult
from evidence.status.clock_parameters import Window

MAX_POPULATIONS = 200  # on one page, the newest
SHOWN_STATES = (LinkState.ACCEPTED, LinkState.SUBMITTED)


@dataclass(frozen=True)
class TestedSample:
    """A sample, and how many of its items the auditors tested."""

    __test__ = False  # no test of pytest's

    row: Sample
    tested: int
    exceptions: int


@dataclass(frozen=True)
class ListedPopulation:
    """A population with its samples; outside the window it is labelled, not hidden."""

    population: Population
    samples: Sequence[TestedSample]
    outside: bool
    out_of_scope: bool = False


def populations_of(
    engagement: Engagement, window: Window, scope: ControlScope = BASELINE
) -> list[ListedPopulation]:
    """The newest populations of the system, one more than MAX_POPULATIONS at most.

    Three statements.
    """
    mine = Population.objects.filter(system=engagement.system_id).for_listing()
    rows = list(mine.order_by("-ends", "-pk")[: MAX_POPULATIONS + 1])
    samples: dict[int, list[TestedSample]] = defaultdict(list)
    drawn = Sample.objects.filter(population__in=rows).select_related("drawn_by")
    results = TestedItem.objects.filter(
        engagement=engagement, sample_item__sample__population__in=rows
    )
    counted = {
        sample: (tested, exceptions)
        for sample, tested, exceptions in results.values_list("sample_item__sample")
        .annotate(
            tested=Count("pk"),
            exceptions=Count("pk", filter=Q(result=ItemResult.EXCEPTION)),
        )
        .order_by()
    }
    for sample in drawn.order_by("pk"):
        tested, exceptions = counted.get(sample.pk, (0, 0))
        samples[sample.population_id].append(TestedSample(sample, tested, exceptions))
    return [
        ListedPopulation(
            row,
            samples[row.pk],
            row.ends < window[0] or row.starts > window[1],
            row.requirement.implementation.control.ref_id not in scope,
        )
        for row in rows
    ]


@dataclass(frozen=True)
class ShownFile:
    """A file for an item; `obstacle` says why it is not opened, empty where it is."""

    file: EvidenceFile
    obstacle: str


@dataclass(frozen=True)
class ItemToTest:
    """A sampled event with the files that show it and what the auditors found."""

    item: SampleItem
    files: Sequence[ShownFile]
    tested: TestedItem | None


def items_to_test(
    engagement: Engagement, items: Sequence[SampleItem], *, reader: Actor
) -> list[ItemToTest]:
    """The items in their order; `items` come from `for_listing`.

    A constant number of statements, and some for each file of restricted evidence.
    """
    links = EvidenceLink.objects.filter(
        sample_item__item__in=[item.item_id for item in items], state__in=SHOWN_STATES
    )
    revisions: dict[int, set[int]] = defaultdict(set)
    for event, revision in links.values_list("sample_item__item", "revision"):
        revisions[event].add(revision)
    shown: dict[int, list[ShownFile]] = defaultdict(list)
    shown_revisions = {
        revision for of_event in revisions.values() for revision in of_event
    }
    files = EvidenceFile.objects.filter(revision__in=shown_revisions).for_opening()
    for file in files.order_by("revision", "position"):
        obstacle = file.obstacle()
        if not obstacle and not may_open(file, reader):
            obstacle = RESTRICTED
        shown[file.revision_id].append(ShownFile(file, obstacle))
    results = {
        row.sample_item_id: row
        for row in TestedItem.objects.filter(
            engagement=engagement, sample_item__in=items
        ).select_related("tested_by")
    }
    return [
        ItemToTest(
            item,
            [
                file
                for revision in sorted(revisions[item.item_id])
                for file in shown[revision]
            ],
            results.get(item.pk),
        )
        for item in items
    ]
