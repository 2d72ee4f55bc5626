"""Settings: from the command line, the environment (``TOCSIN_*``), ``tocsin.toml``, then defaults.

An earlier source wins.  A section is written ``[limits]`` in the file and ``TOCSIN_LIMITS__...`` in the environment.
Nothing here is read at import; :func:`load` is the one way in.  Others import from here, whichever file has the section.
"""

from tocsin.config.advice import ANYWHERE, LOOPBACK, advice
from tocsin.config.hub import DefaultAudience, Hub, Issuer, KeptFact, WantedHandler
from tocsin.config.limits import Limits, Rates
from tocsin.config.loading import CLIENT_VARIABLES, load
from tocsin.config.outbound import EventHandlers, Outbound, Webhooks
from tocsin.config.push import Push
from tocsin.config.roles import ROLES, Role
from tocsin.config.settings import ENV_PREFIX, SOCKET_NAME, Settings
from tocsin.config.sources import Mapping, Source

__all__ = [
    "ANYWHERE",
    "CLIENT_VARIABLES",
    "ENV_PREFIX",
    "LOOPBACK",
    "ROLES",
    "SOCKET_NAME",
    "DefaultAudience",
    "EventHandlers",
    "Hub",
    "Issuer",
    "KeptFact",
    "Limits",
    "Mapping",
    "Outbound",
    "Push",
    "Rates",
    "Role",
    "Settings",
    "Source",
    "WantedHandler",
    "Webhooks",
    "advice",
    "load",
]
