/// <reference lib="esnext.disposable" preserve="true" />
/** The names of the methods that `using` and `await using` call; nothing calls them in a runtime without these. */

/** @type {typeof Symbol.dispose} */
export const DISPOSE = Symbol.dispose ?? Symbol("dispose");
/** @type {typeof Symbol.asyncDispose} */
export const ASYNC_DISPOSE = Symbol.asyncDispose ?? Symbol("asyncDispose");
