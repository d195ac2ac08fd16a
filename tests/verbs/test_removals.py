"""R32: what each verb of a removal answers from each state, at each door."""

from __future__ import annotations

from functools import partial

import pytest
from django.urls import reverse

from evidence.models import SpillRemoval
from tests.evidence.house import House
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells

pytestmark = pytest.mark.django_db

SENTENCES = {
    "taken-back": "Oscar took this request back.",
    "not-mine": "Only whoever asked for it takes it back;",
    "own": "Somebody other than the requester must approve this.",
    "decided-by": "Otto has already decided this.",
    "removed": "The bytes are removed from this system already.",
    "asked": "Its removal is already asked for.",
    "looked-at": "You may not do this",
}
# A cell says where the removal stands, what became of the link that rests on the
# bytes, and, after `new`, where a removal stands that was asked for now.
TABLE = """
verb            door   requested             approved        destroyed       refused                            withdrawn
ask             page   409 asked             409 removed     409 removed     =refused, accepted, new requested  =withdrawn, accepted, new requested
ask             api    409 asked             409 removed     409 removed     =refused, accepted, new requested  =withdrawn, accepted, new requested
approve         page   =approved, withdrawn  409 decided-by  409 decided-by  409 decided-by                     409 taken-back
approve         api    =approved, withdrawn  409 decided-by  409 decided-by  409 decided-by                     409 taken-back
approve own     page   403 own               403 own         403 own         403 own                            403 own
approve own     api    403 own               403 own         403 own         403 own                            403 own
refuse          page   =refused, accepted    409 decided-by  409 decided-by  409 decided-by                     409 taken-back
refuse          api    =refused, accepted    409 decided-by  409 decided-by  409 decided-by                     409 taken-back
change          admin  403 looked-at         403 looked-at   403 looked-at   403 looked-at                      403 looked-at
withdraw        page   =withdrawn, accepted  409 decided-by  409 decided-by  409 decided-by                     409 taken-back
withdraw        api    =withdrawn, accepted  409 decided-by  409 decided-by  409 decided-by                     409 taken-back
withdraw other  page   403 not-mine          403 not-mine    403 not-mine    403 not-mine                       403 not-mine
withdraw other  api    403 not-mine          403 not-mine    403 not-mine    403 not-mine                       403 not-mine
"""  # noqa: E501 - one line for each verb and door
WHO = {"approve own": "oscar", "withdraw": "oscar", "change": "admin"}


@pytest.fixture
def house(settings, tmp_path):
    return states.build(settings, tmp_path)


def attempt(house: House, row: Row, removal: SpillRemoval) -> Attempt:
    """The request by which the verb is taken at the door."""
    by = states.person(house, WHO.get(row.verb, "olivia"))
    file, why = removal.file, {"reason": "A password is in it."}
    verb = row.verb.removesuffix(" own").removesuffix(" other")
    if row.door == "admin":
        address = reverse("admin:evidence_spillremoval_change", args=[removal.pk])
        return Attempt(by, address, {"state": "approved"})
    if row.door == "page":
        address = reverse("evidence:removal_decide", args=[removal.uuid])
        body = {"decision": verb}
        if verb == "ask":
            address, body = reverse("evidence:removal_new", args=[file.uuid]), why
        return Attempt(by, address, body)
    if verb == "ask":
        return Attempt(by, f"/api/v1/files/{file.uuid}/remove/", why, api=True)
    return Attempt(by, f"/api/v1/removals/{removal.uuid}/{verb}/", {}, api=True)


def state_of(removal: SpillRemoval) -> str:
    removal.refresh_from_db()
    link = removal.file.revision.links.get()
    words = [removal.state, link.state]
    newest = SpillRemoval.objects.latest("pk")
    if newest != removal:
        words.append(f"new {newest.state}")
    return ", ".join(words)


@pytest.mark.parametrize("row", rows_of(TABLE))
def test_what_each_verb_of_a_removal_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        partial(states.removal, house),
        partial(attempt, house),
        state_of,
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])
