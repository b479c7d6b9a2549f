"""What the system's tasks are given."""

import msgspec


class WriteNightlyExport(msgspec.Struct):
    """The part of a night's export that is to be written, counted over all collections."""

    day: str
    run: str
    part: int
