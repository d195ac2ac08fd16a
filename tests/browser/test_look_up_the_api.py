"""Whoever writes a program finds the API described, from our own host alone."""

from django.urls import reverse


def test_the_description_shows_operations(oscar, page_of):
    """Grouped by noun; a group opens on asking, so that the page is there at once."""
    page = page_of(oscar)
    asked = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(reverse("api_docs"))
    page.locator("[data-tag='tokens']").wait_for()

    assert page.locator("h1").first.inner_text() == "API"
    page.locator("[data-tag='tokens']").click()
    page.locator("[data-path='/api/v1/tokens/']").first.wait_for()
    assert page.locator("[data-tag='evidence']").count() == 1
    here = page.url.split("/api/")[0]
    assert [url for url in asked if not url.startswith((here, "data:"))] == []
