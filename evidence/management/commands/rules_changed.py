"""Print which controls answer otherwise than by the rules before, and why (R35)."""

from __future__ import annotations

from typing import Any

from controls.grammar import count_of
from evidence.management.asked_moment import AskedMoment
from evidence.status.rule_changes import rule_changes
from evidence.status.rules import RULES
from evidence.status.rules_before import NOT_COMPARED, Answer, RuleChange


class Command(AskedMoment):
    """`rules_changed SYSTEM [--as-of DAY] [--known-at INSTANT]`; 2 on wrong use."""

    help = (
        "List the controls of a system whose answer differs from the number of the"
        " rules before, with the amended rules."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """One line for each control: what it was, what it is, by which rules."""
        system = self.asked_system(options)
        moment = self.asked_moment(system, options)
        window = self.asked_window(system, moment, options)
        try:
            differences, compared = rule_changes(system, moment, window)
        except LookupError as absent:
            self.refuse(str(absent))
        for different in differences:
            self.stdout.write(_line(different))
        self.stdout.write(
            f"{len(differences)} of {count_of(compared, 'control')} answer otherwise by"
            f" rules {RULES} than by rules {RULES - 1}, on {moment.on} over"
            f" {window[0]} to {window[1]}."
        )
        if NOT_COMPARED:
            self.stdout.write(
                f"Not compared: {', '.join(NOT_COMPARED)}. What the rules before made"
                " of these cannot be told from the records of today."
            )


def _line(different: RuleChange) -> str:
    before, today = different.before, different.today
    parts = [
        f"{name} {former} -> {now}"
        for name, former, now in zip(NAMES, _texts(before), _texts(today), strict=True)
        if former != now
    ]
    rules = ", ".join(different.rules)
    return f"{different.control_id:12} {'; '.join(parts)} ({rules})"


NAMES = ("verdict", "provider's half", "our half", "window")


def _texts(answer: Answer) -> tuple[str, str, str, str]:
    expected, on_time, late, missed = answer.counts
    counts = f"expected {expected}, on time {on_time}, late {late}, missed {missed}"
    return (
        answer.verdict,
        answer.aws_half,
        answer.customer_half,
        f"{answer.result} ({counts})",
    )
