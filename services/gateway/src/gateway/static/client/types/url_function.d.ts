/** The option `url` as a function: it is called for each connection, so that a program can move to another gateway. */
export type UrlFunction = () => string | URL | Promise<string | URL>;
export type AllOptions = import("./options.js").AllOptions;
export type SocketClass = import("./sockets.js").SocketClass;
export type SocketLike = import("./sockets.js").SocketLike;
/** @typedef {() => string | URL | Promise<string | URL>} UrlFunction */
/** @typedef {import("./options.js").AllOptions} AllOptions */
/** @typedef {import("./sockets.js").SocketClass} SocketClass */
/** @typedef {import("./sockets.js").SocketLike} SocketLike */
/** The options of a session, whose `url` is a text. @param {AllOptions} options @returns {AllOptions} */
export declare function withUrl(options: AllOptions): AllOptions;
