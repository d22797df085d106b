"""The demo: a whole shop on this machine, judged by the sandbox's own record of what happened."""
