// What both peers on Node share: the token that lets a client in, and saying where the server listens.
import jwt from "jsonwebtoken";

export const room = process.env.BENCH_ROOM;

/** Returns the claims of a token, `{room}` or `{publishes}`; throws if it is not good. */
export function claimsOf(token) {
  return jwt.verify(token, process.env.BENCH_SECRET, { algorithms: ["HS256"] });
}

/** Listens on a free loopback port and says which. */
export function listen(server) {
  server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
    const address = `http://127.0.0.1:${server.address().port}`;
    console.error(JSON.stringify({ event: "serve.ready", address }));
  });
}
