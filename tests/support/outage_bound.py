"""What docs/outages.md says a fleet may admit beyond a limit, in numbers."""

LONGEST_PAUSE = 5.0  # seconds between two tries to connect


def bound(limit, rate, gateways, apart):
    """Beyond the limit, over any interval that an outage touches. `rate`: permits a second; `apart`: seconds between the first gateway and
    the last to lose Redis, and to find it."""
    return entry(limit, gateways) + (gateways - 1) / gateways * (limit + rate * apart)


def entry(limit, gateways):
    """At the beginning: half of its share for each, rounded up."""
    return (limit + gateways) / 2


def lost(limit, handed_over):
    """If Redis has come back empty: what it had charged, less what was charged anew."""
    return max(0, limit - handed_over)
