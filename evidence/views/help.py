"""The explanation of the rules, from the document that ships with the code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from evidence.status.rules import EDITIONS, RULES
from srm_project.requests import SignedInRequest

DOCUMENT = settings.BASE_DIR / "docs" / "how-a-verdict-is-reached.md"
RULE = re.compile(r"^(R\d+)\b")
SCROLLING = '<div class="table-scroll" tabindex="0" role="region" aria-label="{}">\n'


@dataclass(frozen=True)
class Section:
    """A heading of the document and where it is: rules at their id, such as `r13`."""

    anchor: str
    title: str
    is_rule: bool


@require_safe
def verdict_help(request: SignedInRequest) -> HttpResponse:
    """How a verdict is reached, with a section for each rule."""
    sections, body = explanation()
    shown = {
        "sections": sections,
        "body": body,
        "rules": RULES,
        "editions": EDITIONS[::-1],
    }
    return render(request, "evidence/help/verdict.html", shown)


@cache
def explanation() -> tuple[list[Section], SafeString]:
    """The sections of the document and its HTML. Read once: it comes with the code.

    Its title is the page's and left out. Raw HTML is not rendered.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(DOCUMENT.read_text(encoding="utf-8"))
    tokens = tokens[3:]  # opening, text and closing of the title
    sections = [
        _section(token, tokens[at + 1].content)
        for at, token in enumerate(tokens)
        if token.type == "heading_open"
    ]
    html: str = parser.renderer.render(_scrolling(tokens), parser.options, {})
    return sections, SafeString(html)


def _section(heading: Token, title: str) -> Section:
    rule = RULE.match(title)
    anchor = rule[1] if rule else re.sub(r"\W+", "-", title).strip("-")
    heading.attrSet("id", anchor.lower())
    return Section(anchor.lower(), title, is_rule=rule is not None)


def _scrolling(tokens: list[Token]) -> list[Token]:
    """The tokens, with tables in a frame of their own that scrolls on small screens."""
    framed: list[Token] = []
    title = ""
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            title = tokens[at + 1].content
        if token.type == "table_open":
            framed.append(_raw(SCROLLING.format(f"Table of {title}")))
        framed.append(token)
        if token.type == "table_close":
            framed.append(_raw("</div>\n"))
    return framed


def _raw(html: str) -> Token:
    token = Token("html_block", "", 0)
    token.content = html
    return token
