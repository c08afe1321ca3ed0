"""Rows of text become typed columns, by the rules of one YAML file."""
