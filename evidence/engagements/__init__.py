"""Engagements: where an audit stands, what is new, what its auditors marked."""
