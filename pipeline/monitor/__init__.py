"""How the watch shows that it is well: metrics and health over HTTP, and word to systemd."""

from pipeline.monitor.attended import attended

__all__ = ["attended"]
