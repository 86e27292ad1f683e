/** What the page and the element use without an import that TypeScript can follow. */

/** The colours of packages/contract/src/contract/states.json, which the gateway serves as a module. */
declare module "*/state_colors.js" {
  const colors: Record<string, string>;
  export default colors;
}

/** The English sentences of the element, which the gateway serves as a module. */
declare module "*/texts/en.js" {
  const table: import("./cloud/texts.js").Table;
  export default table;
}

/** The WebSocket that page/preconnect.js opened; undefined if that script did not run. */
declare var preconnection: import("./page/adopt_socket.js").Preconnection | undefined;
