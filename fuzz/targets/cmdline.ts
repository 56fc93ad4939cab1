import { Cmdline } from "../../mod.ts";
import { judge } from "../judge.ts";

const SIZE = 1 << 16;

/** Builds a command line: the first byte is its capacity, NULs part what is added. */
export function fuzz(data: Uint8Array): void {
  const text = String.fromCharCode(...data.subarray(1, 512));
  const capacity = (data[0] ?? 0) * 8;
  const { value: line } = judge(SIZE, () => Cmdline.tryFrom(text, capacity));
  if (line) judge(SIZE, () => line.asCString());
  const { value: built } = judge(SIZE, () => new Cmdline(capacity));
  if (!built) return;
  for (const part of text.split("\0")) {
    const [key, ...values] = part.slice(1).split("=");
    const before = `${built}`;
    const { refused } = judge(SIZE, () => {
      if (part.startsWith("i")) built.insertInitArgs(part);
      else if (part.startsWith("m")) built.insertMultiple(key, values);
      else if (part.startsWith("k")) built.insert(key, values.join("="));
      else built.insertStr(part);
    });
    if (refused && `${built}` !== before) throw new Error("a refusal changes the line");
  }
  const { value: bytes } = judge(SIZE, () => built.asCString());
  if (bytes && bytes.length > capacity) throw new Error("longer than its capacity");
}
