"""``orderdrop doctor``: one look at everything, in plain words; and a bundle for whoever helps."""

from pipeline.doctor.bundle import write_bundle
from pipeline.doctor.examine import examine

__all__ = ["examine", "write_bundle"]
