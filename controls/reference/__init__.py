"""Facts that ship with the product: catalog, baselines, readings, services."""
