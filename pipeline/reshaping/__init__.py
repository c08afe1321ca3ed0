"""Rows that hold several lines become parts, one line each; every part leads back to the row and cell it came from."""

from pipeline.reshaping.unfold import Unfolding, unfolding

__all__ = ["Unfolding", "unfolding"]
