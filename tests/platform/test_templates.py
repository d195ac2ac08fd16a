"""Templates hold nothing that the content security policy would refuse."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
NAMES = [path.relative_to(ROOT).as_posix() for path in TEMPLATES]
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


@pytest.mark.parametrize("sheet", sorted((ROOT / "srm_project/static").rglob("*.css")))
def test_a_stylesheet_loads_nothing_from_elsewhere(sheet):
    assert not re.search(r"@import|url\(\s*['\"]?https?:", sheet.read_text())
