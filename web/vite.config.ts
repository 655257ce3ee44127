import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import type { Connect } from "vite";
import { defineConfig } from "vitest/config";

const backend = process.env.SIGNALBOX_URL;
const paths = ["/sb", "/api"];

// Without SIGNALBOX_URL the dev and preview servers answer from mock/, which is never part of the build.
function mockApi() {
  const use = async (middlewares: Connect.Server) => {
    const { mockHandler } = await import("./mock/handler.ts");
    middlewares.use(mockHandler);
  };
  return {
    name: "signalbox-mock-api",
    configureServer: (server: { middlewares: Connect.Server }) => use(server.middlewares),
    configurePreviewServer: (server: { middlewares: Connect.Server }) => use(server.middlewares),
  };
}

const proxy = backend
  ? Object.fromEntries(paths.map((path) => [path, { target: backend, changeOrigin: true }]))
  : undefined;

export default defineConfig({
  plugins: [react(), ...(backend ? [] : [mockApi()])],
  resolve: { alias: { "~": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { port: 4301, proxy },
  preview: { port: 4302, proxy },
  build: {
    outDir: "../internal/webui/dist",
    emptyOutDir: true,
    target: "es2022",
    reportCompressedSize: true,
    manifest: true,
    chunkSizeWarningLimit: 700,
  },
  test: {
    environment: "jsdom",
    setupFiles: ["./src/test/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}"],
    css: false,
  },
});
