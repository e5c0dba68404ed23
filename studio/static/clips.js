/** Takes fetched whole and kept in memory: seeking then never waits for the network. */

const BUDGET_BYTES = 256 * 1024 * 1024;
const LARGEST_BYTES = 64 * 1024 * 1024;

/** Addresses of takes as the players need them, the newest `BUDGET_BYTES` of them in memory. */
export class Clips {
  #kept = new Map();
  #bytes = 0;

  /** A local address for a take's media; the media's own where it is too long to be kept. */
  get(media) {
    const known = this.#kept.get(media);
    if (known) {
      this.#kept.delete(media);
      this.#kept.set(media, known);
      return known.ready;
    }
    const entry = { bytes: 0, ready: null };
    entry.ready = this.#fetch(media, entry).catch((error) => {
      this.#kept.delete(media);
      throw error;
    });
    this.#kept.set(media, entry);
    return entry.ready;
  }

  async #fetch(media, entry) {
    const response = await fetch(media);
    if (!response.ok) throw new Error(`The picture of this take cannot be read (${response.status}).`);
    if (Number(response.headers.get("content-length")) > LARGEST_BYTES) {
      await response.body.cancel();
      return media;
    }
    const blob = await response.blob();
    entry.bytes = blob.size;
    this.#bytes += blob.size;
    this.#forget(media);
    return URL.createObjectURL(blob);
  }

  #forget(newest) {
    for (const [media, entry] of this.#kept) {
      if (this.#bytes <= BUDGET_BYTES) return;
      if (media === newest || !entry.bytes) continue;
      this.#kept.delete(media);
      this.#bytes -= entry.bytes;
      entry.ready.then((address) => URL.revokeObjectURL(address));
    }
  }
}

/** One for the page: player, takes and memory show the same takes. */
export const clips = new Clips();
