import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

/** Vue leaves to the browser what is no component of its own. */
const isCustomElement = (tag) => tag.startsWith("tocsin-");
const plugins = { react: [], vue: [vue({ template: { compilerOptions: { isCustomElement } } })] };

export default defineConfig(({ mode }) => ({
  root: mode,
  plugins: plugins[mode],
  // The setting `mode` chooses the example; what is built is always meant for people.
  define: { "process.env.NODE_ENV": '"production"' },
  build: { outDir: `../dist/${mode}`, emptyOutDir: true, modulePreload: { polyfill: false } },
}));
