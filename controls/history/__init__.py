"""Two clocks: twins that keep what rows said before, and since when they say it."""
