"""Verify the audit log: each chain by itself, and against its signed checkpoints.

Stopped by a signal it says where, and goes on from there with the same `--resume`.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser

from controls.grammar import count_of
from controls.history.chain import Position, verify
from controls.history.clock import knowledge_now
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
from evidence.signing.positions import Positions, kept_positions
from evidence.storage import StoreUnreachable

BROKEN, COULD_NOT, CUT, STOPPED = 1, 2, 3, 4
KEPT_EVERY = 50_000  # events, so that a run that is killed loses no more


@dataclass
class ChainReport:
    """What came of one chain. `broken_at` is the number of the first bad event,
    `verified_before` of the last one that an earlier run read and this one did not."""

    chain: str
    events: int
    broken_at: int | None = None
    why: str = ""
    checkpoint_size: int | None = None
    checkpoint_at: str = ""
    contradiction: str = ""
    late: bool = False
    verified_before: int = 0


class Stopped(Exception):
    """A signal came; `position` is how far the chain in hand was verified."""

    def __init__(self, position: Position) -> None:
        self.position = position


class Command(BaseCommand):
    """`audit_verify [--checkpoint FILE] [--resume FILE] [--json]`.

    Exit 0: every chain verifies and has all that its checkpoints say. 1: an event was
    changed, removed or inserted; the first one is named. 2: wrong use, or it could not
    be verified. 3: the chain verifies by itself, and a checkpoint says otherwise: its
    tail was cut, or it was written anew. 4: SIGTERM or SIGINT stopped it before its
    end, and nothing is known yet; `--resume FILE` keeps how far it came in a signed
    file and goes on from there. The file is gone once everything was read.
    """

    help = "Verify the audit log by its hash chains and its signed checkpoints."

    def add_arguments(self, parser: CommandParser) -> None:
        """A checkpoint kept elsewhere, and the form of the answer."""
        parser.add_argument(
            "--checkpoint", type=Path, help="a checkpoint that was kept elsewhere"
        )
        parser.add_argument(
            "--resume",
            type=Path,
            metavar="FILE",
            help="go on where the run that kept this file was stopped",
        )
        parser.add_argument("--json", action="store_true", help="one object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify all chains, then print."""
        path: Path | None = options["resume"]
        try:
            keys = known_keys()
            named = _named(options["checkpoint"], keys)
            began = knowledge_now().isoformat(timespec="seconds")
            kept = kept_positions(path, keys, began) if path else None
            with _stopped_by_signals() as stop:
                reading = VerificationRun(kept, stop)
                reports = [
                    _report(chain, keys, named, reading)
                    for chain in _all_chains(named, kept)
                ]
            if kept:
                kept.forget()
        except Stopped as stopped:
            self._say_where(stopped.position, path, as_json=options["json"])
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
            if kept:
                self._print_not_read(reports, kept.began)
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

    def _print_not_read(self, reports: list[ChainReport], began: str) -> None:
        before = [report for report in reports if report.verified_before]
        for report in before:
            self.stdout.write(
                f"{report.chain}: events up to {report.verified_before} were verified"
                f" by a run that began {began}, and not read again."
            )
        if before:
            self.stdout.write(
                "What was changed in those since shows in a run without --resume."
            )

    def _say_where(
        self, position: Position, path: Path | None, *, as_json: bool
    ) -> NoReturn:
        """How far it came, and how to go on; exit STOPPED."""
        if as_json:
            where = {"chain": position.chain, "event": position.seq}
            self.stdout.write(json.dumps({"ok": None, "stopped": where}))
        next_step = (
            f"Go on with --resume {path}."
            if path
            else "Nothing was kept: with --resume FILE it goes on where it was."
        )
        self.stderr.write(
            f"Stopped: {position.chain} verifies up to event {position.seq}; the rest"
            f" was not read. {next_step}"
        )
        sys.exit(STOPPED)

    def _stop(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(COULD_NOT)


class VerificationRun:
    """One run: where it goes on, what it keeps, whether it was told to stop."""

    def __init__(self, kept: Positions | None, stop: list[int]) -> None:
        self.kept, self._stop, self._since = kept, stop, 0

    def before(self, chain: str) -> Position | None:
        """How far an earlier run came."""
        return self.kept.of(chain) if self.kept else None

    def passed(self, position: Position) -> None:
        """Note how far it came. Raises Stopped after a signal."""
        if self.kept:
            before = self.kept.of(position.chain)
            self.kept.note(position)
            self._since += position.seq - (before.seq if before else 0)
            if self._stop or self._since >= KEPT_EVERY:
                self.kept.keep()
                self._since = 0
        if self._stop:
            raise Stopped(position)


@contextmanager
def _stopped_by_signals() -> Iterator[list[int]]:
    """A list that holds the signal once one asked to stop; a second one kills."""
    signals: list[int] = []
    before: dict[signal.Signals, Any] = {}

    def note(number: int, _: Any) -> None:
        signals.append(number)
        for name, handler in before.items():
            signal.signal(name, handler)

    for name in (signal.SIGTERM, signal.SIGINT):
        before[name] = signal.signal(name, note)
    try:
        yield signals
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _named(path: Path | None, keys: dict[str, PublicKey]) -> Checkpoint | None:
    return read_checkpoint(path.read_bytes(), keys) if path else None


def _all_chains(named: Checkpoint | None, kept: Positions | None) -> list[str]:
    """Those of today, one that only events bear, that of the named checkpoint, and
    those that an earlier run read."""
    borne = AuditEvent.objects.order_by().values_list("chain", flat=True).distinct()
    more = [*([named.chain] if named else []), *(kept or ())]
    return sorted({*chains(), *borne, *more})


def _report(
    chain: str,
    keys: dict[str, PublicKey],
    named: Checkpoint | None,
    reading: VerificationRun,
) -> ChainReport:
    newest = AuditEvent.objects.filter(chain=chain).order_by("-seq").first()
    report = ChainReport(chain, newest.seq if newest else 0)
    before = reading.before(chain)
    report.verified_before = before.seq if before else 0
    if broken := verify(chain, after=before, passed=reading.passed):
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
