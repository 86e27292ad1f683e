// A site on Express that compresses its responses, with the gateway below /pillows/.
//
// The gateway's setting for it: GATEWAY_ALLOWED_HOSTS=pillows.example.org. Do not add this site to
// GATEWAY_TRUSTED_PROXIES, because it passes the client's X-Forwarded headers on.
//
// npm install express compression http-proxy-middleware
import compression from "compression";
import express from "express";
import { createProxyMiddleware } from "http-proxy-middleware";

const GATEWAY = process.env.GATEWAY ?? "http://127.0.0.1:8080";

const app = express();
// It leaves the gateway's events alone, because they say no-transform.
app.use(compression());

// The path without its last slash, from which the page would look for its files one folder above.
app.use((request, response, next) => {
  if (request.path === "/pillows") response.redirect(308, request.url.replace("/pillows", "/pillows/"));
  else next();
});

// Without changeOrigin the browser's Host is passed on: the gateway compares it with Origin.
const pillows = createProxyMiddleware({
  target: GATEWAY,
  pathFilter: "/pillows/",
  pathRewrite: { "^/pillows/": "/" },
  ws: true,
});
app.use(pillows);

const server = app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
// For the first WebSocket, which may come before any other request.
server.on("upgrade", pillows.upgrade);
