/** Callbacks of abort signals. */

/** @type {WeakMap<AbortSignal, {callbacks: Set<() => void>, listener: () => void}>} */
const registered = new WeakMap();

/**
 * Call back when a signal is aborted. All callbacks of a signal share one listener, because Node.js warns
 * of more than ten, and a program may have one signal for many clients.
 *
 * @param {AbortSignal} signal
 * @param {() => void} callback
 */
export function addAbortCallback(signal, callback) {
  const existing = registered.get(signal);
  if (existing !== undefined) {
    existing.callbacks.add(callback);
    return;
  }
  const callbacks = new Set([callback]);
  const listener = () => {
    registered.delete(signal);
    for (const one of [...callbacks]) one();
  };
  registered.set(signal, { callbacks, listener });
  signal.addEventListener("abort", listener, { once: true });
}

/**
 * @param {AbortSignal} signal
 * @param {() => void} callback
 */
export function removeAbortCallback(signal, callback) {
  const existing = registered.get(signal);
  if (existing === undefined || !existing.callbacks.delete(callback) || existing.callbacks.size > 0) return;
  registered.delete(signal);
  signal.removeEventListener("abort", existing.listener);
}
