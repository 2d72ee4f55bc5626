/** Writes the demo's service worker with the list of files that the page needs to start without a line. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { Plugin } from "vite";

/** Files that are in the build and yet not part of the page's start. */
const apart = /^elements\/|\.map$/;

/**
 * @param source The worker; it finds `self.shell`, `{ files, version }`.
 * @param publicFolder What is copied beside the build as it is.
 */
export function appShell(source: string, publicFolder: string): Plugin {
  return {
    name: "app-shell",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const worker = readFileSync(source, "utf8");
        const built = Object.values(bundle).map(
          (file) => [file.fileName, file.type === "chunk" ? file.code : file.source] as const,
        );
        const copied = readdirSync(publicFolder).map(
          (name) => [name, readFileSync(`${publicFolder}/${name}`)] as const,
        );
        const parts = [...built, ...copied].filter(([name]) => !apart.test(name)).sort();
        const hash = createHash("sha256").update(worker);
        for (const [name, content] of parts) hash.update(name).update(content);
        const files = parts.map(([name]) => `/${name}`.replace(/index\.html$/, ""));
        const shell = { files, version: hash.digest("hex").slice(0, 12) };
        const code = `self.shell = ${JSON.stringify(shell)};\n${worker}`;
        this.emitFile({ type: "asset", fileName: "worker.js", source: code });
      },
    },
  };
}
