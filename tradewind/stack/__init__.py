"""Everything that runs on one machine, as processes that are started, watched and stopped in order."""
