import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// Django serves the page and finds the hashed files by the manifest, so the base is where its
// static files are, and there is no index.html.
export default defineConfig({
  base: "/static/app/",
  plugins: [svelte()],
  build: {
    manifest: true,
    outDir: "dist",
    emptyOutDir: true,
    target: "es2023",
    // The oldest browsers that know light-dark(), by which the themes share one list of colours, and
    // popovers.
    cssTarget: ["chrome123", "firefox125", "safari17.5"],
    // AG Grid alone is past the default of 500 kB; it loads once and is cached for ever.
    chunkSizeWarningLimit: 1000,
    rolldownOptions: { input: "src/main.ts" },
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
