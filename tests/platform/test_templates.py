"""Templates hold nothing that the content security policy refuses, and read well."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
NAMES = [path.relative_to(ROOT).as_posix() for path in TEMPLATES]
MAX_LINE_LENGTH = 120
REFUSED = {
    "inline script": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)"),
    "event handler": re.compile(r"<[^>]*\son[a-z]+\s*="),
    "inline style": re.compile(r"<style\b|<[^>]*\sstyle\s*="),
    "script address": re.compile(r"javascript:", re.I),
    "evaluated htmx": re.compile(r"\bhx-(on|vals\s*=\s*.js:)"),
    "foreign address": re.compile(r"(src|href)=.https?://"),
}


@pytest.mark.parametrize(
    "path", TEMPLATES, ids=lambda p: p.relative_to(ROOT).as_posix()
)
def test_nothing_inline(path):
    text = path.read_text()
    assert [what for what, found in REFUSED.items() if found.search(text)] == []


@pytest.mark.parametrize(
    "path", TEMPLATES, ids=lambda p: p.relative_to(ROOT).as_posix()
)
def test_a_line_has_at_most_120_characters(path):
    lines = path.read_text().splitlines()
    assert [line for line in lines if len(line) > MAX_LINE_LENGTH] == []


@pytest.mark.parametrize(
    "path",
    [path for path in TEMPLATES if path.parent.name == "partials"],
    ids=lambda p: p.relative_to(ROOT).as_posix(),
)
def test_a_partial_says_first_what_it_expects(path):
    first = path.read_text().splitlines()[0]
    assert re.fullmatch(r"\{# Expects: .* #\}", first), first


@pytest.mark.parametrize("sheet", sorted((ROOT / "srm_project/static").rglob("*.css")))
def test_a_stylesheet_loads_nothing_from_elsewhere(sheet):
    assert not re.search(r"@import|url\(\s*['\"]?https?:", sheet.read_text())


@pytest.mark.parametrize("sheet", sorted((ROOT / "srm_project/static").rglob("*.css")))
def test_a_stylesheet_has_one_declaration_a_line(sheet):
    lines = sheet.read_text().splitlines()
    assert [line for line in lines if line.count(";") > 1 or "{ " in line] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=NAMES)
def test_an_ampersand_is_escaped_once(path):
    """What a filter joins is escaped as it is written: `&amp;` there would be sent as
    a parameter of another name, and a link would lose its clocks."""
    assert not re.search(r"\|\w+:[\'\"]&amp;", path.read_text())
