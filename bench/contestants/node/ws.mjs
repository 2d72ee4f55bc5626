// A room on `ws`: the clients in a set, and a loop that sends.
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import { claimsOf, listen, room } from "./room.mjs";

const server = createServer();
const sockets = new WebSocketServer({ noServer: true });
const rooms = new Map();

server.on("upgrade", (request, socket, head) => {
  let claims;
  try {
    claims = claimsOf(new URL(request.url, "http://localhost").searchParams.get("token"));
  } catch {
    socket.end("HTTP/1.1 401 Unauthorized\r\n\r\n");
    return;
  }
  sockets.handleUpgrade(request, socket, head, (client) => enter(client, claims));
});

function enter(client, claims) {
  client.on("error", () => client.terminate());
  if (claims.publishes) client.on("message", (data) => broadcast(data));
  if (!claims.room) return;
  if (!rooms.has(claims.room)) rooms.set(claims.room, new Set());
  const members = rooms.get(claims.room).add(client);
  client.on("close", () => members.delete(client));
}

function broadcast(data) {
  for (const client of rooms.get(room) ?? []) {
    if (client.readyState === WebSocket.OPEN) client.send(data, { binary: false });
  }
}
listen(server);
