"""What a gateway's log says of Redis, and when."""

import datetime


def lines_about_redis(gateway):
    """(seconds since the epoch, cut to milliseconds; whether it is a warning; text) of each line."""
    lines = [line.split(" ", 2) for line in gateway.stderr.splitlines()]
    return [(datetime.datetime.strptime(line[0], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp(), line[1] != "info", line[2])
            for line in lines if len(line) == 3 and "redis" in line[2].lower()]


def outage_of(gateway, since):
    """(when it was said first that something is wrong, when that it is over), after `since`."""
    lines = [each for each in lines_about_redis(gateway) if each[0] >= since - 0.001]
    lost = next(when for when, is_warning, _ in lines if is_warning)
    return lost, next(when for when, is_warning, _ in lines if when >= lost and not is_warning)
