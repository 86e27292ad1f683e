/** What one client sees of a session: its own pillows. Pure. */
export type Pillow = import("./frames.js").Pillow;
export type Store = import("./store.js").Store;
export type Update = import("./store.js").Update;
export type Pillows = import("./subscription.js").Pillows;
/** @typedef {import("./frames.js").Pillow} Pillow */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").Update} Update */
/** @typedef {import("./subscription.js").Pillows} Pillows */
export declare class View {
    #private;
    /** The newest state of each of its pillows by id. @type {Map<string, Pillow>} */
    pillows: Map<string, Pillow>;
    /** Whether the current connection has brought a snapshot of them. */
    isSynced: boolean;
    /** Whether it has brought all of them. */
    isComplete: boolean;
    /**
     * @param {Pillows} pillows
     * @param {string | null} cursor of an earlier client
     */
    constructor(pillows: Pillows, cursor: string | null);
    get cursor(): string | null;
    get broker(): import("./frames.js").Broker | null;
    get isLoading(): boolean;
    get retained(): boolean;
    get watching(): number | null;
    /** @param {string} id */
    isUnconfirmed(id: string): boolean;
    /** @param {string} id */
    sign(id: string): import("./store.js").Sign | undefined;
    /** Want these pillows; `missing` tells what that changes. @param {Pillows} pillows */
    select(pillows: Pillows): void;
    /** See the store of a session. @param {Store} store */
    attach(store: Store): void;
    /** The connection is lost, or was closed. */
    lost(): void;
    /** Leave the session; what is known stays. */
    detach(): void;
    /**
     * How much of what it wants a request named.
     *
     * @param {Set<string> | null} ids null for all
     * @returns {"all" | "some" | "none"}
     */
    coverage(ids: Set<string> | null): "all" | "some" | "none";
    /** Take new states, all of its pillows. @param {Update[]} updates */
    apply(updates: Update[]): void;
    /** The updates with what this knew before each. @param {Update[]} updates */
    related(updates: Update[]): {
        id: string;
        pillow: import("./store.js").Pillow | null;
        cursor: string | null;
        previous: import("./frames.js").Pillow | undefined;
    }[];
    /** The updates without those that it has already. @param {Update[]} updates */
    unknownOf(updates: Update[]): import("./store.js").Update[];
    /**
     * What the session knows and this does not, and what this knows and is no more, or is not wanted.
     *
     * @returns {Update[]}
     */
    missing(): Update[];
}
