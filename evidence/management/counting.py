"""How far a long command is, for whoever waits at a terminal."""

from __future__ import annotations

import time

from django.core.management.base import OutputWrapper

SECONDS = 5.0  # between two lines


class Counting:
    """Writes a line every few seconds: how many files are done, and of how many."""

    def __init__(self, output: OutputWrapper, done_word: str) -> None:
        self.output, self.done_word = output, done_word
        self.written = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self.written > SECONDS:
            self.written = time.monotonic()
            self.output.write(f"{done} of {total} files {self.done_word}.")
