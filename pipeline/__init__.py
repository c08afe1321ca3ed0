"""orderdrop: order exports dropped into a folder arrive at their targets, once each.

The story is told by :mod:`pipeline.run`; the nouns are in :mod:`pipeline.model`.
"""

__version__ = "0.1.0"
