/** Fakes with the real interfaces and readable state: clock, timers, WebSocket, random numbers. */

/** Clocks that advance only by `pass`, with timers. */
export class ManualClock {
  /** The wall clock, which the test may set. */
  now = 1_800_000_000_000;
  #elapsed = 5_000;
  #timers = new Map();
  #last = 0;

  clock = () => this.now;
  monotonic = () => this.#elapsed;
  timers = {
    setTimeout: (callback, ms) => {
      this.#timers.set((this.#last += 1), { callback, due: this.#elapsed + ms });
      return this.#last;
    },
    clearTimeout: (timer) => this.#timers.delete(timer),
  };

  /** The options of a client or connection that lives in this time. */
  get surroundings() {
    return { clock: this.clock, monotonic: this.monotonic, timers: this.timers };
  }

  /** Number of timers that run. */
  get running() {
    return this.#timers.size;
  }

  /** Advance by `ms` and run the timers that are due, in order, each at its own time. */
  pass(ms) {
    const end = this.#elapsed + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.due <= end);
      if (due.length === 0) break;
      const [name, timer] = due.reduce((first, other) => (other[1].due < first[1].due ? other : first));
      this.#timers.delete(name);
      this.#advanceTo(Math.max(this.#elapsed, timer.due));
      timer.callback();
    }
    this.#advanceTo(end);
  }

  #advanceTo(elapsed) {
    this.now += elapsed - this.#elapsed;
    this.#elapsed = elapsed;
  }

  /** Sleep: no timer runs, and the monotonic clock may stand still. */
  sleep(ms, { isMonotonicStill }) {
    this.now += ms;
    if (!isMonotonicStill) this.#elapsed += ms;
  }
}

/** A WebSocket class whose sockets the test controls; `sockets` lists all instances. */
export function fakeWebSocket() {
  return class FakeWebSocket {
    static sockets = [];
    static get newest() {
      return FakeWebSocket.sockets.at(-1);
    }

    onopen = refuseToOpen;
    sent = [];
    isClosed = false;

    constructor(url, protocols) {
      if (url.startsWith("bad:")) throw new SyntaxError("the URL is malformed");
      this.url = url;
      this.protocols = protocols;
      FakeWebSocket.sockets.push(this);
    }

    send(text) {
      this.sent.push(JSON.parse(text));
    }

    close() {
      this.isClosed = true;
    }

    accept() {
      this.onopen?.({});
    }

    /** Receive a frame from the gateway. */
    receive(frame) {
      this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
    }

    drop(code = 1006, reason = "") {
      this.isClosed = true;
      this.onerror?.({});
      this.onclose?.({ code, reason });
    }
  };
}

function refuseToOpen() {
  throw new Error("opened before a handler was set");
}

/** A seeded random number generator in [0, 1): mulberry32. */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An element of a FakeDocument. */
export class FakeElement extends EventTarget {
  dataset = {};
  hidden = false;
  href = "";
  textContent = "";
  isFocused = false;

  click() {
    this.dispatchEvent(new Event("click", { cancelable: true }));
  }

  focus() {
    this.isFocused = true;
  }
}

/** A document in which every id has an element. */
export class FakeDocument extends EventTarget {
  activeElement = null;
  body = new FakeElement();
  hidden = false;
  title = "";
  #elements = new Map();

  getElementById(id) {
    if (!this.#elements.has(id)) this.#elements.set(id, new FakeElement());
    return this.#elements.get(id);
  }

  querySelector(selector) {
    return this.getElementById(selector);
  }
}

/** A window with a document, an address, and the time of a ManualClock. */
export class FakeWindow extends EventTarget {
  document = new FakeDocument();
  location;
  scrolledTo = null;
  replaced = [];
  history = {
    state: null,
    replaceState: (state, _title, url) => {
      this.history.state = state;
      if (url !== undefined) this.replaced.push(url);
    },
  };
  #time;

  /** @param {ManualClock} time */
  constructor(time, { hash = "", search = "" } = {}) {
    super();
    this.#time = time;
    this.location = { hash, search, pathname: "/" };
  }

  scrollTo(...position) {
    this.scrolledTo = position;
  }

  setInterval(callback, ms) {
    const repeat = () => {
      this.#time.timers.setTimeout(repeat, ms);
      callback();
    };
    this.#time.timers.setTimeout(repeat, ms);
  }

  /** Go to a new entry of the history, or to one that has a state. */
  navigate(hash, state = null) {
    this.location.hash = hash;
    this.history.state = state;
    this.dispatchEvent(new Event("hashchange"));
  }
}
