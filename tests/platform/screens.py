"""Pages as a person walks them, and what in their text is no word or wrong grammar."""

from __future__ import annotations

import html
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

from django.test import Client
from django.urls import Resolver404, resolve

from controls.display_names import LAYERS
from controls.models import Service, ServiceVariant
from controls.models.systems import Regime
from evidence.status.reasons import MESSAGES

START = [
    "/systems/",
    "/work/",
    "/review/",
    "/requests/",
    "/notices/",
    "/artifacts/",
    "/exports/",
    "/accounts/email/",
    "/accounts/password/reset/",
    "/systems/payments/terms/",
    "/systems/payments/window/days/",
    "/systems/payments/components/what-if/?end=ec2:standard&add=bedrock:standard",
]
# How many pages of a view are read, for each role, with and without a query.
MAX_PAGES = {"evidence:control": 3, "evidence:artifact": 2, "evidence:evidence": 2}
# The admin's pages, the API's, and what ends the walk or changes data.
ELSEWHERE = re.compile(
    r"^/(admin|api|static|accounts/(logout|login))|^/notices/[0-9a-f]{8}"
)

# Slugs that are words of English as well, and stand in sentences as such.
ENGLISH = frozenset(
    {
        "application",
        "facilities",
        "firewall",
        "hardware",
        "identity",
        "network",
        "none",
        "organisation",
        "people",
        "platform",
        "programme",
        "self-managed",
        "virtualization",
    }
)
UNSEEN = frozenset({"code", "pre", "script", "style", "textarea"})
INLINE = frozenset(
    {"a", "abbr", "b", "code", "em", "i", "label", "small", "span", "strong", "time"}
)
NOUNS = re.findall(
    r"\w+",
    "artifact control day duty event file finding item letter line notice page"
    " population problem region report request requirement row sample service"
    " submission system team",
)
PLURALS = [f"{n[:-1]}ies" if n == "duty" else f"{n}s" for n in NOUNS]
NUMBER = r"(?<![\w.,:/()§-])"
# "Q3 2026 was due": a year counts nothing.
GRAMMAR = {
    "one with many": re.compile(
        rf"{NUMBER}1 (?:sampled |unfinished )?({'|'.join(PLURALS)})\b"
        rf"|{NUMBER}1 (?:are|were|have|wait|differ|deviate)\b"
    ),
    "many with one": re.compile(
        rf"{NUMBER}(?:0|[2-9]|[1-9][\d,]*\d) (?:sampled )?({'|'.join(NOUNS)})\b(?!-)"
        rf"|{NUMBER}(?!20\d\d )(?:[2-9]|[1-9]\d+)"
        r" (?:is|was|has|waits|differs|deviates)\b"
    ),
    "a plural with is or was": re.compile(
        rf"(?<!of )(?<!of the )(?<!\d )\b(?:settings|{'|'.join(PLURALS)})"
        r" (?:is|was|has)\b"
    ),
    "(s)": re.compile(r"\w\(s\)"),
    # Lists of types of files, such as “.csv, .json”, are no marks.
    "a space before a mark": re.compile(r"[\w”)] [,;:.!?](?=\s|$)|\(\s|\s\)"),
}


def pages_of(client: Client) -> Iterator[tuple[str, str]]:
    """Address and HTML of what somebody reaches by links; some of each view."""
    ahead, met = deque(START), set(START)
    taken: Counter[tuple[str, bool]] = Counter()
    while ahead:
        url = ahead.popleft()
        answer = client.get(url, follow=True)
        if not answer.get("Content-Type", "").startswith("text/html"):
            answer.close()
            continue
        page = answer.content.decode()
        yield url, page
        for link in _links(url, page):
            view = _view(link)
            if link in met or view is None or taken[view] >= MAX_PAGES.get(view[0], 1):
                continue
            taken[view] += 1
            met.add(link)
            ahead.append(link)


def _links(url: str, page: str) -> Iterator[str]:
    for quoted in re.findall(r'href="([^"#]+)', page):
        link = html.unescape(quoted)
        if link.startswith("?"):
            link = url.partition("?")[0] + link
        if link.startswith("/") and not ELSEWHERE.match(link):
            yield link


def _view(link: str) -> tuple[str, bool] | None:
    parts = urlsplit(link)
    try:
        return resolve(parts.path).view_name, bool(parts.query)
    except Resolver404:
        return None


class _Text(HTMLParser):
    """The text of a page, a line for each element that is not inline; an ellipsis
    stands for what is inline and not read, such as code."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.unseen = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.unseen += tag in UNSEEN
        self.parts.append("" if tag in INLINE else "\n")

    def handle_endtag(self, tag: str) -> None:
        self.unseen -= tag in UNSEEN
        read = "…" if tag in UNSEEN else ""
        self.parts.append(read if tag in INLINE else "\n")

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            self.parts.append(re.sub(r"\s+", " ", data))


def lines_of(page: str) -> list[str]:
    """What a page shows as text: no code, no attributes."""
    parser = _Text()
    parser.feed(page)
    lines = "".join(parser.parts).split("\n")
    return [" ".join(line.split()) for line in lines if line.strip()]


def slugs() -> frozenset[str]:
    """Codes of services, variants, layers, regimes and reasons that are no words."""
    services = Service.objects.values_list("slug", flat=True)
    variants = ServiceVariant.objects.values_list("slug", flat=True)
    codes = {*services, *LAYERS, *Regime.values, *(v for v in variants if "-" in v)}
    codes |= {code for code in MESSAGES if "_" in code}
    return frozenset(codes) - ENGLISH


def faults(lines: Iterable[str], codes: Iterable[str]) -> list[str]:
    """Each slug that stands as a word and each wrong form, with its line."""
    alternatives = "|".join(sorted(map(re.escape, codes), key=len, reverse=True))
    slug = re.compile(rf"(?<![\w/.@-])(?:{alternatives})(?![\w@-]|\.\w)")
    rules = {"slug": slug, **GRAMMAR}
    return [
        f"{kind}: “{match.group()}” in “{line[:160]}”"
        for line in lines
        for kind, rule in rules.items()
        if (match := rule.search(line))
    ]
