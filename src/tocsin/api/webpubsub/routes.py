"""Every path of the data plane (docs/reference/web-pubsub-operations.md)."""

from collections.abc import Iterator

import msgspec

from tocsin.api.endpoints import Endpoints
from tocsin.api.http import Handler
from tocsin.api.keyring import KeyRing
from tocsin.api.webpubsub.access import ServiceAccess
from tocsin.api.webpubsub.client_tokens import ServiceTokens
from tocsin.api.webpubsub.connections import Connections
from tocsin.api.webpubsub.groups import Groups
from tocsin.api.webpubsub.permissions import Permissions
from tocsin.api.webpubsub.repeats import Repeats
from tocsin.api.webpubsub.sends import Sends
from tocsin.api.webpubsub.service import Service, health
from tocsin.api.webpubsub.users import Users
from tocsin.clock import Clock
from tocsin.config import Limits
from tocsin.realtime.gateway import Gateway

_HUB = "/api/hubs/{hub}"


class DataPlane(msgspec.Struct, frozen=True):
    """What stands behind the data plane."""

    access: ServiceAccess
    keyring: KeyRing
    gateway: Gateway
    endpoints: Endpoints
    clock: Clock
    limits: Limits

    def routes(self) -> Iterator[tuple[str, str, Handler]]:
        """List method, path and handler; the most frequent first, since the first that fits answers."""
        repeats = Repeats(self.clock.monotonic_s)
        self.gateway.everywhere.tell_of_requests(repeats.remember)
        service = Service(self.access, repeats)
        sends = Sends(service, self.gateway, self.limits.message_bytes)
        connections = Connections(service, self.gateway.everywhere)
        groups = Groups(service, self.gateway.everywhere)
        users = Users(self.gateway.everywhere, self.endpoints)
        permissions = Permissions(self.gateway.everywhere)
        tokens = ServiceTokens(self.keyring, self.endpoints, self.clock, self.limits.token_ttl_s)
        permission = "/permissions/{permission}/connections/{connection}"
        for method, path, operation in (
            ("POST", "/users/{user}/:send", sends.to_user),
            ("POST", "/groups/{group}/:send", sends.to_group),
            ("POST", "/connections/{connection}/:send", sends.to_connection),
            ("POST", "/:send", sends.to_all),
            ("POST", "/:closeConnections", connections.close_all),
            ("POST", "/:addToGroups", groups.add_many),
            ("POST", "/:removeFromGroups", groups.remove_many),
            ("POST", "/:generateToken", tokens.generate),
            ("GET", "/connections", users.connections_of_hub),
            ("HEAD", "/connections/{connection}", connections.exists),
            ("DELETE", "/connections/{connection}", connections.close),
            ("DELETE", "/connections/{connection}/groups", groups.remove_connection_from_all),
            ("HEAD", "/groups/{group}", groups.exists),
            ("POST", "/groups/{group}/:closeConnections", connections.close_group),
            ("GET", "/groups/{group}/connections", users.connections_of_group),
            ("GET", "/groups/{group}/users", users.users_of_group),
            ("PUT", "/groups/{group}/connections/{connection}", groups.add_connection),
            ("DELETE", "/groups/{group}/connections/{connection}", groups.remove_connection),
            ("GET", "/users", users.users_of_hub),
            ("HEAD", "/users/{user}", users.exists),
            ("POST", "/users/{user}/:closeConnections", connections.close_user),
            ("PUT", "/users/{user}/groups/{group}", groups.add_user),
            ("DELETE", "/users/{user}/groups/{group}", groups.remove_user),
            ("DELETE", "/users/{user}/groups", groups.remove_user_from_all),
            ("PUT", permission, permissions.grant),
            ("HEAD", permission, permissions.check),
            ("DELETE", permission, permissions.revoke),
        ):
            yield method, _HUB + path, service.operation(operation)
        yield "HEAD", "/api/health", health
