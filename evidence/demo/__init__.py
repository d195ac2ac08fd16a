"""A plausible company, built in its own past so that every screen has content."""
