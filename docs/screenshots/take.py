"""Takes the pictures of these documents from a running demo.

    .venv/bin/python docs/screenshots/take.py http://localhost:8000 PASSWORD [NAME ...]

The address and the password are those that `make run` prints; it needs Chromium and
`make setup-dev`. Without names all pictures are taken. Nothing in the demo is changed.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
DOMAIN = "northwind-pay.example"
NAMES = ("chromium", "chromium-browser", "google-chrome")
MAX_BYTES = 150_000  # of one picture
SETTLES = 2500  # milliseconds until parts that are fetched have come
COLOURS = 96  # few enough for small files, many enough for text to stay sharp


@dataclass(frozen=True)
class Picture:
    """One page as a person sees it. Before it is taken `chooses` are chosen by name,
    `ticks` are ticked, and what `at` selects is brought to the top."""

    name: str
    who: str
    path: str
    height: int = 900
    width: int = 1280
    dark: bool = False
    chooses: tuple[tuple[str, str], ...] = ()
    ticks: tuple[str, ...] = ()
    at: str = "body"


CHANGE = "end=ec2:standard&add=bedrock:standard"
WHAT_IF = f"/systems/payments/components/what-if/?{CHANGE}"
PICTURES = (
    Picture("dash", "olivia", "/systems/payments/", 1000),
    Picture("dash-dark", "olivia", "/systems/payments/", 700, dark=True),
    Picture("controls", "olivia", "/systems/payments/controls/", 900),
    Picture("control", "olivia", "/systems/payments/controls/si-2/", 1250),
    Picture("control-narrow", "olivia", "/systems/payments/controls/si-2/", 900, 320),
    Picture(
        "add-system",
        "olivia",
        "/systems/new/",
        chooses=(("baseline", "FedRAMP MODERATE"),),
        ticks=("use_ec2", "use_lambda"),
        at="details:has([name=use_ec2])",
    ),
    Picture("what-if", "olivia", WHAT_IF, 900),
    Picture("people", "olivia", "/systems/payments/people/", 900),
    Picture("admin", "olivia", "/admin/", 800),
    Picture("calendar", "paul", "/systems/payments/calendar/", 800),
    Picture("my-work", "paul", "/work/", 900),
    Picture("my-work-narrow", "paul", "/work/", 800, 320),
    Picture("review", "rita", "/review/", 900),
    Picture("audit", "audrey", "/audits/", 900),
)


def signed_in(browser: Browser, address: str, who: str, password: str) -> Page:
    """A window in which this person of the demo has signed in."""
    page = browser.new_context(base_url=address).new_page()
    page.goto("/accounts/login/")
    page.fill("[name=login]", f"{who}@{DOMAIN}")
    page.fill("[name=password]", password)
    page.click("main form button")
    page.wait_for_url(lambda url: "/accounts/login/" not in url)
    return page


def take(page: Page, picture: Picture) -> None:
    """Open the page and keep the top of it, as tall as the picture says."""
    page.set_viewport_size({"width": picture.width, "height": picture.height})
    page.emulate_media(color_scheme="dark" if picture.dark else "light")
    answer = page.goto(picture.path)
    if answer is None or answer.status != 200:
        sys.exit(f"{picture.path} did not answer with a page.")
    for name, label in picture.chooses:
        page.select_option(f"[name={name}]", label=label)
    for name in picture.ticks:
        page.check(f"[name={name}]")
    page.wait_for_timeout(SETTLES)
    page.wait_for_load_state("networkidle")
    page.eval_on_selector(picture.at, "element => element.scrollIntoView()")
    body = smaller(page.screenshot())
    if len(body) > MAX_BYTES:
        sys.exit(f"{picture.name} would have {len(body):,} bytes: make it less tall.")
    (HERE / f"{picture.name}.png").write_bytes(body)
    sys.stdout.write(f"{picture.name}.png, {len(body) // 1000} kB\n")


def smaller(body: bytes) -> bytes:
    """The same picture in fewer colours."""
    picture = Image.open(BytesIO(body)).convert("RGB").quantize(COLOURS)
    small = BytesIO()
    picture.save(small, "PNG", optimize=True)
    return small.getvalue()


def main(address: str, password: str, *names: str) -> None:
    """Take the pictures of these names, or all."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        sys.exit("There is no Chromium on this machine.")
    chosen = [picture for picture in PICTURES if not names or picture.name in names]
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        for who in dict.fromkeys(picture.who for picture in chosen):
            page = signed_in(browser, address, who, password)
            for picture in chosen:
                if picture.who == who:
                    take(page, picture)
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
