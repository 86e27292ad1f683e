/** The names of the methods that `using` and `await using` call; nothing calls them in a runtime without these. */
/// <reference lib="esnext.disposable" preserve="true" />
/** @type {typeof Symbol.dispose} */
export declare const DISPOSE: typeof Symbol.dispose;
/** @type {typeof Symbol.asyncDispose} */
export declare const ASYNC_DISPOSE: typeof Symbol.asyncDispose;
