"""`python -m bench.chaos [--minutes 5] [--seed N]`: the story, and its table.

Starts an installation of its own, kills a part of it every ten seconds while six
clients work, compares what is there with what was acknowledged, then spoils disk,
broker and store. Exits with 1 where a promise was broken. Source: RE-02.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter

from bench.chaos.checks import Row, is_wrong, outcome, wait_for_calm
from bench.chaos.clients import SIX, Book
from bench.chaos.instance import ClientCompany, Instance, build_company
from bench.chaos.parts import PARTS, kill

KILL_EVERY = 10  # seconds
FOR_THE_REST = 150  # seconds: start, calm, comparing, and what is spoiled


def arguments() -> argparse.Namespace:
    """How long all of it may take, and which order of kills."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument(
        "--without-kills", action="store_true", help="only what is spoiled"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    return parser.parse_args()


def main() -> int:
    """Run it; the exit code."""
    options = arguments()
    began, instance = time.monotonic(), Instance()
    try:
        say("Starting an installation.")
        instance.start()
        company = build_company()
        until = max(
            time.monotonic() + (len(PARTS) + 2) * KILL_EVERY,  # each part once
            began + options.minutes * 60 - FOR_THE_REST,
        )
        if options.without_kills:
            until = 0.0
        book, kills, seconds = killed(instance, company, until, options.seed)
        calm = wait_for_calm(instance)
        rows = outcome(instance, book)
        rows.append(("until everything ran and every export ended", f"{calm:.0f} s"))
        say("Spoiling disk, broker and store.")
        from bench.chaos.spoiled import broken_broker, full_disk, slow_store

        spoiled = [
            spoil(instance, company) for spoil in (full_disk, broken_broker, slow_store)
        ]
        show(book, kills, seconds, options.seed, rows, spoiled)
        return int(is_wrong([*rows, *spoiled], book.odd))
    finally:
        instance.stop()


def killed(
    instance: Instance, company: ClientCompany, until: float, seed: int
) -> tuple[Book, Counter[str], float]:
    """Six clients at work while parts are killed; each part once before one twice."""
    assert instance.process is not None
    chance, book, kills = random.Random(seed), Book(), Counter[str]()
    clients = [kind(instance, company, book) for kind in SIX]
    began = time.monotonic()
    for client in clients:
        client.start()
    order: list[str] = []
    while time.monotonic() + KILL_EVERY < until:
        time.sleep(KILL_EVERY)
        if not order:
            order = chance.sample(sorted(PARTS), len(PARTS))
        part = order.pop()
        if kill(part, instance.process.pid, chance):
            kills[part] += 1
            say(f"Killed: {part}.")
    time.sleep(KILL_EVERY)
    for client in clients:
        client.over.set()
    for client in clients:
        client.join(120)
    return book, kills, time.monotonic() - began


def say(text: str) -> None:
    """One line at once."""
    print(text, flush=True)


def show(
    book: Book,
    kills: Counter[str],
    seconds: float,
    seed: int,
    rows: list[Row],
    spoiled: list[Row],
) -> None:
    """The table, as Markdown."""
    say(f"\nSix clients for {seconds:.0f} s, seed {seed}; killed with -9:")
    say(", ".join(f"{part} {n}" for part, n in sorted(kills.items())) + ".\n")
    verbs = sorted({verb for verb, _ in book.counts})
    say("| what | acknowledged | broken off or told to come back |")
    say("|---|---|---|")
    for verb in verbs:
        others = {
            outcome: n
            for (of, outcome), n in sorted(book.counts.items())
            if of == verb and outcome != "acknowledged"
        }
        refused = ", ".join(f"{name}: {n}" for name, n in others.items()) or "none"
        say(f"| {verb} | {book.counts[verb, 'acknowledged']} | {refused} |")
    say("\n| afterwards | |\n|---|---|")
    for what, verdict in rows:
        say(f"| {what} | {verdict} |")
    say("\n| spoiled | |\n|---|---|")
    for what, cost in spoiled:
        say(f"| {what} | {cost} |")
    say(f"\nSlowest answer meanwhile: {book.slowest:.1f} s.")
    for text in book.odd[:10]:
        say(f"NOT EXPECTED: {text}")


sys.exit(main())
