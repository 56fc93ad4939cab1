import fc from "fast-check";
import { type CmdlineCase, cmdlineCases, type CmdlineStep } from "../arbitraries/cmdlines.ts";
import { judge } from "../judge.ts";
import { type Line, parsed, stepped, textOf } from "../model/cmdline.ts";
import { property, Violation } from "../property.ts";
import type { Cmdline } from "../../mod.ts";

function longest({ raw = "", steps }: CmdlineCase): number {
  const texts = steps.flatMap((step) => {
    if (step.kind === "insert") return [step.key, step.value];
    if (step.kind === "multiple") return [step.key, ...step.values];
    return step.kind === "virtio" ? [] : [step.text];
  });
  return [raw, ...texts].reduce((sum, text) => sum + text.length + 8, 0);
}

/** The same with the capacity that the whole of it needs. */
function fitted(line: CmdlineCase, spare: number): CmdlineCase {
  const { raw = "", steps } = line;
  const start = parsed(raw, Infinity) ?? { boot: "", init: "", size: 0 };
  const whole = steps.reduce((line, step) => stepped(line, step, Infinity) ?? line, start);
  return { ...line, capacity: whole.size + spare };
}

function apply(line: Cmdline, step: CmdlineStep): void {
  switch (step.kind) {
    case "insert":
      return line.insert(step.key, step.value);
    case "multiple":
      return line.insertMultiple(step.key, step.values);
    case "str":
      return line.insertStr(step.text);
    case "init":
      return line.insertInitArgs(step.text);
    case "virtio":
      return line.addVirtioMmioDevice(step.size, step.base, step.irq, step.id);
  }
}

export default property({
  name: "total-cmdline",
  says:
    "Cmdline holds what the plain model does, is as it was after a refusal, throws LoaderErrors",
  inputs: fc.record({
    line: cmdlineCases,
    // Of some lines, the capacity is what they come to, or a byte more
    spare: fc.constantFrom(undefined, undefined, 0, 1),
  }).map(({ line, spare }) => spare === undefined ? line : fitted(line, spare)),
  check(input, { Cmdline, checkCmdline }) {
    const size = longest(input);
    const { capacity, raw, steps } = input;
    const { value: line } = judge(size, () => {
      return raw === undefined ? new Cmdline(capacity) : Cmdline.tryFrom(raw, capacity);
    });
    const isCapacity = Number.isSafeInteger(capacity) && capacity >= 1;
    let wanted: Line | undefined = { boot: "", init: "", size: 0 };
    if (raw !== undefined) wanted = parsed(raw, capacity);
    if ((line !== undefined) !== (isCapacity && wanted !== undefined)) {
      throw new Violation("a line that is not as the model says", `${line}`);
    }
    if (!line || !wanted) return;
    for (const step of steps) {
      const before = `${line}`;
      const { refused } = judge(size, () => apply(line, step));
      if (refused && `${line}` !== before) throw new Violation("a refusal changes the line");
      const next: Line | undefined = stepped(wanted, step, capacity);
      if ((refused === undefined) !== (next !== undefined)) {
        throw new Violation(`${step.kind} is${refused ? "" : " not"} refused`, refused?.message);
      }
      wanted = next ?? wanted;
      if (`${line}` !== textOf(wanted)) throw new Violation("another line", `${line}`);
      if (!refused && !`${line}`.startsWith(before.split(" -- ")[0])) {
        throw new Violation("an insertion changes what was there", `${before} → ${line}`);
      }
    }
    const { value: bytes } = judge(`${line}`.length, () => line.asCString());
    const isWritable = (wanted.boot !== "" || wanted.init === "") && !`${line}`.includes("\0");
    if ((bytes !== undefined) !== isWritable) throw new Violation("asCString is wrong", `${line}`);
    if (bytes) {
      if (bytes.length > capacity) throw new Violation("a line longer than its capacity");
      if (bytes.indexOf(0) !== bytes.length - 1) throw new Violation("a NUL before the end");
      if (new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) !== `${line}\0`) {
        throw new Violation("other bytes");
      }
    }
    const checked = judge(`${line}`.length, () => checkCmdline(`${line}`, 32, "a test"));
    const fits = /^[ -~]{0,32}$/.test(`${line}`);
    if ((checked.value !== undefined) !== fits) throw new Violation("checkCmdline is wrong");
  },
});
