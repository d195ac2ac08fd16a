"""Verify the audit log: each chain by itself, and against its signed checkpoints."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from controls.grammar import count_of
from controls.history.chain import verify
from controls.models import AuditEvent
from evidence.signing.alarms import is_late, no_checkpoint
from evidence.signing.checkpoints import (
    Checkpoint,
    NotOurs,
    chains,
    contradiction,
    newest_checkpoint,
    read_checkpoint,
)
from evidence.signing.keys import KeyUnusable, PublicKey, known_keys
from evidence.storage import StoreUnreachable

BROKEN, COULD_NOT, CUT = 1, 2, 3


@dataclass
class ChainReport:
    """What came of one chain. `broken_at` is the number of the first bad event."""

    chain: str
    events: int
    broken_at: int | None = None
    why: str = ""
    checkpoint_size: int | None = None
    checkpoint_at: str = ""
    contradiction: str = ""
    late: bool = False


class Command(BaseCommand):
    """`audit_verify [--checkpoint FILE] [--json]`.

    Exit 0: every chain verifies and has all that its checkpoints say. 1: an event was
    changed, removed or inserted; the first one is named. 2: wrong use, or it could not
    be verified. 3: the chain verifies by itself, and a checkpoint says otherwise: its
    tail was cut, or it was written anew.
    """

    help = "Verify the audit log by its hash chains and its signed checkpoints."

    def add_arguments(self, parser: CommandParser) -> None:
        """A checkpoint kept elsewhere, and the form of the answer."""
        parser.add_argument(
            "--checkpoint", type=Path, help="a checkpoint that was kept elsewhere"
        )
        parser.add_argument("--json", action="store_true", help="one object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify all chains, then print."""
        try:
            keys = known_keys()
            named = _named(options["checkpoint"], keys)
            reports = [_report(chain, keys, named) for chain in _all_chains(named)]
        except OSError as failure:
            self._stop(f"{failure.filename}: {failure.strerror}.")
        except (NotOurs, KeyUnusable, StoreUnreachable) as refusal:
            self._stop(" ".join(refusal.messages))
        broken = [report for report in reports if report.broken_at is not None]
        cut = [report for report in reports if report.contradiction]
        if options["json"]:
            shown = [asdict(report) for report in reports]
            answer = {"ok": not broken and not cut, "chains": shown}
            self.stdout.write(json.dumps(answer))
        else:
            self._print(reports)
        if broken or cut:
            sys.exit(BROKEN if broken else CUT)

    def _print(self, reports: list[ChainReport]) -> None:
        for report in reports:
            if report.broken_at is not None:
                self.stdout.write(
                    f"{report.chain}: event {report.broken_at}: {report.why}"
                )
            if report.contradiction:
                self.stdout.write(f"{report.chain}: {report.contradiction}")
            if report.late:
                self.stderr.write(f"{report.chain}: {no_checkpoint()}")
        if any(r.broken_at is not None or r.contradiction for r in reports):
            return
        covered = sum(report.checkpoint_size is not None for report in reports)
        self.stdout.write("Every chain verifies.")
        self.stdout.write(
            f"{count_of(len(reports), 'chain')},"
            f" {count_of(sum(r.events for r in reports), 'event')};"
            f" {covered} held against a checkpoint."
        )

    def _stop(self, sentence: str) -> None:
        self.stderr.write(sentence)
        sys.exit(COULD_NOT)


def _named(path: Path | None, keys: dict[str, PublicKey]) -> Checkpoint | None:
    return read_checkpoint(path.read_bytes(), keys) if path else None


def _all_chains(named: Checkpoint | None) -> list[str]:
    """Those of today, one that only events bear, and that of the named checkpoint."""
    borne = AuditEvent.objects.order_by().values_list("chain", flat=True).distinct()
    return sorted({*chains(), *borne, *([named.chain] if named else [])})


def _report(
    chain: str, keys: dict[str, PublicKey], named: Checkpoint | None
) -> ChainReport:
    newest = AuditEvent.objects.filter(chain=chain).order_by("-seq").first()
    report = ChainReport(chain, newest.seq if newest else 0)
    if broken := verify(chain):
        report.broken_at, report.why = broken.seq, broken.why
    point = None
    try:
        if kept := newest_checkpoint(chain, keys):
            point = kept[0]
            report.checkpoint_size, report.checkpoint_at = point.size, point.at
            report.contradiction = contradiction(point)
    except NotOurs as refusal:
        report.contradiction = f"its newest checkpoint: {' '.join(refusal.messages)}"
    if named and named.chain == chain:
        report.contradiction = contradiction(named) or report.contradiction
    report.late = is_late(chain, point)
    return report
