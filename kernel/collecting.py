"""How seldom a process looks for garbage in cycles.

The collector goes through every object that might be part of one. Modules, models and URLs are two
hundred thousand of them, and are never garbage: a full look held all threads of a web process for a
quarter of a second. What was loaded before the first request is therefore left out for good, and
what requests leave is looked at after so many objects, most of which are freed without it. What
forked processes share stays shared: a look writes its marks into all it goes through.
"""

import gc

YOUNGEST = 20_000
"""Objects that are made and not freed between two looks through the youngest; Python's own is 700,
which is less than a request makes."""


def settle() -> None:
    """What there is now stays for good; call it when all is loaded, before a process forks or
    serves."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNGEST, *gc.get_threshold()[1:])
