"""Places where a test may kill the process, to see what a power cut leaves."""

from __future__ import annotations

import os
import signal

# Named by a test for a child of its own; nothing is armed outside of pytest.
ARMED = os.environ.get("SRM_FAILPOINT") if "PYTEST_CURRENT_TEST" in os.environ else None


def failpoint(name: str) -> None:
    """End the process here, as kill -9 does, if a test armed this name."""
    if name == ARMED:
        os.kill(os.getpid(), signal.SIGKILL)
