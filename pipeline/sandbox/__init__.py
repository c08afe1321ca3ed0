"""The four targets, simulated by their documents, with dials for bad weather."""
