"""What `make run` does just now, which step of how many, and how long each took."""

from __future__ import annotations

import time
from collections.abc import Callable


class Progress:
    """Numbered steps on a terminal. Times are whole seconds, of short ones none."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Nothing is printed yet; `total` has to be set before the first step."""
        self.say = say
        self.total = self.number = 0
        self.began = time.monotonic()

    def step(self, text: str) -> None:
        """End the step before, and say what the next one does."""
        self.end()
        self.number += 1
        self.say(f"[{self.number}/{self.total}] {text}")

    def detail(self, text: str) -> None:
        """One line about how far the step is."""
        self.say(f"      {text}")

    def end(self) -> None:
        """Say how long the step took, if anybody had to wait for it."""
        seconds = time.monotonic() - self.began
        if self.number and seconds >= 1:
            self.detail(f"done in {seconds:.0f} s")
        self.began = time.monotonic()
