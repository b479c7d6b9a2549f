"""One TLS context for all clients of the local cloud, none of which meets TLS.

httpx makes one for each client, and for each call without one: 24 ms, mostly longer than the call.
"""

import ssl
from typing import Final

TLS: Final = ssl.create_default_context()
