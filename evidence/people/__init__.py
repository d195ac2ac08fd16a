"""People of a system: who holds which role, who is missing, what leavers leave."""
