"""Pages; each asks one question and shows one answer."""
