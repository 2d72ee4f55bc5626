/** What the panel says in each standing. */

import type { TemplateResult } from "lit";
import type { PushStanding } from "../../push/index.ts";
import { bellOff, bellRing, info, share, warning } from "../icons.ts";
import type { Phrase } from "../language.ts";

export interface PanelWords {
  readonly icon: TemplateResult;
  readonly tone: "accent" | "success" | "warning" | "quiet";
  readonly title: Phrase;
  readonly text: Phrase;
}

type Standing = Exclude<PushStanding, "checking">;

export const words: Readonly<Record<Standing | "failing", PanelWords>> = {
  off: {
    icon: bellRing,
    tone: "accent",
    title: "Get alerts when this page is closed",
    text: "This device shows what is for you as it happens. You can turn it off here at any time.",
  },
  on: {
    icon: bellRing,
    tone: "success",
    title: "This device gets alerts",
    text: "Also when this page is closed. What you have seen elsewhere is not repeated here.",
  },
  failing: {
    icon: warning,
    tone: "warning",
    title: "Alerts may not reach this device",
    text: "The last one did not get through. A test tells whether the next one will.",
  },
  broken: {
    icon: warning,
    tone: "warning",
    title: "Alerts do not reach this device",
    text: "They are in your inbox all the same.",
  },
  blocked: {
    icon: bellOff,
    tone: "warning",
    title: "Notifications are blocked",
    text: "Your browser blocks them for this site. Open the site’s settings beside the address bar, and allow notifications there.",
  },
  install: {
    icon: share,
    tone: "accent",
    title: "Add this app to your Home Screen",
    text: "iPhone and iPad deliver alerts to apps there only. Tap Share, then “Add to Home Screen”, and open it from there.",
  },
  insecure: {
    icon: info,
    tone: "quiet",
    title: "Alerts arrive while this page is open",
    text: "To get them when it is closed, open it by https.",
  },
  no: {
    icon: info,
    tone: "quiet",
    title: "Alerts arrive while this page is open",
    text: "This browser cannot get them when it is closed.",
  },
};
