"""Everything `make run` needs on one machine: database, broker, web, worker, beat.

No Django in here except where a command of it is started as its own process.
"""
