"""Everyone can read the pages: no obstacle that axe finds, nothing CSP stops."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.admin import site
from django.urls import reverse

PAGES = [
    "evidence:dashboard",
    "evidence:controls",
    "evidence:saved_filters",
    "evidence:people",
    "evidence:first_steps",
    "evidence:components",
    "evidence:what_if",
    "evidence:trend",
    "evidence:window",
    "evidence:requirements",
    "evidence:requirement_templates",
    "evidence:provider",
    "evidence:rereading",
    "evidence:calendar",
    "evidence:roll_forward",
    "evidence:request_new",
    "evidence:bulk",
]
ELSEWHERE = [
    "evidence:systems",
    "evidence:work",
    "evidence:my_calendar",
    "evidence:requests",
    "evidence:notices",
    "evidence:notice_settings",
    "account_email",
    "evidence:queue",
    "evidence:review_several",
    "evidence:artifacts",
    "evidence:exports",
]
THEMES = ("light", "dark")
COLOURS = ["color-contrast", "link-in-text-block"]  # all that a theme changes


def obstacles(page, rules=()):
    """What axe finds, of every severity and in words; of these rules or of all."""
    options = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = list(rules)
    violations = Axe().run(page, options=options).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in violations]


def obstacles_in_both_themes(page):
    """What axe finds of a page as it is opened, and what the other theme adds."""
    found = []
    for theme, rules in (("light", ()), ("dark", COLOURS)):
        page.emulate_media(color_scheme=theme)
        found += [f"{theme}: {obstacle}" for obstacle in obstacles(page, rules)]
    return found


def test_the_sign_in_page(page):
    page.goto("/")
    assert page.locator("input[type=password]").count() == 1
    assert obstacles_in_both_themes(page) == []


@pytest.mark.parametrize("name", [*PAGES, *ELSEWHERE, "a control"])
def test_a_page_of_an_officer(name, system, oscar, page_of):
    page = page_of(oscar)
    if name == "a control":
        path = reverse("evidence:control", args=[system.slug, "ac-2"])
    else:
        path = reverse(name, args=[system.slug] if name in PAGES else [])
    answer = page.goto(path)
    assert answer.status == 200
    assert page.locator("h1").count() == 1
    assert obstacles_in_both_themes(page) == []
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_what_other_services_would_change(system, oscar, page_of):
    page = page_of(oscar)
    page.goto(reverse("evidence:what_if", args=[system.slug]))
    page.check("[name=end][value='ec2:standard']")
    page.check("[name=add][value='lambda:runtime-auto']")
    page.click("main form button")
    assert "end=ec2" in page.url
    assert "guest" in page.inner_text("section[aria-labelledby=moved]").lower()
    assert obstacles_in_both_themes(page) == []
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("width", [360, 1280])
def test_a_page_never_scrolls_sideways(width, system, oscar, page_of):
    page = page_of(oscar)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(reverse("evidence:dashboard", args=[system.slug]))
    wider = "document.documentElement.scrollWidth > window.innerWidth"
    assert page.evaluate(wider) is False


@pytest.mark.parametrize("name", ["admin:index", "admin:controls_team_changelist"])
def test_a_page_of_the_admin(name, oscar, page_of):
    oscar.is_staff = oscar.is_superuser = True
    oscar.save(update_fields=["is_staff", "is_superuser"])
    page = page_of(oscar)
    assert page.goto(reverse(name)).status == 200
    sheet = "srm/srm" if name == "admin:index" else "srm/admin"  # the home is ours
    assert page.locator(f"link[href*='{sheet}']").count() == 1
    assert obstacles_in_both_themes(page) == []


@pytest.mark.slow
def test_every_list_of_the_admin(system, oscar, alice, rita, page_of):
    """Django's own pages, held to what ours are held to, in both themes."""
    oscar.is_staff = oscar.is_superuser = True
    oscar.save(update_fields=["is_staff", "is_superuser"])
    page = page_of(oscar)
    problems = {}
    for model in site._registry:
        meta = model._meta
        name = f"admin:{meta.app_label}_{meta.model_name}_changelist"
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            assert page.goto(reverse(name)).status == 200
            if seen := obstacles(page):
                problems[f"{meta.label}, {theme}"] = seen
    assert problems == {}


@pytest.mark.parametrize("name", ["evidence:dashboard", "evidence:controls"])
def test_a_page_in_the_dark(name, system, oscar, page_of):
    page = page_of(oscar)
    page.emulate_media(color_scheme="dark")
    page.goto(reverse(name, args=[system.slug]))
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(15, 20, 25)"
    assert obstacles(page) == []


def test_the_head_of_a_long_table_stays_in_sight(system, oscar, page_of):
    page = page_of(oscar)
    page.set_viewport_size({"width": 1280, "height": 300})
    page.goto(reverse("evidence:controls", args=[system.slug]))
    page.evaluate("window.scrollTo(0, document.body.scrollHeight / 2)")
    head = page.locator("#control-rows thead th").first.bounding_box()
    assert head is not None and 0 <= head["y"] < 2
