"""A child that cannot become ready."""

FUNCTIONS: dict[str, object] = {}


def warm() -> None:
    """As when an engine cannot be built."""
    raise SystemExit(3)
