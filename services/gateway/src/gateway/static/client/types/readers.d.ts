/** The readers of a session, indexed by their pillows: who gets which update, and what all of them want. Pure. */
export type ChangeDetail = import("./client_events.js").ChangeDetail;
export type FrameError = import("./frames.js").FrameError;
export type Update = import("./store.js").Update;
export type Pillows = import("./subscription.js").Pillows;
export type Reader = {
    pillows: Pillows;
    view: import("./view.js").View;
    /**
     * new states, if there are any;
     * `isComplete`: now it has all that it wants
     */
    onFrame: (detail: ChangeDetail | null, isComplete: boolean) => void;
    /**
     * the pillows whose motion it wants, where states have none
     */
    motion: string[];
    /**
     * states whose samples have come
     */
    onMotion: (pillows: import("./frames.js").Pillow[]) => void;
    onStatus: () => void;
    onWatching: () => void;
    onFault: (error: FrameError) => void;
};
export declare class Readers {
    #private;
    get size(): number;
    [Symbol.iterator](): SetIterator<Reader>;
    /** @param {Reader} reader */
    has(reader: Reader): boolean;
    /** @param {Reader} reader */
    add(reader: Reader): void;
    /** @param {Reader} reader @returns {boolean} whether it was there */
    remove(reader: Reader): boolean;
    /** What all of them want. @returns {Pillows} */
    get pillows(): Pillows;
    /** The updates of each reader that has any. @param {Update[]} updates */
    distribute(updates: Update[]): Map<Reader, import("./store.js").Update[]>;
}
