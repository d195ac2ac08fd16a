"""Many files in the browser: a folder, a drop, progress; only what is wrong is asked
for again, 500 in one go (UP-01)."""

from __future__ import annotations

from pathlib import Path

import pytest

from evidence.models import Evidence
from tests.evidence import house as houses
from tests.one_day import TODAY

NUMBER = 500
DROP = """
([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  const area = document.querySelector(".dropzone");
  area.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true}));
}
"""


@pytest.fixture
def house(live_server, settings, tmp_path: Path) -> houses.House:
    settings.EVIDENCE_STORE = str(tmp_path / "store")
    settings.MFA_REQUIRED = False
    return houses.build()


def listed(names: list[str]) -> bytes:
    rows = [f"{name},cm-8,{TODAY},{name}" for name in names]
    return "\n".join(["file,control,performed_on,title", *rows]).encode()


def test_five_hundred_files_of_a_folder_and_what_was_missing_is_dropped(
    page_of, house, tmp_path
):
    house.requirement()
    folder = tmp_path / "evidence"
    folder.mkdir()
    names = [f"report-{number:03}.txt" for number in range(NUMBER)]
    for name in names[1:]:
        (folder / name).write_text(name)
    (folder / ".DS_Store").write_text("of the system")
    window = page_of(house.alice)
    window.set_viewport_size({"width": 320, "height": 900})
    window.goto("/work/")
    window.click("text=Upload many files")
    csv = {"name": "list.csv", "mimeType": "text/csv", "buffer": listed(names)}
    window.set_input_files("#list", csv)
    window.set_input_files("input[webkitdirectory]", str(folder))
    assert f"{NUMBER - 1} files" in window.inner_text(".dropzone ~ .hint")
    window.click("button:has-text('Preview')")
    window.wait_for_selector("text=1 problem.", timeout=120_000)
    problem = window.inner_text("main")
    assert "“report-000.txt” is not among the files." in problem
    assert "Add the files that are missing" in problem
    # the list and the files are still chosen: only the missing one is asked for
    assert window.evaluate("document.querySelector('#list').files.length") == 1
    window.evaluate(DROP, [names[0], "the first"])
    window.wait_for_function(
        f"document.querySelectorAll('.files li').length === {NUMBER}"
    )
    window.click("button:has-text('Preview')")
    window.wait_for_selector("text=What would be recorded", timeout=120_000)
    assert window.evaluate("document.documentElement.scrollWidth") <= 320
    window.click("button:has-text('Submit all of it')")
    window.wait_for_selector(f"text={NUMBER} submitted for review.", timeout=120_000)
    assert Evidence.objects.count() == NUMBER
