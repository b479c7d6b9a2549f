"""The caller's address: the nearest hop that is no proxy of ours, whatever the caller claims."""

import pytest

from shared.edge.address import client_address
from tests.unit.edge.conftest import Configure


@pytest.mark.parametrize(
    ("forwarded", "peer", "address"),
    [
        (None, "203.0.113.9", "203.0.113.9"),
        ("", "203.0.113.9", "203.0.113.9"),
        ("203.0.113.9", "172.16.0.1", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "172.16.0.1", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9, 172.17.2.3", "x", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9, 172.17.2.3, 192.0.2.7", "x", "203.0.113.9"),
        ("172.19.9.9, 203.0.113.9", "x", "203.0.113.9"),
        (" 198.51.100.1 ,, 203.0.113.9 ,", "x", "203.0.113.9"),
        ("<script>, 203.0.113.9, 172.17.2.3", "x", "203.0.113.9"),
        ("2001:db8::1, 2001:DB8:0::2", "x", "2001:db8::2"),
        ("198.51.100.1, 2001:db8:ffff::9", "x", "198.51.100.1"),
        (None, None, ""),
    ],
)
def test_the_last_untrusted_hop_counts(
    configure: Configure, forwarded: str | None, peer: str | None, address: str
) -> None:
    configure(TRUSTED_PROXIES="172.16.0.0/12, 192.0.2.7 2001:db8:ffff::/48")
    assert client_address(forwarded, peer) == address


def test_without_trusted_proxies_the_last_hop_counts(configure: Configure) -> None:
    configure(TRUSTED_PROXIES="")
    assert client_address("198.51.100.1, 203.0.113.9", "172.16.0.1") == "203.0.113.9"


def test_a_call_from_a_proxy_itself_has_an_address_too(configure: Configure) -> None:
    configure(TRUSTED_PROXIES="172.16.0.0/12")
    assert client_address("172.16.0.1, 172.16.0.2", "x") == "172.16.0.1"
    assert client_address(None, "172.16.0.2") == "172.16.0.2"
