/** What this app adds to Vite: bundles from elsewhere, WebAssembly, the service worker. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join, normalize, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import wabt from "wabt";
import type { Connect, Plugin, PreviewServer, ViteDevServer } from "vite";

const PACKAGE = fileURLToPath(new URL("node_modules/@litertjs/core/", import.meta.url));
const WASM = join(PACKAGE, "wasm");
const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".json": "application/json",
  ".png": "image/png",
  ".wasm": "application/wasm",
};

/** What a browser asks for before it shares memory between threads. */
export const ISOLATED = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
};

export const LITERT_VERSION: string = JSON.parse(
  readFileSync(join(PACKAGE, "package.json"), "utf8"),
).version;

/** Serve `/bundles/` from `folder` instead of `public/bundles`, while developing and previewing. */
export function bundlesOf(folder: string | undefined): Plugin {
  const serve = (server: ViteDevServer | PreviewServer): void => {
    if (folder) server.middlewares.use("/bundles", files(folder));
  };
  return { name: "fovea-bundles", configureServer: serve, configurePreviewServer: serve };
}

/** Modules of WebAssembly text as their bytes. */
export function wat(): Plugin {
  return {
    name: "fovea-wat",
    async transform(text, id) {
      if (!id.endsWith(".wat")) return null;
      const compiler = await wabt();
      const module = compiler.parseWat(id, text, { simd: true });
      const bytes = module.toBinary({}).buffer;
      module.destroy();
      return { code: `export default new Uint8Array([${bytes.join()}]);`, map: null };
    },
  };
}

/** The runtime's WebAssembly at `/litert/`, copied beside the page when it is built. */
export function litert(): Plugin {
  let target: string | null = null;
  return {
    name: "fovea-litert",
    configResolved: ({ command, root, build }) => {
      // Servers and test runs close their bundles, too, and have no folder to write to.
      if (command === "build") target = resolve(root, build.outDir, "litert");
    },
    configureServer: (server) => {
      server.middlewares.use("/litert", files(WASM));
    },
    closeBundle: async () => {
      if (target) await cp(WASM, target, { recursive: true });
    },
  };
}

/** Tells the service worker which files make up the page, and their version. */
export function serviceWorker(): Plugin {
  return {
    name: "fovea-service-worker",
    generateBundle(_, bundle) {
      const worker = bundle["sw.js"];
      if (worker?.type !== "chunk") return;
      const names = Object.keys(bundle).filter((name) => name !== "sw.js").sort();
      const digest = createHash("sha256");
      for (const name of names) {
        const file = bundle[name]!;
        digest.update(name).update(file.type === "chunk" ? file.code : file.source);
      }
      digest.update(LITERT_VERSION).update(worker.code);
      const all = ["index.html", "icon.svg", "app.webmanifest", ...names];
      const listed = JSON.stringify([...new Set(all)].map((name) => `./${name}`));
      worker.code = worker.code
        .replaceAll("__VERSION__", JSON.stringify(digest.digest("hex").slice(0, 12)))
        .replaceAll("__FILES__", listed);
    },
  };
}

/** Files of `root` by their path; 404 for all else. */
function files(root: string): Connect.NextHandleFunction {
  return (request, response) => {
    const name = decodeURIComponent((request.url ?? "/").split("?")[0]!);
    const path = join(root, normalize(name));
    if (!path.startsWith(root) || !existsSync(path) || !statSync(path).isFile()) {
      response.statusCode = 404;
      response.end(`${name} is not there`);
      return;
    }
    const type = TYPES[path.slice(path.lastIndexOf("."))] ?? "application/octet-stream";
    response.setHeader("Content-Type", type);
    response.setHeader("Content-Length", statSync(path).size);
    response.setHeader("Cache-Control", "no-cache");
    for (const [key, value] of Object.entries(ISOLATED)) response.setHeader(key, value);
    createReadStream(path).pipe(response);
  };
}
