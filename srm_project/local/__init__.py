"""Everything `make run` needs on one machine: database, broker, web, worker, beat.

No Django in here but in `command_line`, which is Django's own; elsewhere its commands
are started as processes of their own.
"""
