"""Headers of the PROXY protocol, as a load balancer writes them in front of a connection."""

import ipaddress

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def version_1(source, destination="192.0.2.80", ports=(56324, 443)):
    family = "TCP6" if ":" in source else "TCP4"
    if family == "TCP6" and ":" not in destination:
        destination = "2001:db8::80"
    return f"PROXY {family} {source} {destination} {ports[0]} {ports[1]}\r\n".encode()


def block(command, family, rest=b"", length=None):
    """Version 2 with exactly these bytes behind the fixed part."""
    return SIGNATURE + bytes([command, family]) + (len(rest) if length is None else length).to_bytes(2, "big") + rest


def extension(kind, value):
    return bytes([kind]) + len(value).to_bytes(2, "big") + value


def addresses(source, ports=(56324, 443)):
    packed = ipaddress.ip_address(source).packed
    return packed + bytes(len(packed)) + b"".join(port.to_bytes(2, "big") for port in ports)


def version_2(source, extensions=b"", checksum=False):
    family = 0x21 if ":" in source else 0x11
    rest = addresses(source) + extensions
    return (with_checksum if checksum else block)(0x21, family, rest)


def with_checksum(command, family, rest):
    header = block(command, family, rest + extension(3, bytes(4)))
    return header[:-4] + crc32c(header).to_bytes(4, "big")


def crc32c(data):
    remainder = 0xFFFFFFFF
    for byte in data:
        remainder ^= byte
        for _ in range(8):
            remainder = remainder >> 1 ^ (0x82F63B78 if remainder & 1 else 0)
    return remainder ^ 0xFFFFFFFF
