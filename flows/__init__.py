"""The business processes, one file per deployment: read them top to bottom."""
