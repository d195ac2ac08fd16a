"""Telling people what waits for them: found, kept once, mailed in digests."""
