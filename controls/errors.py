"""Refusals a person can understand. Forms, pages and the API all show them."""

from django.core.exceptions import ValidationError


class SrmError(ValidationError):
    """The family; `status_code` is what the API answers."""

    status_code = 400


class Refused(SrmError):
    """The input cannot be accepted as it is."""


class TransitionNotAllowed(SrmError):
    """The stored state does not permit this step, or somebody was first."""

    status_code = 409


class StaleVersion(SrmError):
    """The row changed since the form was opened."""

    status_code = 409


class NotPermitted(SrmError):
    """The person may see the object but not do this."""

    status_code = 403


class UnknownLink(SrmError):
    """A link from a mail is wrong, used, too old or another person's; never which."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__(
            "This link does not count: it was used or withdrawn, is too old, or belongs"
            " to another account. Sign in to the account it is for, or ask again."
        )


class LinkOver(SrmError):
    """A link from a mail was good and counts no more; the sentence says why."""

    status_code = 410
