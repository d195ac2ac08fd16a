"""Places where a test may kill or stop the process, as a power cut or a stall does."""

from __future__ import annotations

import os
import signal

# Named by a test for a child of its own; nothing is armed outside of pytest.
ARMED = os.environ.get("SRM_FAILPOINT") if "PYTEST_CURRENT_TEST" in os.environ else None
STOPS = "stop:"  # before a name: stop there, once, until somebody lets it go on
_passed: set[str] = set()


def failpoint(name: str) -> None:
    """End the process here, as kill -9 does, if a test armed this name.

    With `stop:` before the name the process is stopped there, the first time.
    """
    if name == ARMED:
        os.kill(os.getpid(), signal.SIGKILL)
    if STOPS + name == ARMED and name not in _passed:
        _passed.add(name)
        os.kill(os.getpid(), signal.SIGSTOP)
