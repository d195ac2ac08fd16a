"""Names that people read for what programs know by a code. Pure.

Services and their variants have their names in the database: `controls.service_names`.
The names of choices of models are the labels of those choices; what the pure rules say
in sentences is repeated here, and a test holds the two equal.
"""

from __future__ import annotations

LAYERS = {
    "facilities": "Facilities",
    "hardware": "Hardware",
    "network": "Network",
    "virtualization": "Virtualization",
    "host-os": "Host operating system",
    "guest-os": "Guest operating system",
    "platform": "Platform",
    "application": "Application",
    "firewall": "Firewall",
    "data-zoning": "Data zoning",
    "traffic-protection": "Traffic protection",
    "server-side-encryption": "Server-side encryption",
    "client-side-encryption": "Client-side encryption",
    "identity": "Identity",
    "customer-data": "Customer data",
    "people": "People",
    "programme": "Programme",
    "end-user-device": "End-user device",
    "service-configuration": "Service configuration",
    "managed-recovery": "Managed recovery",
    "dns-service": "DNS service",
    "certificate-service": "Certificate service",
    "log-service": "Log service",
    "remote-entry": "Remote entry",
}
PARTIES = {"aws": "AWS", "customer": "customer", "third-party": "third party"}
REGIMES = {
    "fedramp": "FedRAMP",
    "soc2": "SOC 2",
    "pci": "PCI DSS",
    "iso": "ISO 27001",
    "hipaa": "HIPAA",
    "none": "no regime",
}
IMPACT_LEVELS = {
    "li-saas": "LI-SaaS",
    "low": "Low",
    "moderate": "Moderate",
    "high": "High",
}
IMPLEMENTATION_STATUSES = {
    "not-stated": "not stated",
    "implemented": "implemented",
    "partial": "partially implemented",
    "planned": "planned",
    "alternative": "an alternative implementation",
    "not-applicable": "not applicable",
}


def layer_name(code: str) -> str:
    """The name of a layer; a code that no table knows, with its hyphens as spaces."""
    return LAYERS.get(code) or code.replace("-", " ").capitalize()
