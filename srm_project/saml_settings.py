"""Single sign-on by SAML 2.0, from the environment (AZ-05): who is trusted for what."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.exceptions import ImproperlyConfigured

from srm_project.sign_on_settings import (
    RoleOfGroup,
    origin_of,
    roles_of_groups,
    secure,
)

PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
MAX_CERTIFICATES = 2  # the one in use, and the next
MIN_RSA_BITS = 2048
MAX_ISSUER_LENGTH = 200  # characters, of the column
PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
LIBRARIES = ("onelogin", "xmlsec")


@dataclass(frozen=True)
class SamlProvider:
    """The one identity provider of the installation, where it speaks SAML.

    `issuer` is what it calls itself; only the keys of `certificates` (PEM) sign for it.
    `address` is where it sends people back to, `audience` what it calls us.
    `second_factors` are authentication contexts by which it says that the person showed
    a second factor; `link_by_email` lets the address in `email_attribute` name the
    account that a person has here already.
    """

    issuer: str
    sso_url: str
    certificates: tuple[str, ...]
    name: str
    address: str
    audience: str
    name_id_format: str
    subject_attribute: str
    email_attribute: str
    groups_attribute: str
    roles: tuple[RoleOfGroup, ...]
    second_factors: frozenset[str]
    link_by_email: bool
    signed_responses: bool

    @property
    def origin(self) -> str:
        """Scheme, host and port of its sign-in page."""
        return origin_of(self.sso_url)


def saml_provider(
    *,
    issuer: str,
    sso_url: str,
    certificates: str,
    name: str,
    address: str,
    audience: str,
    name_id_format: str,
    subject_attribute: str,
    email_attribute: str,
    groups_attribute: str,
    roles: str,
    second_factors: str,
    link_by_email: bool,
    signed_responses: bool,
) -> SamlProvider | None:
    """The provider that the settings name; None where SAML_ISSUER is empty.

    Lists are divided by blanks; `roles` is JSON. Raises ImproperlyConfigured.
    """
    if not issuer:
        return None
    if len(issuer) > MAX_ISSUER_LENGTH:
        raise ImproperlyConfigured("SAML_ISSUER has 200 characters at most.")
    if not secure(sso_url):
        raise ImproperlyConfigured(
            "SAML_SIGN_IN_ADDRESS is the https:// address of the provider that takes"
            " requests by redirect."
        )
    if name_id_format == TRANSIENT:
        raise ImproperlyConfigured(
            "SAML_NAME_ID_FORMAT is transient: such a name is another one at each"
            " sign-in. Name an attribute in SAML_SUBJECT_ATTRIBUTE instead."
        )
    if link_by_email and not email_attribute:
        raise ImproperlyConfigured("SAML_LINK_BY_EMAIL=yes needs SAML_EMAIL_ATTRIBUTE.")
    if any(find_spec(library) is None for library in LIBRARIES):
        raise ImproperlyConfigured(
            "SAML_ISSUER needs what requirements-saml.txt lists: pip install"
            " --require-hashes -r requirements-saml.txt"
        )
    return SamlProvider(
        issuer=issuer,
        sso_url=sso_url,
        certificates=_certificates(certificates),
        name=name,
        address=address,
        audience=audience,
        name_id_format=name_id_format or PERSISTENT,
        subject_attribute=subject_attribute,
        email_attribute=email_attribute,
        groups_attribute=groups_attribute,
        roles=roles_of_groups(roles, "SAML_ROLES"),
        second_factors=frozenset(second_factors.split()),
        link_by_email=link_by_email,
        signed_responses=signed_responses,
    )


def _certificates(text: str) -> tuple[str, ...]:
    """Each as PEM. An end that is over does not count: the key is what is trusted."""
    blocks = PEM.findall(text)
    if not 1 <= len(blocks) <= MAX_CERTIFICATES:
        raise ImproperlyConfigured(
            "SAML_CERTIFICATES has the certificate that the provider signs with, as"
            " PEM, or two of them while it changes its key."
        )
    return tuple(_certificate(block) for block in blocks)


def _certificate(block: str) -> str:
    try:
        certificate = x509.load_pem_x509_certificate(block.encode())
        key = certificate.public_key()
    except ValueError:
        raise ImproperlyConfigured(
            "SAML_CERTIFICATES holds something that is no certificate."
        ) from None
    strong = isinstance(key, ec.EllipticCurvePublicKey) or (
        isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS
    )
    if not strong:
        raise ImproperlyConfigured(
            "SAML_CERTIFICATES: the key is RSA with 2048 bits or more, or of an"
            " elliptic curve."
        )
    return certificate.public_bytes(Encoding.PEM).decode()
