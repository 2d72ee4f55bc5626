/** German. It has every text of the elements, so it is also the list of what there is to say. */

export const words = {
  lang: "de",
  phrases: {
    "+{n} more": "+{n} weitere",
    Actions: "Aktionen",
    "Add this app to your Home Screen": "Diese App zum Home-Bildschirm hinzufügen",
    "Alerts arrive while this page is open": "Meldungen kommen, solange diese Seite offen ist",
    "Alerts do not reach this device": "Meldungen erreichen dieses Gerät nicht",
    "Alerts may not reach this device": "Meldungen erreichen dieses Gerät vielleicht nicht",
    All: "Alle",
    "Also when this page is closed. What you have seen elsewhere is not repeated here.":
      "Auch wenn diese Seite geschlossen ist. Was Sie anderswo gesehen haben, wird hier nicht wiederholt.",
    Archive: "Archivieren",
    Archived: "Archiviert",
    Close: "Schließen",
    Critical: "Kritisch",
    Delete: "Löschen",
    Deleted: "Gelöscht",
    Error: "Fehler",
    "Get alerts when this page is closed": "Meldungen auch bei geschlossener Seite",
    Info: "Hinweis",
    "Last failure": "Letzter Fehler",
    "Last sent": "Zuletzt gesendet",
    Loading: "Wird geladen",
    "Loading older alerts": "Ältere Meldungen werden geladen",
    "Mark all as read": "Alle als gelesen markieren",
    "Mark as read": "Als gelesen markieren",
    "Mark as unread": "Als ungelesen markieren",
    "Many new alerts. They are in your inbox.": "Viele neue Meldungen. Sie sind im Posteingang.",
    "New alerts ({key})": "Neue Meldungen ({key})",
    "Nothing here yet. New alerts appear by themselves.":
      "Noch nichts da. Neue Meldungen erscheinen von selbst.",
    Notifications: "Meldungen",
    "Notifications are blocked": "Benachrichtigungen sind blockiert",
    "Notifications, {n} new": "Meldungen, {n} neu",
    Offline: "Offline",
    "Offline, up to date as of {time}": "Offline, Stand {time}",
    "Send a test": "Test senden",
    "Show all": "Alle zeigen",
    "Show older alerts": "Ältere zeigen",
    Success: "Erfolg",
    "That alert has changed meanwhile; nothing was done.":
      "Die Meldung hat sich inzwischen geändert; es wurde nichts getan.",
    "The alerts cannot be reached right now. They are kept, and this page keeps trying.":
      "Die Meldungen sind gerade nicht erreichbar. Sie gehen nicht verloren, und diese Seite versucht es weiter.",
    "The last one did not get through. A test tells whether the next one will.":
      "Die letzte kam nicht durch. Ein Test zeigt, ob es die nächste tut.",
    "The push service of this browser cannot be reached.":
      "Der Push-Dienst dieses Browsers ist nicht erreichbar.",
    "The server cannot be reached.": "Der Server ist nicht erreichbar.",
    "The test arrived after {time}.": "Der Test kam nach {time} an.",
    "The test did not arrive: {problem}": "Der Test kam nicht an: {problem}",
    "The test is on its way …": "Der Test ist unterwegs …",
    "They are in your inbox all the same.": "In Ihrem Posteingang sind sie trotzdem.",
    "This browser cannot get them when it is closed.":
      "Dieser Browser kann sie nicht empfangen, wenn sie geschlossen ist.",
    "This device gets alerts": "Dieses Gerät bekommt Meldungen",
    "This device shows what is for you as it happens. You can turn it off here at any time.":
      "Dieses Gerät zeigt sofort, was für Sie bestimmt ist. Sie können es hier jederzeit ausschalten.",
    "This page has no service worker.": "Diese Seite hat keinen Service Worker.",
    "To get them when it is closed, open it by https.":
      "Öffnen Sie sie mit https, um Meldungen auch zu bekommen, wenn sie geschlossen ist.",
    "Try again": "Noch einmal versuchen",
    "Try now": "Jetzt versuchen",
    "Turn off": "Ausschalten",
    "Turn on": "Einschalten",
    "Turning on …": "Wird eingeschaltet …",
    Undo: "Rückgängig",
    Unread: "Ungelesen",
    Warning: "Warnung",
    "Which alerts": "Welche Meldungen",
    "You have read everything.": "Sie haben alles gelesen.",
    "Your browser blocks them for this site. Open the site’s settings beside the address bar, and allow notifications there.":
      "Ihr Browser blockiert sie für diese Seite. Öffnen Sie die Einstellungen der Seite neben der Adressleiste, und erlauben Sie dort Benachrichtigungen.",
    "iPhone and iPad deliver alerts to apps there only. Tap Share, then “Add to Home Screen”, and open it from there.":
      "iPhone und iPad stellen Meldungen nur Apps dort zu. Tippen Sie auf „Teilen“, dann auf „Zum Home-Bildschirm“, und öffnen Sie sie von dort.",
    "nothing came within 30 seconds": "in 30 Sekunden kam nichts",
    "nothing yet": "noch nichts",
    "{n} new alert|{n} new alerts": { one: "{n} neue Meldung", other: "{n} neue Meldungen" },
    "{action}: sent": "{action}: gesendet",
  },
};
