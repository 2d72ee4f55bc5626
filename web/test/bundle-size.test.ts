import { gzipSync } from "node:zlib";
import { build } from "vite";
import { beforeEach, expect, test, vi } from "vitest";

// Else the build takes the libraries' own development code, which nobody loads.
beforeEach(() => vi.stubEnv("NODE_ENV", "production"));

/** All chunks of a part: its main file, and what is loaded on demand. */
async function chunksOf(mode: string) {
  const built = await build({ mode, logLevel: "silent", build: { write: false } });
  const [bundle] = Array.isArray(built) ? built : [built];
  if (!bundle || !("output" in bundle)) throw new Error(`${mode} was not built`);
  return bundle.output.filter((file) => file.type === "chunk");
}

/** Bytes of a part, compressed: of its main file, or of a chunk that is loaded on demand. */
async function gzipBytes(mode: string, chunk?: string): Promise<number> {
  const chunks = await chunksOf(mode);
  const asked = chunks.filter((file) => (chunk ? file.name === chunk : !file.isDynamicEntry));
  if (asked.length === 0) throw new Error(`${mode} has no chunk ${chunk}`);
  return gzipSync(asked.map(({ code }) => code).join("")).byteLength;
}

test("the producer is a few kB", async () => {
  expect(await gzipBytes("producer")).toBeLessThan(2_600);
});

test("the service worker, which every browser with push loads, is a few kB", async () => {
  expect(await gzipBytes("worker")).toBeLessThan(4_000);
  expect(await gzipBytes("push")).toBeLessThan(4_100);
});

test("the core stays below 12 kB, and what a page with bell and toasts loads below 30 kB", async () => {
  expect(await gzipBytes("core")).toBeLessThan(12_000);
  expect(await gzipBytes("elements")).toBeLessThan(30_000);
});

test("the inbox comes when it is wanted, and what settings pages need where there is one", async () => {
  expect(await gzipBytes("elements", "inbox")).toBeLessThan(13_000);
  expect(await gzipBytes("elements", "settings")).toBeLessThan(10_000);
});

test("what a page loads before the bell is opened stays below 35 kB, and all there is where it is", async () => {
  const [main, browser, all] = await Promise.all([
    gzipBytes("elements"),
    gzipBytes("elements", "browser"),
    chunksOf("elements"),
  ]);
  const sizes = all.map(({ code }) => gzipSync(code).byteLength);
  expect(main + browser).toBeLessThan(33_150);
  expect(sizes.reduce((sum, bytes) => sum + bytes)).toBeLessThan(60_150);
});

test("sounds, and what a tab tells, come where they are asked for", async () => {
  expect(await gzipBytes("elements", "sounds")).toBeLessThan(700);
  expect(await gzipBytes("elements", "tab-marks")).toBeLessThan(1_000);
});

test("German comes in a file of its own, only where it is spoken", async () => {
  expect(await gzipBytes("elements", "de")).toBeLessThan(4_000);
});
