"""A SAML identity provider for tests: its keys are made as they run.

`response()` makes what a provider would send, `signed()` signs it by xmlsec; tests
spoil it in between, or afterwards.
"""

from __future__ import annotations

import base64
import copy
import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from xml.sax.saxutils import escape

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree

from controls import clock

ISSUER = "https://idp.example/saml"
SIGN_IN = "https://idp.example/sso"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
SPACES = {
    "p": "urn:oasis:names:tc:SAML:2.0:protocol",
    "a": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
RESPONSE = """
<samlp:Response xmlns:samlp="{p}" xmlns:saml="{a}" ID="{response_id}" Version="2.0"
    IssueInstant="{now}" Destination="{destination}" InResponseTo="{asked}">
  <saml:Issuer>{response_issuer}</saml:Issuer>
  <samlp:Status><samlp:StatusCode Value="{status}"/></samlp:Status>
  <saml:Assertion ID="{assertion_id}" Version="2.0" IssueInstant="{now}">
    <saml:Issuer>{issuer}</saml:Issuer>
    <saml:Subject>
      <saml:NameID Format="{format}">{subject}</saml:NameID>
      <saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
        <saml:SubjectConfirmationData Recipient="{recipient}" NotOnOrAfter="{ends}"
            InResponseTo="{confirmed}"/>
      </saml:SubjectConfirmation>
    </saml:Subject>
    <saml:Conditions NotBefore="{begins}" NotOnOrAfter="{ends}">
      <saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience>
      </saml:AudienceRestriction>
    </saml:Conditions>
    <saml:AuthnStatement AuthnInstant="{now}" SessionIndex="s">
      <saml:AuthnContext>
        <saml:AuthnContextClassRef>{context}</saml:AuthnContextClassRef>
      </saml:AuthnContext>
    </saml:AuthnStatement>
    <saml:AttributeStatement>{attributes}</saml:AttributeStatement>
  </saml:Assertion>
</samlp:Response>
"""


def tag(space: str, name: str) -> str:
    """The name of an element as lxml has it."""
    return f"{{{SPACES[space]}}}{name}"


def stamp(seconds: float = 0) -> str:
    """An instant, from now."""
    instant = clock.now() + dt.timedelta(seconds=seconds)
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def assertion_of(response: Any) -> Any:
    """The first assertion below a response."""
    return response.find("a:Assertion", SPACES)


def signature_of(element: Any) -> Any:
    return element.find("ds:Signature", SPACES)


def packed(response: Any) -> str:
    """As a browser brings it."""
    text = response if isinstance(response, bytes) else etree.tostring(response)
    return base64.b64encode(text).decode()


@dataclass
class SamlProviderOfTests:
    """One provider with a key that no other has."""

    address: str
    audience: str
    bits: int = 2048

    @cached_property
    def key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=self.bits)

    @cached_property
    def certificate(self) -> str:
        """As PEM, of the settings."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.example")])
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(clock.now() - dt.timedelta(days=1))
            .not_valid_after(clock.now() + dt.timedelta(days=365))
            .sign(self.key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM).decode()

    def response(
        self,
        asked: str,
        subject: str,
        attributes: Mapping[str, Sequence[str]] | None = None,
        **changed: str,
    ) -> Any:
        """What is sent for a request, not signed yet."""
        rows = "".join(
            f'<saml:Attribute Name="{name}">'
            + "".join(
                f"<saml:AttributeValue>{escape(value)}</saml:AttributeValue>"
                for value in values
            )
            + "</saml:Attribute>"
            for name, values in (attributes or {"email": [""]}).items()
        )
        facts = {
            **{name: SPACES[name] for name in ("p", "a")},
            "response_id": f"_{secrets.token_hex(16)}",
            "assertion_id": f"_{secrets.token_hex(16)}",
            "now": stamp(),
            "begins": stamp(-30),
            "ends": stamp(300),
            "destination": self.address,
            "recipient": self.address,
            "audience": self.audience,
            "asked": asked,
            "confirmed": changed.get("asked", asked),
            "issuer": ISSUER,
            "response_issuer": changed.get("issuer", ISSUER),
            "status": "urn:oasis:names:tc:SAML:2.0:status:Success",
            "format": PERSISTENT,
            "context": PASSWORD,
            "attributes": rows,
        }
        text = RESPONSE.format(**facts | {"subject": subject} | changed)
        return etree.fromstring(text.strip())

    def sign(self, element: Any, *, digest: str = "sha256", method: str = "") -> None:
        """Sign an element as a whole, below its issuer; with the certificate beside."""
        kinds = {
            "sha1": (xmlsec.Transform.RSA_SHA1, xmlsec.Transform.SHA1),
            "sha256": (xmlsec.Transform.RSA_SHA256, xmlsec.Transform.SHA256),
            "sha512": (xmlsec.Transform.RSA_SHA512, xmlsec.Transform.SHA512),
        }
        made, hashed = kinds[method or digest][0], kinds[digest][1]
        signature = xmlsec.template.create(
            element, xmlsec.Transform.EXCL_C14N, made, ns="ds"
        )
        element.find("a:Issuer", SPACES).addnext(signature)
        reference = xmlsec.template.add_reference(
            signature, hashed, uri=f"#{element.get('ID')}"
        )
        xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
        xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
        xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
        xmlsec.tree.add_ids(element, ["ID"])
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(self._pem(), xmlsec.KeyFormat.PEM, None)
        context.key.load_cert_from_memory(
            self.certificate.encode(), xmlsec.KeyFormat.CERT_PEM
        )
        context.sign(signature)

    def signed(self, response: Any, *, whole: bool = False, **how: str) -> Any:
        """The response with a signed assertion, and signed itself where `whole`."""
        self.sign(assertion_of(response), **how)
        if whole:
            self.sign(response, **how)
        return etree.fromstring(etree.tostring(response))

    def _pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


# --- signature wrapping -----------------------------------------------------------


def _evil(element: Any, subject: str, same_id: bool) -> Any:
    """A copy about somebody else, without signatures."""
    evil = copy.deepcopy(element)
    for signature in list(evil.iter(tag("ds", "Signature"))):
        signature.getparent().remove(signature)
    for name in evil.iter(tag("a", "NameID")):
        name.text = subject
    if not same_id:
        evil.set("ID", f"_{secrets.token_hex(16)}")
    return evil


def wrapped(response: Any, kind: int, subject: str, *, same_id: bool = False) -> Any:
    """A signed response (for 1 and 2 the whole is signed) wrapped in one of the eight
    ways of "On Breaking SAML: Be Whoever You Want to Be" (USENIX Security 2012)."""
    original = copy.deepcopy(response)
    if kind in {1, 2}:
        evil = _evil(original, subject, same_id)
        signature = signature_of(original)
        original.remove(signature)
        evil.find("a:Issuer", SPACES).addnext(signature)
        if kind == 1:
            signature.append(original)
        else:
            signature.addprevious(original)
        return evil
    assertion = assertion_of(original)
    evil = _evil(assertion, subject, same_id)
    if kind == 3:
        assertion.addprevious(evil)
        return original
    if kind in {4, 5, 6, 8}:
        assertion.addprevious(evil)
        original.remove(assertion)
    if kind == 4:
        evil.append(assertion)
    if kind == 5:
        signature = signature_of(assertion)
        assertion.remove(signature)
        evil.find("a:Issuer", SPACES).addnext(signature)
        original.append(assertion)
    if kind in {6, 8}:
        signature = signature_of(assertion)
        assertion.remove(signature)
        evil.find("a:Issuer", SPACES).addnext(signature)
        place = signature
        if kind == 8:
            place = etree.SubElement(signature, tag("ds", "Object"))
        place.append(assertion)
    if kind == 7:
        extensions = etree.Element(tag("p", "Extensions"))
        original.find("a:Issuer", SPACES).addnext(extensions)
        extensions.append(evil)
    return original
