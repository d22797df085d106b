"""The whole core in one process, under a virtual clock, from one seed.

A checker that shares no code with the core judges how it ended.
"""
