/**
 * Names of members that only the core's own files use: in `core.js`, which is one file, they are short. A name must not
 * be here that the wire, a stored snapshot, the package's types, or a platform object has. One that is missing costs a
 * few bytes; `test/packed-core.test.ts` runs what is built.
 */
const names = [
  ...["healed", "unsaved", "changed", "applied", "effects", "connected", "disconnected", "emit"],
  ...["setTimer", "isSet", "cancel", "cancelAll", "ranOut", "backoff", "begin", "options"],
  ...["held", "asOf", "isSynced", "isUnderWay", "beginRead", "failed", "settle", "take"],
  ...["aim", "aimAt", "aimAnew", "awaitAny", "await", "force", "isBehind", "progressed"],
  ...["readBegins", "readFailed", "takeAll", "inFrame", "inChanges", "note", "noteTold"],
  ...["brevOf", "newestSort", "apply", "dropReached", "dropOtherEpochs", "takeOver", "sendNext"],
  ...["onMessage", "onClose", "isBlocked", "socketUrl", "fresh", "current", "fromServer"],
  ...["sequence", "session", "how", "afterMs", "flush", "save", "raise", "opId", "api"],
  ...["isSignedOut", "tellLater", "tellLine", "carryOut", "forget", "upTo"],
];

export const internalNames = new RegExp(`^(${names.join("|")})$`);
