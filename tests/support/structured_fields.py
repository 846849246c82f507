"""Reads the lists of strings with parameters that RateLimit and RateLimit-Policy are (RFC 9651), and nothing laxer."""

import re

STRING = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
PARAMETER = re.compile(r';([a-z*][a-z0-9_.*-]*)=(-?[0-9]{1,15}(?![0-9.])|"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"|:[A-Za-z0-9+/]*={0,2}:)')


def parse_list(text):
    """[(name, {parameter: value})]; raises AssertionError where the text is not in canonical form."""
    members, position = [], 0
    while True:
        match = STRING.match(text, position)
        if not match:
            raise AssertionError(f"no string at {position} of {text!r}")
        name, parameters, position = re.sub(r"\\(.)", r"\1", match[1]), {}, match.end()
        while match := PARAMETER.match(text, position):
            value = match[2]
            parameters[match[1]] = int(value) if value[0] not in '":' else value[1:-1]
            position = match.end()
        members.append((name, parameters))
        if position == len(text):
            return members
        if not text.startswith(", ", position):
            raise AssertionError(f"no member ends at {position} of {text!r}")
        position += 2
