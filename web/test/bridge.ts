/**
 * Drives inbox cores by JSON lines, so that a test written elsewhere can hold them to the contract.
 *
 * One line in, one line out: `{"id", "new": options}`, `{"id", "event"}`, `{"id", "view": true}`,
 * `{"id", "snapshot": true}`, `{"id", "drop": true}`.
 */

import { createInterface } from "node:readline";
import { InboxCore } from "../src/core/inbox-core.ts";
import type { CoreEvent, CoreOptions } from "../src/core/machine.ts";

interface Command {
  readonly id: number | string;
  readonly new?: Partial<CoreOptions>;
  readonly event?: CoreEvent;
  readonly view?: true;
  readonly snapshot?: true;
  readonly drop?: true;
}

const cores = new Map<Command["id"], InboxCore>();

function obey(command: Command): object {
  if (command.new) {
    cores.set(command.id, new InboxCore(command.new));
    return { ok: true };
  }
  const core = cores.get(command.id);
  if (!core) return { error: `no core ${command.id}` };
  if (command.event) return { effects: core.step(command.event) };
  if (command.view) return { view: core.view() };
  if (command.snapshot) return { snapshot: core.snapshot() };
  if (command.drop) return { ok: cores.delete(command.id) };
  return { error: "unknown command" };
}

function answer(line: string): object {
  try {
    return obey(JSON.parse(line) as Command);
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY }).on(
  "line",
  (line) => {
    process.stdout.write(`${JSON.stringify(answer(line))}\n`);
  },
);
