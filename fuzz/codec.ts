/**
 * Inputs as text.
 *
 * @module
 */

/**
 * An input as JSON: bigints as `{ "$bigint": "0x10" }`, bytes as `{ "$bytes": "00ff*3 01" }` (hex,
 * a repeated byte with its count).
 *
 * @param input Plain data with bigints and bytes.
 * @returns Text.
 */
export function encodeInput(input: unknown): string {
  return JSON.stringify(encode(input), undefined, 1) + "\n";
}

/**
 * Reads what {@linkcode encodeInput} wrote.
 *
 * @param text JSON.
 * @returns The input.
 */
export function decodeInput(text: string): unknown {
  return decode(JSON.parse(text));
}

function encode(value: unknown): unknown {
  if (typeof value === "bigint") {
    return { $bigint: value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}` };
  }
  if (value instanceof Uint8Array) return { $bytes: encodeBytes(value) };
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, encode(item)]),
  );
}

function decode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== "object" || value === null) return value;
  const { $bigint, $bytes } = value as { $bigint?: string; $bytes?: string };
  if ($bigint !== undefined) {
    return $bigint.startsWith("-") ? -BigInt($bigint.slice(1)) : BigInt($bigint);
  }
  if ($bytes !== undefined) return decodeBytes($bytes);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
}

/** Runs of eight and more are counted. */
const LONG_RUN = 8;

function encodeBytes(bytes: Uint8Array): string {
  const parts: string[] = [];
  let plain = "";
  for (let at = 0; at < bytes.length;) {
    let end = at + 1;
    while (end < bytes.length && bytes[end] === bytes[at]) end++;
    const hex = bytes[at].toString(16).padStart(2, "0");
    if (end - at >= LONG_RUN) {
      if (plain !== "") parts.push(plain);
      parts.push(`${hex}*${end - at}`);
      plain = "";
    } else {
      plain += hex.repeat(end - at);
    }
    at = end;
  }
  if (plain !== "") parts.push(plain);
  return parts.join(" ");
}

function decodeBytes(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const part of text.split(" ").filter((part) => part !== "")) {
    const [hex, count] = part.split("*");
    if (count !== undefined) {
      for (let i = 0; i < Number(count); i++) bytes.push(parseInt(hex, 16));
    } else {
      for (let i = 0; i < hex.length; i += 2) bytes.push(parseInt(hex.slice(i, i + 2), 16));
    }
  }
  return Uint8Array.from(bytes);
}
