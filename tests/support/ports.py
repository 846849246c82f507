"""Ports for servers that have to be told one before they start."""

import errno
import random
import socket

# Below those that the kernel gives to outgoing connections (32768 and up): one of those may be taken between this look and the start of
# a server, by any connection of any test. A bus port of a cluster's node, 10000 above its own, lies below them as well, and is nobody's own.
FIRST, LAST = 10_000, 19_999
BUS = 10_000
_given = set()


def is_free(port):
    try:
        socket.create_server(("127.0.0.1", port)).close()
        return True
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False


def free_port():
    """Drawn at random, so that two tests that look at the same time hardly ever find the same; none twice."""
    while (port := random.randint(FIRST, LAST)) in _given or not is_free(port):
        pass
    _given.add(port)
    return port


def free_cluster_port():
    """One whose bus port is free, too."""
    while not is_free((port := free_port()) + BUS):
        pass
    return port
