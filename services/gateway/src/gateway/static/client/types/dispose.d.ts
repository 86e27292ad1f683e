/** The names of the methods that `using` and `await using` call; of no meaning where the runtime has none. */
/// <reference lib="esnext.disposable" preserve="true" />
/** @type {typeof Symbol.dispose} */
export declare const DISPOSE: typeof Symbol.dispose;
/** @type {typeof Symbol.asyncDispose} */
export declare const ASYNC_DISPOSE: typeof Symbol.asyncDispose;
