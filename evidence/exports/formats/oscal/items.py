"""What an auditor will ask about in a window, as observations with what the company
answers (R36): each says of how much it is answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from controls.service_names import display_names
from evidence.exports.formats.oscal.head import DocumentHead
from evidence.exports.formats.oscal.texts import lines, one_line, prop
from evidence.exports.formats.oscal.writing import Node, start_of
from evidence.exports.rows.answers import answer_in_words
from evidence.exports.rows.status_rows import periods_of
from evidence.findings.item_answers import ItemAnswer, answers_by_control


def answers_of(head: DocumentHead) -> Mapping[int, Sequence[ItemAnswer]]:
    """The items of the controls that a scope means, by key, with their responses."""
    scope = head.scope
    periods = periods_of(scope.answers())
    return answers_by_control(periods, scope.moment, display_names())


def item_observations(
    head: DocumentHead, controls: Mapping[int, str]
) -> Iterator[Node]:
    """One for each item of the controls, in the catalog's order."""
    answers = answers_of(head)
    for key, ref_id in controls.items():
        for row in answers.get(key, ()):
            yield _observation(head, ref_id, row)


def _observation(head: DocumentHead, ref_id: str, row: ItemAnswer) -> Node:
    item, of = row.item, head.names.of
    about = f"{item.title}, {item.starts} to {item.ends}"
    return {
        "uuid": of("window-item", ref_id, item.key),
        "title": one_line(f"{row.kind_name}: {about}"),
        "description": lines(f"{ref_id.upper()}: {about}; {item.extent.words}."),
        "props": [
            prop("control-id", ref_id),
            prop("item-kind", item.kind),
            prop("counted", row.counted),
            prop("answered-for", row.answered_of),
            prop("answered", "yes" if row.is_answered else "no"),
        ],
        "methods": ["UNKNOWN"],
        "subjects": [{"subject-uuid": of("component", "this-system"),
                      "type": "component"}],
        "collected": start_of(head.scope.system, min(item.ends, head.scope.moment.on)),
        "remarks": lines(answer_in_words(row)),
    }  # fmt: skip
