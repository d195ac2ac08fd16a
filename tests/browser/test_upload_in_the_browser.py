"""A contributor drops files or pastes a screenshot; a refusal loses nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from evidence.models import Evidence, EvidenceFile
from tests.evidence import house as houses

DROP = """
([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  const area = document.querySelector(".dropzone");
  area.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true}));
}
"""
PASTE = """
async () => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 8;
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const data = new DataTransfer();
  data.items.add(new File([blob], "image.png", {type: "image/png"}));
  document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data}));
}
"""


@pytest.fixture
def house(live_server, settings, tmp_path: Path) -> houses.House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def form(page_of, house):
    """Alice's window with the upload form."""
    window = page_of(house.alice)
    window.goto(f"/systems/shop/requirements/{house.requirement().uuid}/upload/")
    return window


def test_dropped_and_pasted_files_are_submitted_together(form):
    form.evaluate(DROP, ["report.csv", "user,state\nada,active\n"])
    form.evaluate(PASTE)
    form.wait_for_function("document.querySelectorAll('.files li').length === 2")
    form.click("text=Submit for review")
    form.wait_for_url("**/evidence/**")
    names = list(
        EvidenceFile.objects.order_by("position").values_list("name", flat=True)
    )
    assert names[0] == "report.csv"
    assert names[1].startswith("screenshot-")
    assert "was submitted" in form.inner_text("main")


def test_a_refused_file_is_named_and_the_form_stays(form):
    form.evaluate(DROP, ["report.pdf", "<html>no</html>"])
    form.evaluate(DROP, ["notes.txt", "in order"])
    form.click("details.more summary")
    form.fill("input[name=title]", "Patches of this month")
    with form.expect_response(lambda answer: answer.status == 400):
        form.click("text=Submit for review")
    form.wait_for_selector(".error-summary:focus")
    summary = form.inner_text(".error-summary")
    assert "“report.pdf” is not the PDF" in summary
    assert "So are your 2 files." in summary
    assert "“report.pdf” is not the PDF" in form.inner_text(".files .bad")
    assert form.input_value("input[name=title]") == "Patches of this month"
    assert not Evidence.objects.exists()
    found = Axe().run(form)
    assert found.violations_count == 0, found.generate_report()
    form.click("text=Submit for review")  # the other file, without the refused one
    form.wait_for_url("**/evidence/**")
    assert EvidenceFile.objects.get().name == "notes.txt"


def test_a_file_can_be_taken_out_again(form):
    form.evaluate(DROP, ["one.txt", "1"])
    form.evaluate(DROP, ["two.txt", "2"])
    form.click("text=Remove >> nth=0")
    assert form.locator(".files li").count() == 1
    assert "two.txt" in form.inner_text(".files")


def test_the_pages_of_a_file_are_readable_by_everyone(form, house):
    form.evaluate(DROP, ["report.csv", "user,state\nada,active\n"])
    form.click("text=Submit for review")
    form.wait_for_url("**/evidence/**")
    link = EvidenceFile.objects.get().revision.links.get()
    pages = [
        form.url,
        f"/files/{EvidenceFile.objects.get().uuid}/preview/",
        f"/links/{link.uuid}/withdraw/",
        f"/evidence/{link.revision.evidence.uuid}/attach/",
        f"/systems/shop/requirements/{link.requirement.uuid}/upload/",
        "/systems/shop/controls/cm-8/upload/",
    ]
    for address in pages:
        for width in (1280, 320):
            form.set_viewport_size({"width": width, "height": 900})
            assert form.goto(address).status == 200
            wide = form.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, address
        found = Axe().run(form)
        assert found.violations_count == 0, (address, found.generate_report())
