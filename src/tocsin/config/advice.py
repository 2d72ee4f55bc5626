"""What works and is still probably not meant."""

import re

from tocsin.config.settings import Settings

ANYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 -- recognised, not bound
# Names that are nobody's on the internet (RFC 2606, RFC 6761, RFC 6762).
NO_DOMAINS = (".localhost", ".local", ".invalid", ".test", ".internal")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def advice(settings: Settings) -> list[str]:
    """Say what works and is still probably not meant, each with its remedy."""
    lines = []
    if settings.host in ANYWHERE and settings.public_url is None:
        lines.append(
            f"host {settings.host} is every interface, but client URLs will name 127.0.0.1: "
            "set public_url to the address that clients use"
        )
    if settings.tls_cert is None and (settings.public_url or "").startswith("https:"):
        lines.append(
            "public_url is https and there is no tls_cert: something in front must end TLS; "
            "name it in trusted_proxies so that its forwarded headers count"
        )
    lines += _advice_on_contact(settings)
    if settings.demo and settings.host not in LOOPBACK:
        lines.append(
            "demo is on and host is not loopback: the demo answers this machine only; turn it off in production"
        )
    return lines


def _advice_on_contact(settings: Settings) -> list[str]:
    """Say what push services will think of the contact; without https there is no Web Push."""
    subject, remedy = settings.push.subject, "set it to mailto:YOU@YOUR.DOMAIN or an https page"
    if subject is not None:
        domain = re.split(r"[/?#]", subject.removeprefix("https://"))[0].rpartition("@")[2]
        host = domain.partition(":")[0].rstrip(".").lower()
        if "." in host and not host.endswith(NO_DOMAINS):
            return []
        return [f"push.subject names {host}, and Apple refuses contacts it cannot reach; {remedy}"]
    by_https = settings.tls_cert is not None or (settings.public_url or "").startswith("https:")
    if not by_https:
        return []
    return [
        "push.subject is not set: the push services of Apple and Mozilla refuse pushes without a contact; "
        + remedy
    ]
