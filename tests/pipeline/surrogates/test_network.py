"""Computers get addresses that nobody is given."""

import ipaddress

from tests.pipeline.standins import replaced


def test_computers_get_addresses_of_documentation() -> None:
    assert any(
        ipaddress.ip_address(replaced("IP_ADDRESS", "81.2.69.160")) in ipaddress.ip_network(network)
        for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
    )
    assert ipaddress.ip_address(replaced("IP_ADDRESS", "2a02:6b8::1")) in ipaddress.ip_network("2001:db8::/32")
