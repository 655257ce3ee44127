// Fails when the JavaScript of the first load, gzipped, is above the budget.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const dist = new URL("../../internal/webui/dist/", import.meta.url);
const budget = 350 * 1024;
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));

function filesOf(key, seen = new Set()) {
  const chunk = manifest[key];
  if (!chunk || seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const dependency of chunk.imports ?? []) filesOf(dependency, seen);
  return seen;
}

const size = (files) =>
  [...files].reduce((sum, file) => sum + gzipSync(readFileSync(new URL(file, dist))).length, 0);

let failed = false;
for (const page of Object.keys(manifest).filter((key) => key.startsWith("src/pages/"))) {
  const files = filesOf(page, filesOf("index.html"));
  const bytes = size(files);
  const over = bytes > budget;
  failed ||= over;
  console.log(`${(bytes / 1024).toFixed(0).padStart(4)} KB  ${page}${over ? "  over 350 KB" : ""}`);
}
process.exit(failed ? 1 : 0);
