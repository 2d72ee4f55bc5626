/**
 * A backend as small as it can be: it serves one example, and signs its visitor in to Tocsin.
 *
 *     TOCSIN_URL=http://127.0.0.1:8080 TOCSIN_KEY=tsk_server_... node server.mjs FOLDER [PORT]
 */

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [folder, port = "5173"] = process.argv.slice(2);
const tocsin = new URL(process.env.TOCSIN_URL ?? "http://127.0.0.1:8080").origin;
/** The elements as files, for pages without a bundler. */
const elements = fileURLToPath(new URL("..", import.meta.resolve("@tocsin/web")));

const types = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
};
/** All that the elements need is a way to Tocsin; the policies are those of Lit, of ours, and of Vue. */
const policy = [
  "default-src 'self'",
  `connect-src 'self' ${tocsin} ${tocsin.replace("http", "ws")}`,
  "object-src 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types lit-html tocsin vue",
].join("; ");

/** Ask Tocsin for a token of the person who is signed in here; a real backend looks at its session. */
async function token() {
  const answer = await fetch(`${tocsin}/v1/client-tokens`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${process.env.TOCSIN_KEY}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ user_id: "ada" }),
  });
  return { status: answer.status, type: "application/json", body: await answer.text() };
}

async function file(path) {
  const root = path.startsWith("/tocsin/") ? elements : resolve(folder);
  const name = join(root, path === "/" ? "index.html" : path);
  const type = types[extname(name)];
  if (!name.startsWith(root) || !type) return { status: 404, type: "text/plain", body: "" };
  try {
    return { status: 200, type, body: await readFile(name) };
  } catch {
    return { status: 404, type: "text/plain", body: "" };
  }
}

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  const isToken = request.method === "POST" && pathname === "/tocsin-token";
  const { status, type, body } = await (isToken ? token() : file(pathname));
  response.writeHead(status, { "content-type": type, "content-security-policy": policy });
  response.end(body);
});

server.listen(Number(port), "127.0.0.1", () =>
  console.log(`http://127.0.0.1:${server.address().port}`),
);
