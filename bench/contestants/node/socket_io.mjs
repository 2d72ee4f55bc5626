// A room on Socket.IO, set as its documentation says for performance.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { claimsOf, listen, room } from "./room.mjs";

const server = createServer();
const io = new Server(server, { transports: ["websocket"], serveClient: false });

io.engine.on("connection", (raw) => {
  raw.request = null; // the documented way to save memory
});
io.use((socket, next) => {
  try {
    socket.data = claimsOf(socket.handshake.auth.token);
    next();
  } catch (error) {
    next(error);
  }
});
io.on("connection", (socket) => {
  if (socket.data.room) socket.join(socket.data.room);
  if (socket.data.publishes) socket.on("say", (message) => io.to(room).emit("said", message));
});
listen(server);
