/** Fields of decoded JSON by type; each throws an `Error` that names the field it misses. */
export type Fields = Readonly<Record<string, unknown>>;

export function fields(parent: Fields, name: string): Fields {
  const value = parent[name];
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`${name} is not an object`);
  }
  return value as Fields;
}

export function text(parent: Fields, name: string): string {
  const value = parent[name];
  if (typeof value !== "string") throw new Error(`${name} is not text`);
  return value;
}

export function whole(parent: Fields, name: string): number {
  const value = parent[name];
  if (!Number.isInteger(value) || (value as number) < 0) {
    throw new Error(`${name} is not a whole number`);
  }
  return value as number;
}

export function numbers(parent: Fields, name: string): number[] {
  const value = parent[name];
  if (!Array.isArray(value) || !value.every(Number.isInteger)) {
    throw new Error(`${name} is not a list of whole numbers`);
  }
  return value as number[];
}

export function list(parent: Fields, name: string): Fields[] {
  const value = parent[name];
  if (!Array.isArray(value)) throw new Error(`${name} is not a list`);
  return value as Fields[];
}

/** `reader` of a field that may be absent or null. */
export function optional<T>(
  parent: Fields,
  name: string,
  reader: (parent: Fields, name: string) => T,
): T | undefined {
  return parent[name] == null ? undefined : reader(parent, name);
}
