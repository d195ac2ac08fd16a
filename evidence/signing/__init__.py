"""Signatures by which what leaves the house is known to come from it."""
