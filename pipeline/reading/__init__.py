"""Bytes become rows of text with true row numbers."""
