"""Lets a thread give way to others on a busy machine: color and outlines may come later, the picture and cues may not.

An outline says how old it is and can wait; a hand that moves the needle waits for the picture.

On Linux niceness belongs to a thread, and one that is nicer by 5 gets about a third of a core that it shares. Elsewhere it
belongs to the whole process, or there is none: then nothing is done.

`sched(7)`, "The nice value", Linux man-pages.
"""

import os
import sys
import threading

NICER = 5
"""How much nicer: a third of the share of one that is not."""


def give_way() -> bool:
    """Have the calling thread give way from now on.

    Returns
    -------
    bool
        Whether it does; it goes on as before where the system has no such thing or does not allow it.
    """
    if not sys.platform.startswith("linux"):
        return False
    own = threading.get_native_id()
    try:
        os.setpriority(os.PRIO_PROCESS, own, os.getpriority(os.PRIO_PROCESS, own) + NICER)
    except OSError:
        return False
    return True
