"""No call below the web server's asks the kernel for memory, however deep it is."""

from __future__ import annotations

import resource
from typing import Any

from srm_project.frames import with_room

CALLS = 500
DEEPEST = 200


def nothing(a: int = 0, b: int = 0, c: int = 0, d: int = 0) -> None:
    """What a loop calls, with a frame of its own."""


def faults_of_a_loop(depth: int) -> int:
    """How often the kernel gave memory to a loop of CALLS calls at this depth."""
    if depth:
        return faults_of_a_loop(depth - 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(CALLS):
        nothing()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def most_faults(environ: Any, start_response: Any) -> int:
    """At whatever depth a loop lies across the edge of a piece."""
    return max(faults_of_a_loop(depth) for depth in range(DEEPEST))


def test_loops_below_the_server_ask_for_no_memory() -> None:
    assert with_room(most_faults)({}, None) < CALLS / 5


def test_an_application_gets_what_the_server_gives_and_its_answer_goes_back() -> None:
    given: list[Any] = []

    def application(environ: Any, start_response: Any) -> list[bytes]:
        given.append((environ, start_response))
        return [b"answer"]

    environ: dict[str, Any] = {}
    assert with_room(application)(environ, print) == [b"answer"]
    assert given[0][0] is environ
    assert given[0][1] is print
