"""People are told what they have to know: once, then reminded until it is settled."""
