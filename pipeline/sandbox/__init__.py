"""The four targets, simulated by their documents, with dials for bad weather."""

from __future__ import annotations

from pipeline.sandbox.contract import SimulatedTarget


def all_targets() -> tuple[SimulatedTarget, ...]:
    """All four simulated targets, empty and fresh, with their documented defaults."""
    from pipeline.sandbox.influencersoft import SimulatedInfluencerSoft
    from pipeline.sandbox.kapture import SimulatedKapture
    from pipeline.sandbox.keap import SimulatedKeap
    from pipeline.sandbox.orderdesk import SimulatedOrderDesk

    return (
        SimulatedOrderDesk(),
        SimulatedKeap(expired_keys=("expired-key",), powerless_keys=("no-rights-key",)),
        SimulatedInfluencerSoft(odd_keys={"not-enabled-key": 8, "old-generation-key": 1}),
        SimulatedKapture(expired_keys=("expired-key",)),
    )


KEYS_TO_TRY = {
    "expired-key": "Keap, Kapture",
    "no-rights-key": "Keap",
    "not-enabled-key": "InfluencerSoft",
    "old-generation-key": "InfluencerSoft",
}
"""Keys that show how a target refuses, and where; any other unknown key is a bad one."""
