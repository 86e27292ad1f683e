/** What the page and the element use without an import that TypeScript can follow. */

/** packages/contract/src/contract/states.json, which the gateway serves as a module. */
declare module "*/states.js" {
  const states: Record<string, { label: string; aliases: string[]; color: string }>;
  export default states;
}

/** The WebSocket that page/preconnect.js opened; undefined if that script did not run. */
declare var preconnection: import("./page/adopt_socket.js").Preconnection | undefined;
