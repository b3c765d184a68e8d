// Node's `ws`: without compression, and without the tracking of clients that only fan-out needs.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const fanOut = process.argv[2] === "fan-out";
const server = createServer();
const sockets = new WebSocketServer({
  server,
  clientTracking: fanOut,
  maxPayload: 2 << 20,
  perMessageDeflate: false,
});
sockets.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", (data, binary) => {
    if (!fanOut) return socket.send(data, { binary });
    for (const one of sockets.clients) one.send(data, { binary });
  });
});
server.listen(0, "127.0.0.1", 4096, () => console.log(`127.0.0.1:${server.address().port}`));
