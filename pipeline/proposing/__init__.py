"""A sample file becomes a proposed mapping: columns matched to fields by header, known layouts and content."""
