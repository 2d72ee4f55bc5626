import { defineConfig, type Plugin, type PluginOption, type UserConfig } from "vite";
import { appShell } from "./app-shell.ts";
import { elementManifest } from "./element-manifest.ts";
import { internalNames } from "./internal-names.ts";
import { minifyLiterals } from "./minify-literals.ts";

/** What the elements load only when a page asks for it: words of a language by its tag. */
function onDemand(name: string): string {
  return /^[a-z]{2}$/.test(name) ? `locale/${name}` : name;
}

/** Takes out hints for bundlers: what is built here is loaded as it is. */
const unannotated: Plugin = {
  name: "unannotated",
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type === "chunk") file.code = file.code.replaceAll("/* @__PURE__ */ ", "");
    }
  },
};

interface LibraryOptions {
  readonly outDir?: string;
  readonly format?: "es" | "iife";
  readonly plugins?: readonly PluginOption[];
  /** Names of members that become short; only where all is one file. */
  readonly internal?: RegExp;
}

/** Files other sites load by name, so the names never carry a hash. */
function library(
  entry: string,
  file: string,
  { outDir = "dist", format = "es", plugins = [], internal }: LibraryOptions = {},
): UserConfig {
  return {
    plugins: [minifyLiterals(), unannotated, ...plugins],
    publicDir: false,
    build: {
      outDir,
      emptyOutDir: false,
      target: "es2022",
      lib: { entry, formats: [format], name: "tocsin", fileName: () => file },
      rolldownOptions: {
        external: /^node:/,
        // What is loaded later shares the code of the main file, which stays one file.
        preserveEntrySignatures: "allow-extension",
        output: {
          minify: {
            compress: true,
            mangle: true,
            codegen: true,
            ...(internal && { mangleProps: { include: internal } }),
          },
          chunkFileNames: ({ name }) => `tocsin/${onDemand(name)}.js`,
        },
      },
    },
  };
}

const builds: Record<string, UserConfig> = {
  demo: {
    root: "demo",
    plugins: [minifyLiterals(), appShell("demo/worker.js", "demo/public")],
    build: {
      outDir: "../dist",
      emptyOutDir: true,
      target: "es2022",
      modulePreload: { polyfill: false },
      rolldownOptions: { input: ["demo/index.html", "demo/elements/index.html"] },
    },
  },
  elements: library("src/elements/index.ts", "tocsin/elements.js", {
    plugins: [elementManifest("src/elements")],
  }),
  core: library("src/core/headless.ts", "tocsin/core.js", { internal: internalNames }),
  browser: library("src/browser/index.ts", "tocsin/in-browser.js"),
  producer: library("src/producer/index.ts", "tocsin/producer.js"),
  push: library("src/push/index.ts", "tocsin/push.js"),
  worker: library("src/worker/classic.ts", "tocsin/worker.js", { format: "iife" }),
  "worker-module": library("src/worker/index.ts", "tocsin/worker-module.js"),
  bridge: library("test/bridge.ts", "bridge.mjs", { outDir: "dist-test" }),
};

export default defineConfig(({ mode }) => builds[mode] ?? builds.demo ?? {});
