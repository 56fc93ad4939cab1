import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { planBoot } from "../../mod.ts";
import { readFileSync } from "node:fs";
import type { LayoutOptions } from "../case.ts";
import { guestPath } from "../cases/data.ts";
import { MACHINES } from "../machines.ts";
import { judgeMemoryMap } from "./memory_map.ts";

const ram = [{ start: 0n, size: 0x2000000n }];
const options: LayoutOptions = {
  protocol: "linux64",
  reservations: [{ name: "a", start: 0x150000n, size: 0x1000n, type: "nvs" }],
  memoryMap: [{ start: 0xf0000000n, size: 0x1000n, type: "reserved" }],
};
const kernel = readFileSync(guestPath("probe-elf64.x86_64"));
const plan = planBoot({ ram }, { ...options, kernel });
const map = [
  "PROBE e820[0]=0x0 0x9fc00 0x1",
  "PROBE e820[1]=0x9fc00 0x400 0x2",
  "PROBE e820[2]=0xf0000 0x10000 0x2",
  "PROBE e820[3]=0x100000 0x50000 0x1",
  "PROBE e820[4]=0x150000 0x1000 0x4",
  "PROBE e820[5]=0x151000 0x1eaf000 0x1",
  "PROBE e820[6]=0xf0000000 0x1000 0x2",
].join("\r\n");

function judge(from: string, to: string) {
  const serial = map.replace(from, to);
  return judgeMemoryMap({ serial, plan, kernel, options, ram, machine: MACHINES.microvm })
    .map(({ what, expected, actual }) => [what.split(" at ")[1], expected, actual]);
}

describe("judgeMemoryMap", () => {
  it("passes a map that says of every byte what was asked for", () => {
    assertEquals(judge("", ""), []);
  });

  it("names the first address that is not", () => {
    assertEquals(judge("0x9fc00 0x1", "0x9f000 0x1"), [["0x9f000", "type 1", "no entry"]]);
    assertEquals(judge("0x9fc00 0x1", "0xa0000 0x1"), [["0x9fc00", "type 2", "type 1 and 2"]]);
    assertEquals(judge("0xf0000 0x10000", "0xe0000 0x20000"), [["0xe0000", "no entry", "type 2"]]);
    assertEquals(judge("0x1000 0x4", "0x1000 0x2"), [["0x150000", "type 4", "type 2"]]);
    assertEquals(judge("0x1eaf000", "0x1eae000"), [["0x1fff000", "type 1", "no entry"]]);
    assertEquals(judge("PROBE e820[6]", "PROBE"), [["0xf0000000", "type 2", "no entry"]]);
  });
});
