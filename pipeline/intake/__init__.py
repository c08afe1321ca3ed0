"""A file arrives: settled, claimed by an atomic rename, fingerprinted."""
