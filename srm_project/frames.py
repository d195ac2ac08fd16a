"""Room for the frames of all that the web server calls."""

from __future__ import annotations

from typing import Any

# Of 8 bytes each: the frame of 272 kB gets a piece of 512 and leaves 240 to others.
SLOTS = 34_000


def with_room(answer: Any) -> Any:
    """A WSGI application, called where there is room for the frames of all it calls.

    CPython keeps frames in pieces of 16 kB, and gives a piece back to the kernel once
    its first frame ends. A loop that calls across the edge of a piece asks for memory
    at every call: by chance of how deep they call, that took up to a quarter of the
    time of some pages. A frame that says it needs much gets a piece for them all.
    """

    def called(environ: Any, start_response: Any) -> Any:
        return answer(environ, start_response)

    called.__code__ = called.__code__.replace(co_stacksize=SLOTS)
    return called
