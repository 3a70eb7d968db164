"""Addresses that lead to this machine or its network, in every spelling; a stranger's picture is never asked there."""

from __future__ import annotations

import contextlib
import ipaddress
import socket

__all__ = ["is_inside", "leads_inside"]

# Names that no public host has (RFC 6761, 6762, 8375, ICANN's .internal, and what routers hand out).
LOCAL = ("localhost", "local", "localdomain", "internal", "intranet", "lan", "home.arpa", "private")
# An IPv6 network without IPv4 reaches IPv4 hosts under this prefix (RFC 6052).
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_inside(address: str) -> bool:
    """
    Whether an IP address is none of the public internet's: loopback, private, link-local, unspecified or reserved.

    Examples
    --------
    >>> is_inside("93.184.215.14"), is_inside("169.254.169.254"), is_inside("::ffff:10.0.0.1")
    (False, True, True)
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return True  # What cannot be told is not trusted.
    return any(map(_is_special, _meant(found)))


def leads_inside(host: str) -> bool:
    """
    Whether the host of a URL is this machine or its network, by its name or number alone.

    Parameters
    ----------
    host : str
        In ASCII, as it is sent; an IPv6 address without brackets.

    Examples
    --------
    >>> [leads_inside(host) for host in ("img.picora.com", "2130706433", "0x7f.1", "printer.local.", "intranet")]
    [False, True, True, True, True]
    """
    name = host.rstrip(".").lower()
    if ":" in name:
        return is_inside(name)
    with contextlib.suppress(OSError, ValueError):
        # As the C library reads it: decimal, octal, hexadecimal, and with parts left out.
        return is_inside(socket.inet_ntoa(socket.inet_aton(name)))
    last = name.rpartition(".")[2]
    if last.isdecimal() or last.startswith("0x"):
        return True  # No name ends so, and no number is spelled so.
    return "." not in name or any(name == one or name.endswith(f".{one}") for one in LOCAL)


def _is_special(address: Address) -> bool:
    site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return not address.is_global or address.is_multicast or address.is_reserved or site_local


def _meant(address: Address) -> list[Address]:
    """Give the addresses that one leads to: an IPv6 address may stand for an IPv4 one."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address in NAT64:
        return [ipaddress.IPv4Address(address.packed[-4:])]
    carried = [address.sixtofour, *(address.teredo or ())]
    return [address, *(one for one in carried if one is not None)]
