/** Alerts a real company sends on an ordinary day. */

import type { AlertAction, Severity } from "../src/elements/index.ts";

export interface Sample {
  readonly label: string;
  readonly severity: Severity;
  readonly source: string;
  readonly title: string;
  readonly body: string;
  readonly url?: string;
  readonly actions?: readonly AlertAction[];
}

export const samples: readonly Sample[] = [
  {
    label: "Parcel",
    severity: "info",
    source: "front-desk",
    title: "Parcel at the door",
    body: "DHL left a box for you at reception. Pick it up before 18:00.",
  },
  {
    label: "Payment",
    severity: "success",
    source: "billing",
    title: "Payment received",
    body: "Hartmann & Sons paid invoice 2026-0412 over €1,840.00.",
    url: "#invoice-2026-0412",
  },
  {
    label: "Comment",
    severity: "info",
    source: "docs",
    title: "Ben commented on “Q4 roadmap”",
    body: "Can we move the importer to January? The API freeze is on the 12th.",
    url: "#q4-roadmap",
  },
  {
    label: "Certificate",
    severity: "warning",
    source: "infra",
    title: "Certificate expires in 5 days",
    body: "The certificate of shop.example.com runs out on Friday at 09:00.",
  },
  {
    label: "Backup",
    severity: "error",
    source: "backups",
    title: "Nightly backup failed",
    body: "orders-db stopped at 62 %: no space left on /backup. The last good copy is 26 hours old.",
    url: "#runbook-backup",
  },
  {
    label: "Outage",
    severity: "critical",
    source: "monitoring",
    title: "Checkout is down",
    body: "Every payment has failed for 3 minutes. 214 customers are affected.",
    url: "#incident-88",
    actions: [
      { id: "take", label: "I am on it", style: "primary" },
      { id: "status-page", label: "Status page", url: "#status-page" },
    ],
  },
];
