"""The few statistics that the comparison needs."""


def percentile(values, share):
    """The value below which `share` (0…1) of them lie, interpolated between neighbours; None without values."""
    if not 0 <= share <= 1:
        raise ValueError(f"share {share} is not in 0…1")
    ordered = sorted(values)
    if not ordered:
        return None
    position = share * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def median(values):
    return percentile(values, 0.5)


def median_ratio(ours, theirs):
    """Median of the ratios ours/theirs taken round by round (rounds of one index ran next to each other); rounds that one of
    the two lacks, and zeros below the line, do not count. None when no round is left."""
    ratios = [a / b for a, b in zip(ours, theirs) if a is not None and b]
    return median(ratios)
