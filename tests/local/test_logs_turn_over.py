"""Logs do not grow for ever while their programs run: one long piece is kept aside."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from srm_project.local import processes
from srm_project.local.processes import Child

LINE = 1_000  # bytes
CHATTY = f"""
import itertools, sys, time
for n in itertools.count():
    sys.stdout.write(f"{{n:{LINE - 1}}}\\n")
    sys.stdout.flush()
    time.sleep(0.002)
"""


@pytest.fixture
def chatty(tmp_path: Path) -> Iterator[Child]:
    child = Child("chatty", [sys.executable, "-c", CHATTY], tmp_path / "chatty.log")
    child.start()
    yield child
    child.stop()


def test_while_a_program_runs_its_log_turns_over(chatty, monkeypatch) -> None:
    monkeypatch.setattr(processes, "MAX_LOG_BYTES", 20 * LINE)
    aside, begun = chatty.log.with_suffix(".log.1"), set()
    for _ in range(3_000):
        assert chatty.keep_alive(time.monotonic()) is False
        if aside.exists():
            begun.add(aside.read_text().split("\n")[0])
        if len(begun) > 2:
            break
        time.sleep(0.01)
    assert len(begun) > 2, "it turned over again and again"
    assert chatty.alive, "and its program was not asked to start anew"
    assert not begun & {""}
    lines = chatty.log.read_bytes()
    assert b"\0" not in lines, "it goes on at the end, not where it was"
    assert len(list(chatty.log.parent.iterdir())) == 2
