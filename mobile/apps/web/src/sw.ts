/** Service worker: the page, its runtime and its bundles without a network. */
export {};

interface Scope {
  readonly location: Location;
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(name: string, listener: (event: any) => void): void;
}

declare const __VERSION__: string;
declare const __FILES__: readonly string[];

const scope = self as unknown as Scope;
const SHELL = `fovea-shell-${__VERSION__}`;
/** Under addresses that carry a version or a hash: what is there never changes. */
const RUNTIME = `fovea-runtime-${__VERSION__}`;
const BUNDLES = "fovea-bundles";
/** Servers say that answers vary by headers which page and worker send differently; ours do not. */
const ANY_VARIANT = { ignoreVary: true };
const OPENS = /\/bundles\/(index\.json|[^/]+\/manifest\.json)$/;

scope.addEventListener("install", (event) => {
  event.waitUntil(installed());
});

scope.addEventListener("activate", (event) => {
  event.waitUntil(activated());
});

scope.addEventListener("fetch", (event) => {
  const request = event.request as Request;
  const here = request.url.startsWith(scope.registration.scope);
  if (request.method === "GET" && here) event.respondWith(answer(request));
});

scope.addEventListener("message", (event) => {
  const { keep } = event.data as { keep: readonly string[] };
  const port = event.ports[0] as MessagePort;
  event.waitUntil(
    Promise.all(keep.map(kept)).then(
      () => port.postMessage("ready"),
      (error: unknown) => port.postMessage(`failed: ${String(error)}`),
    ),
  );
});

async function installed(): Promise<void> {
  const shell = await caches.open(SHELL);
  await shell.addAll(__FILES__.map((name) => new Request(name, { cache: "reload" })));
  await scope.skipWaiting();
}

async function activated(): Promise<void> {
  const current = [SHELL, RUNTIME, BUNDLES];
  const old = (await caches.keys()).filter(
    (name) => name.startsWith("fovea-") && !current.includes(name),
  );
  await Promise.all(old.map((name) => caches.delete(name)));
  await scope.clients.claim();
}

async function answer(request: Request): Promise<Response> {
  if (request.mode === "navigate") return isolated(await page(request));
  const { pathname } = new URL(request.url);
  if (OPENS.test(pathname)) return freshest(request);
  const response = (await found(request)) ?? (await fetchedAndKept(request));
  // Others go through as they are, with what the browser has compiled of them.
  return request.destination === "worker" ? isolated(response) : response;
}

/** The page is whatever lies in the shell: another version comes with another service worker. */
async function page(request: Request): Promise<Response> {
  const shell = await caches.open(SHELL);
  return (await shell.match("./index.html", ANY_VARIANT)) ?? fetch(request);
}

function found(request: Request): Promise<Response | undefined> {
  const cacheName = cacheFor(new URL(request.url)) ?? SHELL;
  return caches.match(request, { ...ANY_VARIANT, cacheName });
}

/** From the network while there is one: a bundle may have been exchanged. */
async function freshest(request: Request): Promise<Response> {
  const cache = await caches.open(BUNDLES);
  try {
    const response = await fetch(request);
    if (response.ok) await exchanged(cache, request, response.clone());
    return response;
  } catch (error) {
    const match = await cache.match(request, ANY_VARIANT);
    if (match) return match;
    throw error;
  }
}

/** Keep a manifest or index, and drop what it replaces: files of a bundle, or whole bundles. */
async function exchanged(cache: Cache, request: Request, response: Response): Promise<void> {
  const before = await cache.match(request, ANY_VARIANT);
  const [old, now] = [await before?.text(), await response.clone().text()];
  if (old === now) return;
  const folder = new URL(".", request.url).href;
  const whole = request.url.endsWith("/index.json");
  const staying = whole ? listed(now).map((name) => `${folder}${name}/`) : [];
  for (const { url } of await cache.keys()) {
    const gone = url.startsWith(folder) && !staying.some((bundle) => url.startsWith(bundle));
    if (gone && url !== request.url) await cache.delete(url);
  }
  await cache.put(request, response);
}

function listed(index: string): string[] {
  try {
    return (JSON.parse(index).bundles as string[]).map(encodeURIComponent);
  } catch {
    return [];
  }
}

async function fetchedAndKept(request: Request): Promise<Response> {
  const response = await fetch(request);
  const name = cacheFor(new URL(request.url));
  if (response.ok && name) await (await caches.open(name)).put(request, response.clone());
  return response;
}

async function kept(address: string): Promise<void> {
  const request = new Request(address);
  const url = new URL(address);
  const name = OPENS.test(url.pathname) ? BUNDLES : cacheFor(url);
  if (!name || (await found(request))) return;
  await (await caches.open(name)).add(request);
}

function cacheFor(url: URL): string | null {
  if (url.pathname.includes("/litert/")) return RUNTIME;
  return url.searchParams.has("sha256") ? BUNDLES : null;
}

/** With the headers that threads ask for, which simple hosts of files do not send. */
function isolated(response: Response): Response {
  if (!response.ok || response.type === "opaque") return response;
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}
