import type { Source } from "../core/verify";

export const FOLDER = "bundles";

/** Students in `bundles/index.json`; throws an `Error` that says what to do if none is there. */
export async function listBundles(): Promise<string[]> {
  const answer = await fetched(`${FOLDER}/index.json`);
  const index: unknown = answer === null ? null : await answer.json().catch(() => null);
  const named = (index as { bundles?: unknown } | null)?.bundles;
  const names = Array.isArray(named) ? named.filter((name) => typeof name === "string") : [];
  if (names.length === 0) {
    throw new Error(
      `${FOLDER}/index.json lists no bundle; install one: fovea bundle install NAME --app web`,
    );
  }
  return names;
}

/** The bundle of a student beside the page. */
export function served(name: string): Source {
  const folder = `${FOLDER}/${encodeURIComponent(name)}`;
  return {
    where: `${FOLDER}/${name}`,
    async read(path, sha256) {
      const address = `${folder}/${path.split("/").map(encodeURIComponent).join("/")}`;
      // The hash in the address lets a kept copy be told from that of an older bundle.
      const answer = await fetched(sha256 ? `${address}?sha256=${sha256}` : address);
      return answer === null ? null : new Uint8Array(await answer.arrayBuffer());
    },
  };
}

/** The answer, or null for "not found"; throws where the server cannot be asked or fails. */
async function fetched(address: string): Promise<Response | null> {
  let answer: Response;
  try {
    answer = await fetch(address);
  } catch {
    throw new Error(`${address} cannot be reached; check the network, or the server of this page`);
  }
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`${address}: the server answered ${answer.status}; try again`);
  return answer;
}
