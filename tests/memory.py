"""How much memory a process has had at the most."""

from pathlib import Path


def peak_mb(process: int | str = "self") -> float:
    """In MB of a thousand kB, of the program that runs now.

    `ru_maxrss` also holds what the process had that started it: Linux keeps it over `exec`.
    """
    status = Path(f"/proc/{process}/status").read_text()
    (line,) = (each for each in status.splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) / 1000
