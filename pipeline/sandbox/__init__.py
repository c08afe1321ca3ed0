"""The four targets, simulated by their documents, with dials for bad weather."""

from __future__ import annotations

from pipeline.sandbox.contract import SimulatedTarget


def all_targets() -> tuple[SimulatedTarget, ...]:
    """All four simulated targets, empty and fresh, with their documented defaults."""
    from pipeline.sandbox.influencersoft import SimulatedInfluencerSoft
    from pipeline.sandbox.kapture import SimulatedKapture
    from pipeline.sandbox.keap import SimulatedKeap
    from pipeline.sandbox.orderdesk import SimulatedOrderDesk

    return (SimulatedOrderDesk(), SimulatedKeap(), SimulatedInfluencerSoft(), SimulatedKapture())
