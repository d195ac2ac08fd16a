"""Failing observations, findings, and what second persons decide about them."""
