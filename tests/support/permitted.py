"""What each algorithm permits: its configuration, and the most that may have passed, as functions of points in time (seconds
since the epoch, by the clock that Redis has too)."""

import math

DAY = 86400
SHARDS = 4
LAST_MOMENT = 0.5  # what a window permits that began later than this before the end need not have been used


class Permitted:
    """One limit under overload, which begins at a moment when nothing has been asked of it."""

    def __init__(self, name, words, within, since, used=None):
        self.name, self.words = name, words
        self.within = within      # (begin, end): the most that may be decided in any such interval
        self.since = since        # (begin, end): the most since the first request, asked at `begin` or later
        self.used = used or since  # (begin, end): what demand without end makes of it

    def first_excess(self, begin, stamps, delay):
        """A sentence about the first interval in which more arrived than was permitted, or None. `stamps`, ascending, are
        arrivals at the upstream, each up to `delay` after its decision."""
        for count, stamp in enumerate(stamps, 1):
            if count > self.since(begin, stamp):
                return f"{count} within the first {stamp - begin:.3f} s, permitted {self.since(begin, stamp):.1f}"
        for first, start in enumerate(stamps):
            for count, stamp in enumerate(stamps[first:], 1):
                if count > self.within(start - delay, stamp):
                    return f"{count} within {stamp - start:.3f} s, permitted {self.within(start - delay, stamp):.1f}"
        return None

    def worst_excess(self, begin, stamps, delay):
        """By how much the arrivals of any interval exceeded what was permitted in it. `begin` and `delay` as in first_excess: what has
        arrived since `begin` was decided since then, however long it took, so that no delay is allowed for there."""
        if not stamps:
            return 0
        since = max(count - self.since(begin, stamp) for count, stamp in enumerate(stamps, 1))
        within = max(count - self.within(start - delay, stamp)
                     for first, start in enumerate(stamps) for count, stamp in enumerate(stamps[first:], 1))
        return max(since, within)


def _spread(window):
    """Windows of the clock that an interval touches."""
    return lambda begin, end: math.floor(end / window) - math.floor(begin / window) + 1


def token_bucket(limit, window):
    def most(begin, end):
        return limit + limit * (end - begin) / window
    return Permitted("token bucket", f"token_bucket: {{capacity: {limit}, refill: {limit}/{window}s}}", most, most)


def periodic_bucket(limit, window):
    def most(begin, end):  # periods begin with the first charge, at a whole millisecond before it
        return limit + limit // 2 * math.floor((end - begin + 0.001) / window)
    return Permitted("token bucket, periodic",
                     f"token_bucket: {{capacity: {limit}, refill: {limit // 2}/{window}s, replenish: periodic}}",
                     lambda begin, end: most(begin, end) + limit // 2, most)


def fixed_window(limit, window):
    def most(begin, end):
        return limit * (math.floor((end - begin + 0.001) / window) + 1)
    return Permitted("fixed window", f"fixed_window: {{limit: {limit}, window: {window}s}}",
                     lambda begin, end: most(begin, end) + limit, most)


def clock_window(limit, window):
    touched = _spread(window)

    def most(begin, end):
        return limit * touched(begin, end)
    return Permitted("fixed window of the clock", f"fixed_window: {{limit: {limit}, window: {window}s, align: clock}}", most, most,
                     lambda begin, end: most(begin, end - LAST_MOMENT))


def calendar_window(limit, _):
    touched = _spread(DAY)
    return Permitted("fixed window, days", f"fixed_window: {{limit: {limit}, calendar: day, time_zone: UTC}}",
                     *[lambda begin, end: limit * touched(begin, end)] * 2)


def sliding_window(limit, window, segments=5):
    touched = _spread(window / segments)

    def most(begin, end):
        return limit * math.ceil(touched(begin, end) / segments)
    return Permitted("sliding window", f"sliding_window: {{limit: {limit}, window: {window}s, segments: {segments}}}", most, most,
                     lambda begin, end: most(begin, end - LAST_MOMENT))


def sliding_counter(limit, window, shards=1):
    def paces(begin, end):  # windows' worth of time since the first of the clock's ended
        return max(0, end - (math.floor(begin / window) + 1) * window) / window

    def since(begin, end):  # all of it in the first window, then as the past one's weight goes down
        return limit + limit * paces(begin, end)

    def used(begin, end):  # the weight is rounded up: the last permit of each shard only fits when its window is over
        return limit + (limit - shards) * paces(begin, end) - shards
    return Permitted("sliding window counter", f"sliding_window_counter: {{limit: {limit}, window: {window}s}}",
                     lambda begin, end: limit + limit * (end - begin) / window, since, used)


def sliding_log(limit, window):
    def most(begin, end):
        return limit * (math.floor((end - begin) / window) + 1)
    return Permitted("sliding log", f"sliding_log: {{limit: {limit}, window: {window}s}}", most, most)


def named(permitted, name, words):
    """The same limit with further words, which change nothing of what it permits."""
    return Permitted(name, f"{permitted.words}, {words}", permitted.within, permitted.since, permitted.used)


ALGORITHMS = (token_bucket, periodic_bucket, fixed_window, clock_window, calendar_window, sliding_window, sliding_counter, sliding_log)


def all_forms(limit, window):
    """Every algorithm, and what may be leased or divided so too."""
    plain = [each(limit, window) for each in ALGORITHMS]
    leased = [named(each(limit, window), f"{each(limit, window).name}, leased", "precision: leased") for each in (token_bucket, fixed_window)]
    divided = [each(limit, window) for each in ALGORITHMS if each not in (calendar_window, sliding_counter)]
    divided.append(sliding_counter(limit, window, SHARDS))
    return plain + leased + [named(each, f"{each.name}, {SHARDS} shards", f"shards: {SHARDS}") for each in divided]
