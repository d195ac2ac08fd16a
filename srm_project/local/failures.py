"""Why something does not start or run; each text says what to do or where to look."""


class LocalFailure(Exception):
    """What the command lines print as it is, without a traceback."""


class StartFailed(LocalFailure):
    """A program of ours did not start."""


class DatabaseUnavailable(LocalFailure):
    """The embedded database could not be started."""


class BrokerUnavailable(LocalFailure):
    """The embedded broker could not be started."""


class CommandFailed(LocalFailure):
    """A management command failed; the text names its log and shows its end."""


class DatabaseBusy(LocalFailure):
    """Another process keeps the embedded database to itself."""


class NotReady(LocalFailure):
    """A command cannot run with this database as it is."""
