"""How much a run does: so much that the slower broker needs the wanted time, within bounds of bytes."""

BYTES_MAX = 1_500_000_000
BYTES_QUICK_MAX = 300_000_000
LABELS = {100: "100B", 1024: "1KB"}


def records_for(rate: float, seconds: float, size: int, quick: bool) -> int:
    """Records that take `seconds` at `rate` per second, in thousands."""
    most = (BYTES_QUICK_MAX if quick else BYTES_MAX) // size
    return max(1000, int(min(rate * seconds, most)) // 1000 * 1000)


def throughput_unit(size: int) -> tuple[str, float]:
    """In what a throughput is shown, and records per second in one of it."""
    return ("M msg/s", 1e6) if size < 1000 else ("MB/s", 1e6 / size)
