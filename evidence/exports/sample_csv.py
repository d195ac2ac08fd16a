"""A sample as CSV: one line for each item, with what is needed to draw it again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from evidence.exports.rows.cells import EXCEL_MARK, inert
from evidence.models import Sample

ITEM = ("position", "key", "day")
FOUND = ("state", "deviation")
DRAWN = ("method", "seed", "every", "first", "rows", "population_sha256")


def sample_csv(sample: Sample) -> str:
    """The file for UTF-8, RFC 4180, with its mark; cells that no spreadsheet executes.

    The population's further columns stand between the item and its state.
    """
    out = io.StringIO()
    out.write(EXCEL_MARK)
    writer = csv.writer(out)
    for row in _rows(sample):
        writer.writerow([inert(str(cell)) for cell in row])
    return out.getvalue()


def _rows(sample: Sample) -> Iterator[list[object]]:
    population = sample.population
    yield [*ITEM, *population.columns, *FOUND, *DRAWN]
    drawn = [
        sample.method,
        sample.seed,
        sample.every or "",
        sample.first or "",
        population.row_count,
        population.sha256,
    ]
    for sample_item in sample.items.for_listing():
        event = sample_item.item
        extra = [event.columns.get(name, "") for name in population.columns]
        deviation = [sample_item.state, sample_item.deviation_note or ""]
        yield [event.position, event.key, event.happened_on, *extra, *deviation, *drawn]
