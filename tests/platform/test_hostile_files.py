"""UP-03, UP-08, UP-11: no file makes a process that serves grow by more than 50 MB.

The files are made by another process (`tests/hostile.py`), and read here as a web
process reads them: checked, previewed, taken for each kind of list.
"""

from __future__ import annotations

import ctypes
import datetime as dt
import gc
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import pytest
from django.conf import settings

from controls.confined import readers_without_network
from controls.errors import Refused
from controls.oscal.texts import read_texts
from controls.provider_documents.rows import read_statements
from evidence.files.checks import ALLOWED, check
from evidence.files.previews import kind_of, render_preview
from evidence.populations import event_list
from evidence.submissions import bulk_list
from tests.hostile import FILES

MAX_GROWTH = 50  # MB
LISTS: dict[str, Callable[[BinaryIO, str], object]] = {
    "list for many files": bulk_list.read,
    "provider's document": read_statements,
    "population": lambda body, name: event_list.read(
        body, name, dt.date(2026, 10, 1), dt.date(2026, 11, 1), zone=dt.UTC
    ),
}
# what cannot be evidence; the others are taken, and hurt nobody
REFUSED = {
    *("pixels-by-header.png", "text-chunk.png", "zeros.zip", "nested.zip", "crowd.zip"),
    *("overlapping.zip", "small.pdf", "packed-objects.pdf", "bomb-in.zip"),
    *("deep.json", "wide.json", "keyed.json", "laughs.xml", "laughs.docx"),
    *("laughs.xlsx", "deep.docx", "fields.docx", "circular.pdf"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("hostile")
    command = [sys.executable, "-m", "tests.hostile", str(made)]
    subprocess.run(command, check=True, cwd=settings.BASE_DIR)
    readers_without_network()
    return made


def megabytes(line: str) -> float:
    """`VmRSS`, or `VmHWM` for the most since it was forgotten."""
    status = Path("/proc/self/status").read_text().splitlines()
    kilobytes = next(text.split()[1] for text in status if text.startswith(line))
    return int(kilobytes) / 1024


def give_back() -> None:
    """What earlier tests left goes back to the kernel, or it is filled again first."""
    with suppress(AttributeError):  # another library than glibc keeps less
        ctypes.CDLL(None).malloc_trim(0)


def growth(act: Callable[[], object]) -> float:
    """How far this process grows meanwhile, in MB, whatever becomes of it."""
    gc.collect()
    give_back()
    Path("/proc/self/clear_refs").write_text("5")
    before = megabytes("VmRSS")
    with suppress(Refused):
        act()
    return megabytes("VmHWM") - before


def test_a_growth_is_measured() -> None:
    assert growth(lambda: bytearray(60_000_000).count(1)) > MAX_GROWTH


@pytest.mark.parametrize("name", FILES)
def test_no_process_that_serves_grows_and_what_only_hurts_is_refused(
    name: str, folder: Path
) -> None:
    path, grown = folder / name, {}
    ending = path.suffix[1:]

    def read(act: Callable[[BinaryIO], object]) -> Callable[[], object]:
        def opened() -> object:
            with path.open("rb") as body:
                return act(body)

        return opened

    refusals: list[str] = []

    def judge(body: BinaryIO) -> None:
        try:
            check(body, name)
        except Refused as refusal:
            refusals.extend(refusal.messages)

    grown["check"] = growth(read(judge))
    assert len(refusals) == (name in REFUSED)
    assert all(sentence.endswith("Nothing was stored.") for sentence in refusals)
    if kind_of(ALLOWED[ending]):
        grown["preview"] = growth(
            read(lambda body: render_preview(body, ALLOWED[ending]))
        )
    if ending == "json":
        grown["official text"] = growth(read(read_texts))
    # megabytes of styles are read in ten seconds and more: once is enough
    kinds = list(LISTS)[: 1 if name == "styles.xlsx" else None]
    if ending in {"csv", "xlsx"}:
        for kind in kinds:
            take = LISTS[kind]
            grown[kind] = growth(read(lambda body, take=take: take(body, name)))
    assert {kind: n for kind, n in grown.items() if n > MAX_GROWTH} == {}


def test_a_process_that_serves_loads_no_library_that_reads_files() -> None:
    """None of them is loaded by any page or job, so that none can be called there."""
    program = (
        "import django, sys; django.setup();"
        "import srm_project.wsgi, srm_project.celery, evidence.tasks;"
        "readers = {'PIL', 'pikepdf', 'pypdfium2', 'openpyxl', 'defusedxml'};"
        "print(sorted(readers & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=settings.BASE_DIR,
        check=True,
    )
    assert done.stdout.strip() == "[]"
