"""What a name may resolve to that nobody may be led to; one private address is enough."""

from typing import Final

PRIVATE_ANSWERS: Final = [
    ["127.0.0.1"],
    ["::1"],
    ["10.0.0.7"],
    ["93.184.215.14", "192.168.0.1"],
    ["::ffff:169.254.169.254"],
]
