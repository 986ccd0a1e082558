/** What the page tells its service worker. */
export interface Keep {
  readonly keep: readonly string[];
}

/**
 * Keep all that this page has used, so that it opens without a network.
 *
 * The first visit is over before the service worker sees any request; it is told what was fetched.
 */
export async function keepOffline(runtime: readonly string[]): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register("./sw.js");
    const registration = await navigator.serviceWorker.ready;
    const used = performance.getEntriesByType("resource").map(({ name }) => name);
    const here = [...used, ...runtime].filter((address) => address.startsWith(location.origin));
    const channel = new MessageChannel();
    channel.port1.onmessage = ({ data }: MessageEvent<string>) => {
      document.documentElement.dataset["offline"] = data;
    };
    const said: Keep = { keep: [...new Set(here)] };
    registration.active?.postMessage(said, [channel.port2]);
  } catch (error) {
    // Private windows have no service workers; everything else works there.
    console.warn("not kept for use without a network:", error);
  }
}
