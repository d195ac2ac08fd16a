"""The public face of the models of `controls`."""

from controls.models.acknowledgements import DutyAcknowledgement
from controls.models.addresses import AddressChange
from controls.models.alternatives import AlternativeImplementation
from controls.models.applicability import ApplicabilityDecision, EndRequest
from controls.models.assertions import SpentAssertion
from controls.models.audit import AuditEvent
from controls.models.catalog import (
    Baseline,
    BaselineControl,
    Catalog,
    Control,
    ControlLayer,
    ControlMapping,
    ReferenceVersion,
)
from controls.models.control_texts import ControlText, ControlTextEdition
from controls.models.crosswalks import Crosswalk, CrosswalkNumber
from controls.models.decisions import (
    Basis,
    ResponsibilityDecision,
    ResponsibilityOverride,
)
from controls.models.engagements import Engagement, EngagementScope
from controls.models.group_roles import GroupRole
from controls.models.idempotency import IdempotencyKey
from controls.models.implementation_statements import ImplementationStatement
from controls.models.implementations import (
    Applicability,
    ControlImplementation,
    ImplementationStatus,
)
from controls.models.invitations import Invitation
from controls.models.people import (
    Actor,
    InstallationRole,
    InstallationRoleName,
    Membership,
    Role,
    Team,
    User,
)
from controls.models.published_services import PublishedService, ServiceImport
from controls.models.retrospect import RetrospectiveChange
from controls.models.services import Service, ServiceLayer, ServiceVariant
from controls.models.statements import ProviderDocument, ProviderStatement
from controls.models.system_terms import SystemTerms
from controls.models.systems import System, SystemComponent
from controls.models.tokens import TokenScope

__all__ = [
    "Actor",
    "AddressChange",
    "AlternativeImplementation",
    "Applicability",
    "ApplicabilityDecision",
    "AuditEvent",
    "Baseline",
    "BaselineControl",
    "Basis",
    "Catalog",
    "Control",
    "ControlImplementation",
    "ControlLayer",
    "ControlMapping",
    "ControlText",
    "ControlTextEdition",
    "Crosswalk",
    "CrosswalkNumber",
    "DutyAcknowledgement",
    "EndRequest",
    "Engagement",
    "EngagementScope",
    "GroupRole",
    "IdempotencyKey",
    "ImplementationStatement",
    "ImplementationStatus",
    "InstallationRole",
    "InstallationRoleName",
    "Invitation",
    "Membership",
    "ProviderDocument",
    "ProviderStatement",
    "PublishedService",
    "ReferenceVersion",
    "ResponsibilityDecision",
    "ResponsibilityOverride",
    "RetrospectiveChange",
    "Role",
    "Service",
    "ServiceImport",
    "ServiceLayer",
    "ServiceVariant",
    "SpentAssertion",
    "System",
    "SystemComponent",
    "SystemTerms",
    "Team",
    "TokenScope",
    "User",
]
