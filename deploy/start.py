"""Start the Procfile under honcho so that nothing outlives honcho, however it ends.

honcho forks a watcher for each process. Here every such watcher asks the kernel to be ended when
honcho is gone (prctl PR_SET_PDEATHSIG), and the Procfile's ``setpriv --pdeathsig`` asks the same
for the process below it. So a SIGKILL to honcho ends the whole tree.
"""

import ctypes
import os
import signal

from honcho.command import main

PR_SET_PDEATHSIG = 1
"""linux/prctl.h."""


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    os.register_at_fork(after_in_child=_end_with_parent)
    main()
