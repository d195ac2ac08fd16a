"""Chaos: parts are killed and spoiled under load, and nothing acknowledged is lost."""
