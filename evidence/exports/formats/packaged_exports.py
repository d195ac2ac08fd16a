"""The exports in a package: the same clocks in the forms that people work with.

A process of its own makes them, from the same snapshot, while files of evidence are
written: that waits for disks, this keeps a processor busy. They lie in files without a
name until then, so that nothing is left of them, whatever ends either process.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from evidence.exports.formats import fedramp_crm, matrix, pdf, status_csv, xlsx
from evidence.exports.formats.oscal import components, milestones, plan, results
from evidence.exports.rows.scope import (
    ExportScope,
    ProcessEnded,
    exported_snapshot,
    no_progress,
    one_snapshot,
)
from evidence.jobs.fork import Fork, Tell
from evidence.storage import StoreFull, refuse_full_disk, work_folder
from evidence.storage.failpoints import failpoint

# Each name is what it is called.
EXPORTS = {
    "control-status.csv": status_csv.write,
    "control-status.xlsx": xlsx.write,
    "status-report.pdf": pdf.write,
    "oscal-system-security-plan.json": plan.write,
    "oscal-component-definition.json": components.write,
    "oscal-assessment-results.json": results.write,
    "oscal-plan-of-action-and-milestones.json": milestones.write,
    "fedramp-cis-crm.xlsx": fedramp_crm.write,
    "responsibility-matrix.csv": matrix.write_csv,
    "responsibility-matrix.xlsx": matrix.write_xlsx,
}
BROKE_OFF = (
    "The package was not made: the process that wrote “{name}” of it {how}."
    " The log of the worker has the details."
)
WRITTEN, LEFT_OUT, FULL = "written", "left out", "full"


@dataclass(frozen=True)
class MadeExport:
    """One of them: its file, rewound, or why it cannot be written."""

    name: str
    file: BinaryIO
    left_out: str = ""


@dataclass(frozen=True)
class ExportsUnderWay:
    """Those that the other process makes, in their order."""

    process: Fork
    files: dict[str, BinaryIO]

    def made(self, look: Callable[[], None]) -> Iterator[MadeExport]:
        """Wait for one after the other; `look` is called each second, and may raise.

        Raises StoreFull where the disk is full, ProcessEnded where the process ended.
        """
        lines = self.process.lines(look)
        for name, file in self.files.items():
            line = next(lines, None)
            if line is None:
                how = self.process.how_it_ended()
                raise ProcessEnded(BROKE_OFF.format(name=name, how=how))
            outcome, text = json.loads(line)
            if outcome == FULL:
                raise StoreFull(text)
            file.seek(0)
            yield MadeExport(name, file, text)


@contextmanager
def exports_beside(scope: ExportScope) -> Iterator[ExportsUnderWay]:
    """Inside, they are being made; leaving ends that. For use in `one_snapshot`."""
    with ExitStack() as until_over:
        files: dict[str, BinaryIO] = {}
        with refuse_full_disk():
            for name in EXPORTS:
                file = TemporaryFile(dir=work_folder("exports"))  # noqa: SIM115
                files[name] = cast("BinaryIO", until_over.enter_context(file))
        work = partial(_write_all, scope, exported_snapshot(), files)
        yield ExportsUnderWay(until_over.enter_context(Fork(work)), files)


def _write_all(
    scope: ExportScope, snapshot: str, files: dict[str, BinaryIO], pass_on: Tell
) -> None:
    """What the other process does: it tells the outcome of one after the other."""
    with one_snapshot(snapshot):
        for name, write in EXPORTS.items():
            outcome, text = WRITTEN, ""
            failpoint(f"export-beside-{name}")
            try:
                with refuse_full_disk():
                    write(scope, files[name], no_progress)
                    files[name].flush()
            except milestones.NothingFound as nothing:
                outcome, text = LEFT_OUT, " ".join(nothing.messages)
            except StoreFull as full:
                outcome, text = FULL, " ".join(full.messages)
            pass_on(json.dumps([outcome, text]))
