"""The clocks of a page survive its links: day, knowledge and window go along.

A page about another day leads to pages about the same day, also by way of pages that
are about no day, such as a request or a provider's report. Templates need not think of
it. Links that name clocks themselves stay as they are, and so do links to the page
itself: they lead back to today.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import get_script_prefix

from evidence.status.clock_parameters import CLOCK_NAMES, WINDOW_NAMES, read_clocks

NAMES = (*CLOCK_NAMES, *WINDOW_NAMES)
LINK = re.compile(r'(<a\b[^>]*?\shref=")(/[^"?#]*)(\?[^"#]*)?([^"]*")')
NAMED = re.compile(rf"(?:[?&]|&amp;)(?:{'|'.join(NAMES)})=")
# Pages that are about a day or lead to such; no files, and nothing that is done.
OF_A_ROW = re.compile(
    r"(?:requests|artifacts|exports|audits|populations|samples|evidence|findings"
    r"|observations|requirements/[0-9a-f-]{36}/populations)/"
    r"(?:[0-9a-f-]{36}/(?:(?:new|controls|samples|requests)/(?:[-\w.()]+/)?)?)?"
)
OF_A_SYSTEM = re.compile(
    r"systems/(?P<slug>[-\w]+)/(?:(?:controls|numbers|findings|responses|matrix|window"
    r"|trend)/(?:[-\w.()]+/)*)?"
)
OF_A_CONTROL_TO_DO = re.compile(r"/(?:new|upload|preview|template\.csv)/?$")


class CarriedClocksMiddleware:
    """Adds the clocks of a page to its links that name none."""

    def __init__(self, following: Callable[[HttpRequest], HttpResponse]) -> None:
        self.following = following

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer, with its links."""
        answer = self.following(request)
        if request.method != "GET" or answer.streaming or answer.status_code != 200:
            return answer
        if not answer.get("Content-Type", "").startswith("text/html"):
            return answer
        clocks = clocks_to_carry(request)
        if clocks:
            match = request.resolver_match
            slug = match.kwargs.get("slug") if match else None
            text = answer.content.decode(answer.charset)
            carried = _carried(text, clocks, request.path, slug)
            answer.content = carried.encode(answer.charset)
        return answer


def clocks_to_carry(request: HttpRequest) -> str:
    """The parameters of the page's clocks: as it read them, or, on a page that is about
    no day, as its address names them. Empty for today, and where one cannot be read."""
    read: str | None = getattr(request, "clocks_query", None)
    if read is not None:
        return read
    if read_clocks(dict(request.GET.lists())).faults:
        return ""
    named = [(name, request.GET[name]) for name in NAMES if request.GET.get(name)]
    return urlencode(named)


def _carried(text: str, clocks: str, here: str, slug: str | None) -> str:
    prefix, query = get_script_prefix(), escape(clocks)

    def with_clocks(link: re.Match[str]) -> str:
        before, path, named, rest = link.groups()
        if path == here or not path.startswith(prefix) or NAMED.search(named or ""):
            return link[0]
        if not _is_about_a_day(path[len(prefix) :], slug):
            return link[0]
        joined = f"{named}&amp;{query}" if named and named != "?" else f"?{query}"
        return f"{before}{path}{joined}{rest}"

    return LINK.sub(with_clocks, text)


def _is_about_a_day(path: str, slug: str | None) -> bool:
    """Whether the page of a path takes clocks, or carries them to one that does.

    Of another system than the page's own none does: its days are other ones.
    """
    if OF_A_ROW.fullmatch(path):
        return True
    of_system: Any = OF_A_SYSTEM.fullmatch(path)
    if of_system is None or OF_A_CONTROL_TO_DO.search(path):
        return False
    return slug is None or of_system["slug"] == slug
