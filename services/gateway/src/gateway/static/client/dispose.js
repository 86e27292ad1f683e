/// <reference lib="esnext.disposable" preserve="true" />
/** The names of the methods that `using` and `await using` call; of no meaning where the runtime has none. */

/** @type {typeof Symbol.dispose} */
export const DISPOSE = Symbol.dispose ?? Symbol("dispose");
/** @type {typeof Symbol.asyncDispose} */
export const ASYNC_DISPOSE = Symbol.asyncDispose ?? Symbol("asyncDispose");
