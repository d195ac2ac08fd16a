"""What documents name is there: paths, commands and their options, links, rooms."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class

ROOT = Path(settings.BASE_DIR)
HOUSES = ("controls", "evidence", "srm_project", "bench", "templates", "tests")
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    + [path for house in HOUSES for path in ROOT.glob(f"{house}/**/README.md")]
)
MAX_README_LINES = 15
MADE_AT_RUN_TIME = (
    "var/", ".venv", ".srm", "http", "s3:", "smtp", "/", "deploy/settings.env",
)  # fmt: skip
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.S)
PATH = re.compile(
    r"[\w.<>*-]*(?:/[\w.<>*-]+)+/?|[\w-]+\.(?:py|md|csv|html|toml|txt|sh)"
)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def by_name(path: Path) -> str:
    """The id of a test about a file."""
    return path.relative_to(ROOT).as_posix()


every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=by_name)


def code_of(document: Path) -> Iterator[str]:
    """Each line of the document's code, in blocks and within sentences."""
    for code in CODE.findall(document.read_text(encoding="utf-8")):
        yield from (line.strip("` ") for line in code.splitlines())


def is_there(path: str, document: Path) -> bool:
    """Whether a path leads somewhere: from the top, the document's folder or the
    templates, or, for a bare name, in any room. `<noun>` stands for any name."""
    pattern = re.sub(r"<[^>]*>", "*", path).rstrip("/")
    starts = (ROOT, document.parent, ROOT / "templates")
    if any(any(folder.glob(pattern)) for folder in starts):
        return True
    rooms = ("controls", "evidence", "srm_project", "docs", "tests", "templates")
    return "/" not in pattern and any(any((ROOT / r).rglob(pattern)) for r in rooms)


@every_document
def test_every_path_that_a_document_names_is_there(document: Path) -> None:
    named = {
        path
        for code in CODE.findall(document.read_text(encoding="utf-8"))
        if "\n" not in code and " " not in code
        for path in [code.strip("`")]
        if PATH.fullmatch(path) and not path.startswith(MADE_AT_RUN_TIME)
    }
    assert [path for path in sorted(named) if not is_there(path, document)] == []


@cache
def text_of_the_code() -> str:
    """All of our code and settings as one text."""
    files = [path for house in HOUSES[:4] for path in (ROOT / house).rglob("*.py")]
    files += [ROOT / ".env.example", ROOT / "Makefile", ROOT / "docs/openapi.yaml"]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@every_document
def test_every_constant_and_setting_that_a_document_names_is_there(document) -> None:
    codes = CODE.findall(document.read_text(encoding="utf-8"))
    named = {
        name for code in codes for name in re.findall(r"`([A-Z][A-Z_0-9]+)`", code)
    }
    ours = sorted(name for name in named if not name.startswith("AWS_"))
    assert [name for name in ours if name not in text_of_the_code()] == []


@every_document
def test_every_link_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    broken = []
    for target in LINK.findall(text):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(target)
    assert broken == []


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.M)
    kept = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.strip().replace(" ", "-") for heading in kept}


@every_document
def test_every_command_that_a_document_names_is_there(document: Path) -> None:
    unknown = [line for line in code_of(document) for _ in unknown_in(line)]
    assert unknown == []


def unknown_in(line: str) -> Iterator[str]:
    """What of a command line is not there: a target, program, module or option."""
    line = line.partition(" #")[0]
    for target in re.findall(r"^make ([a-z-]+)", line):
        if not re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M):
            yield target
    for program in re.findall(r"\.venv/bin/([\w-]+)", line):
        if program not in programs():
            yield program
    for module in re.findall(r"python -m ([\w.]+)", line):
        if importlib.util.find_spec(module) is None:
            yield module
    for command, rest in re.findall(r"manage\.py ([a-z_]+)(.*)", line):
        if command not in get_commands():
            yield command
            continue
        yield from set(re.findall(r"--[a-z-]+", rest)) - options_of(command)


def programs() -> set[str]:
    """What lies in `.venv/bin`."""
    found = importlib.metadata.entry_points(group="console_scripts")
    return {"python", "pip", "ruff"} | {script.name for script in found}


def options_of(command: str) -> set[str]:
    """The long options of a management command."""
    app = get_commands()[command]
    loaded = load_command_class(app, command) if isinstance(app, str) else app
    parser = loaded.create_parser("manage.py", command)
    return {name for action in parser._actions for name in action.option_strings}


JOINERS = (
    ".pre-commit-config.yaml",
    ".devcontainer/devcontainer.json",
    ".github/workflows/ci.yml",
)


@pytest.mark.parametrize("name", JOINERS)
def test_what_hooks_container_and_workflow_call_is_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    commands = [part.strip(' "') for line in text.splitlines() for part in cut(line)]
    assert [command for command in commands for _ in unknown_in(command)] == []
    scripts = [ROOT / script for script in re.findall(r"\./(\.ci/[\w-]+)", text)]
    assert [path for path in scripts if not os.access(path, os.X_OK)] == []


def cut(line: str) -> list[str]:
    """The commands of a line: after its key, and one after the other."""
    return line.partition(": ")[2].split("&&")


def layers() -> list[str]:
    """The floors of the import contract, the highest first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    (rooms,) = (
        contract
        for contract in contracts["importlinter"]["contracts"]
        if contract["id"] == "rooms"
    )
    floors: list[str] = rooms["layers"]
    return floors


def test_the_picture_of_the_rooms_is_the_import_contract() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    assert re.findall(r'f\d+\["([^"]+)"\]', text) == layers()


def rooms() -> list[str]:
    """Every folder of modules, by its path; not generated or empty ones."""
    found = []
    for house in ("controls", "evidence", "srm_project", "bench"):
        for folder in sorted({path.parent for path in (ROOT / house).rglob("*.py")}):
            path = folder.relative_to(ROOT).as_posix()
            if "migrations" not in path and not path.endswith("management/commands"):
                found.append(path)
    return [*found, "templates", "tests"]


def test_the_tree_of_the_architecture_names_every_room() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    tree = text.split("## The rooms")[1].split("```")[1]
    house, named = "", set()
    for line in tree.strip().splitlines():
        words = re.split(r"\s{2,}", line.strip())[0].replace(",", "").split()
        folders = [word.strip("/") for word in words if word.endswith("/")]
        if line.startswith(" "):
            named |= {f"{house}/{folder}" for folder in folders}
        else:
            house = folders[0]
            named |= set(folders)
    assert [room for room in rooms() if parent_room(room) not in named] == []
    assert [room for room in sorted(named) if not (ROOT / room).is_dir()] == []


def parent_room(path: str) -> str:
    """A room below a room counts as that one: `evidence/files/checks`."""
    return "/".join(path.split("/")[:2])


@pytest.mark.parametrize("room", sorted({parent_room(room) for room in rooms()}))
def test_every_room_says_in_a_few_lines_what_belongs_there(room: str) -> None:
    readme = ROOT / room / "README.md"
    assert readme.exists(), f"{room} has no README.md"
    assert 3 <= len(readme.read_text().splitlines()) <= MAX_README_LINES


DECISIONS = sorted((ROOT / "docs/adr").glob("0*.md"))


@pytest.mark.parametrize("decision", DECISIONS, ids=by_name)
def test_a_decision_names_alternatives_and_its_price(decision: Path) -> None:
    text = decision.read_text(encoding="utf-8")
    instead = text.partition("**Instead of**")[2].partition("**Price.**")
    assert "**Decided" in text
    assert "**Because**" in text
    assert len(re.findall(r"^- \*", instead[0], re.M)) >= 2
    assert len(instead[2].split()) > 10
    index = (decision.parent / "README.md").read_text(encoding="utf-8")
    assert f"]({decision.name})" in index


ADDITIONS = (
    "a page",
    "an API route",
    "a kind of upload",
    "an export format",
    "a reason",
    "a notice",
    "a service",
    "a reading",
)


def test_contributing_says_for_eight_changes_what_to_touch() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert re.findall(r"^### (.+)$", text, re.M) == list(ADDITIONS)


def test_partials_that_several_nouns_share_are_listed() -> None:
    text = (ROOT / "docs/templates.md").read_text(encoding="utf-8")
    shared = {path.name for path in ROOT.glob("templates/evidence/partials/*.html")}
    listed = re.findall(r"^\| `([\w]+\.html)` \|", text, re.M)
    assert sorted(listed) == sorted(shared)
