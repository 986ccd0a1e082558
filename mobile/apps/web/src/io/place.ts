import type { Place } from "../core/latency";

interface Brands {
  readonly platform: string;
  readonly brands: readonly { readonly brand: string; readonly version: string }[];
}

/** Browser and system as far as they tell. */
export function thisPlace(): Place {
  const hints = (navigator as { userAgentData?: Brands }).userAgentData;
  const named = hints?.brands.find(({ brand }) => !/not.?a.?brand/i.test(brand.replace(/\W/g, "")));
  const browser = named ? `${named.brand} ${named.version}` : agent(navigator.userAgent);
  const platform = hints?.platform || navigator.platform || "unknown system";
  return {
    device: `${platform}, ${navigator.hardwareConcurrency || 1} cores`,
    os: `${browser} on ${platform}`,
    runtime: "litertjs",
    runtimeVersion: __LITERT_VERSION__,
  };
}

function agent(text: string): string {
  const safari = /Version\/([\d.]+).*Safari/.exec(text)?.[1];
  if (safari) return `Safari ${safari}`;
  return /(?:Firefox|Chrome)\/[\d.]+/.exec(text)?.[0]?.replace("/", " ") ?? "a browser";
}
