"""A process of its own that stores one piece of evidence, to be killed on the way.

`python -m tests.evidence.storing_child REQUIREMENT USER TEXT`, both primary keys.
"""

from __future__ import annotations

import sys

import django


def main(requirement: str, user: str, text: str) -> None:
    """Submit the text as alice's form would."""
    django.setup()
    from controls.models import User
    from evidence.models import RequirementControl
    from tests.evidence.house import submitted_as_it_comes

    asked = RequirementControl.objects.get(pk=requirement)
    submitted_as_it_comes(asked, User.objects.get(pk=user), text)


if __name__ == "__main__":
    main(*sys.argv[1:])
