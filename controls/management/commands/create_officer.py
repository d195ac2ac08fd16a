"""Make the first officer of the installation, who describes systems."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Any, NoReturn

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from controls.installation_roles import make_first_roles, officer_needed
from controls.models import InstallationRole, InstallationRoleName, User

REFUSED, WRONG_USE = 1, 2
MAX_TRIES = 3  # times a password may be mistyped
PASSWORD_VARIABLE = "SRM_OFFICER_PASSWORD"  # noqa: S105 - the name of a variable
HOW = "Make the first officer: manage.py create_officer EMAIL"


class Command(BaseCommand):
    """`create_officer EMAIL [--name …] [--registrar] [--another] [--no-input]`.

    Exit 1 when there is an officer already, 2 wrong use.
    """

    help = (
        "Make an account an officer of the installation: the first one, or --another."
        " An account that is there keeps its password; a new one is asked for it, or"
        f" takes it from {PASSWORD_VARIABLE} with --no-input."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose account it is, and what else it gets."""
        parser.add_argument("email", nargs="?", help="the address to sign in with")
        parser.add_argument("--name", default="", help="the name shown on pages")
        parser.add_argument(
            "--registrar",
            action="store_true",
            help="let this person keep the register of reports too",
        )
        parser.add_argument(
            "--another",
            action="store_true",
            help="make one although the installation has an officer",
        )
        parser.add_argument(
            "--no-input",
            action="store_true",
            help=f"ask nothing; without {PASSWORD_VARIABLE} a new account has no"
            " password and its owner sets one by “Forgotten your password?”",
        )
        parser.add_argument(
            "--check",
            action="store_true",
            help="make nobody; say what to do if nobody can begin, else nothing",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the officer, or say why not."""
        if options["check"]:
            if officer_needed():
                self.stdout.write(HOW)
            return
        email = self._address(options["email"])
        held = InstallationRole.objects.active()
        officer = held.filter(role=InstallationRoleName.OFFICER).order_by("pk").first()
        if officer is not None and not options["another"]:
            self._stop(
                f"The installation has an officer already ({officer.user.email}), who"
                " makes others under Admin, Roles of the installation. To make one from"
                " here all the same, say --another.",
                REFUSED,
            )
        roles = [InstallationRoleName.OFFICER.value]
        if options["registrar"]:
            roles.append(InstallationRoleName.REGISTRAR.value)
        user = User.objects.filter(email__iexact=email).first()
        password = None
        if user is None:
            password = self._password(User(email=email), ask=not options["no_input"])
        try:
            with transaction.atomic():
                user = self._account(user, email, options["name"], password)
                make_first_roles(user, *roles)
        except ValidationError as refusal:
            self._stop(" ".join(refusal.messages))
        labels = [InstallationRoleName(role).label.lower() for role in roles]
        self.stdout.write(f"{user.email} is {' and '.join(labels)} now.")

    def _address(self, email: str | None) -> str:
        if not email:
            self._stop("Say the e-mail address of the officer.")
        try:
            validate_email(email)
        except ValidationError:
            self._stop(f"“{email}” is not an e-mail address.")
        return email

    def _account(
        self, user: User | None, email: str, name: str, password: str | None
    ) -> User:
        """The person's account, with a way into the admin, where roles are given."""
        if user is None:
            return User.objects.create_user(email, password, name=name, is_staff=True)
        locked: User = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        if not locked.is_staff:
            locked.is_staff = True
            locked.save(update_fields=["is_staff"])
        return locked

    def _password(self, user: User, *, ask: bool) -> str | None:
        """A password that the settings accept; None where none is set."""
        if not ask:
            password = os.environ.get(PASSWORD_VARIABLE) or None
            if password:
                self._validate(password, user)
            return password
        if not sys.stdin.isatty():
            self._stop("No terminal to ask for a password: say --no-input.")
        for _ in range(MAX_TRIES):
            password = getpass.getpass("Password: ")
            if password != getpass.getpass("Password (again): "):
                self.stderr.write("The passwords are not the same.")
                continue
            try:
                validate_password(password, user)
            except ValidationError as refusal:
                self.stderr.write("\n".join(refusal.messages))
                continue
            return password
        self._stop("No password was set; nothing is changed.")

    def _validate(self, password: str, user: User) -> None:
        try:
            validate_password(password, user)
        except ValidationError as refusal:
            self._stop(" ".join(refusal.messages))

    def _stop(self, sentence: str, code: int = WRONG_USE) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(code)
