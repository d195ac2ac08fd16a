"""The scope of a report by a list over the API: what each line means, confirmed."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from controls.reference.aws_names import MAX_LIST_TEXT, NameMeaning
from evidence.artifacts.scope import ScopeProposal

HOW = [("add", "Add to the scope"), ("replace", "Make the list the whole of it")]


class ScopeListSerializer(serializers.Serializer[Any]):
    """Names, one a line; `replace` makes the list the whole of what it names."""

    text = serializers.CharField(max_length=MAX_LIST_TEXT, trim_whitespace=False)
    how = serializers.ChoiceField(choices=HOW, default="add")


class ListedNameSerializer(serializers.Serializer[Any]):
    """A name, the line it stands on (from 1), and the slug or region it means."""

    line = serializers.IntegerField()
    text = serializers.CharField()
    means = serializers.CharField()


class UnmatchedNameSerializer(serializers.Serializer[Any]):
    """A name that means nothing of ours; `candidates` are slugs it may mean."""

    line = serializers.IntegerField()
    text = serializers.CharField()
    sentence = serializers.CharField()
    candidates = serializers.ListField(child=serializers.CharField())


class ScopePartsSerializer(serializers.Serializer[Any]):
    """Slugs of services, codes of regions, names of sites; "*" is all."""

    services = serializers.ListField(child=serializers.CharField())
    regions = serializers.ListField(child=serializers.CharField())
    sites = serializers.ListField(child=serializers.CharField())


class ScopeProposalSerializer(serializers.Serializer[Any]):
    """What the scope would be; `token` confirms it once within an hour."""

    matched = ListedNameSerializer(many=True)
    unmatched = UnmatchedNameSerializer(many=True)
    before = ScopePartsSerializer()
    after = ScopePartsSerializer()
    token = serializers.CharField()


class ScopeConfirmSerializer(serializers.Serializer[Any]):
    """What the preview answered with; `also`: services out of its candidates."""

    token = serializers.CharField()
    also = serializers.ListField(
        child=serializers.CharField(), required=False, default=list
    )


def proposal_body(proposal: ScopeProposal, token: str) -> dict[str, Any]:
    """What `ScopeProposalSerializer` writes of a proposal."""
    return {
        "matched": [
            {"line": row.name.line, "text": row.name.text, "means": _means(row)}
            for row in proposal.matched
        ],
        "unmatched": [
            {
                "line": row.name.line,
                "text": row.name.text,
                "sentence": row.sentence,
                "candidates": [service.slug for service in row.candidates],
            }
            for row in proposal.unmatched
        ],
        "before": proposal.before,
        "after": proposal.after,
        "token": token,
    }


def _means(meaning: NameMeaning) -> str:
    return meaning.service.slug if meaning.service else meaning.region
