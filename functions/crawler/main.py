"""The functions of this codebase, each found when it is asked for."""

from shared.edge.codebase import lazy_functions

__getattr__, __dir__ = lazy_functions(__file__)
