"""Grafana's alerting webhook.

Format: https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
It is Alertmanager's, whose code Grafana runs, with links to dashboards, panels and silences on each alert.
"""

from tocsin.ingest.shims.alertmanager import Alertmanager


class Grafana(Alertmanager):
    """The shim."""

    name = "grafana"
