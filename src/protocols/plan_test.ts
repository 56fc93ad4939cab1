import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { elfImage } from "../../fuzz/arbitraries/images.ts";
import { refusal } from "../../fuzz/arbitraries/machines.ts";
import { planBoot } from "../boot.ts";
import { LoaderError } from "../errors.ts";
import { Cmdline } from "../params/cmdline.ts";
import type { BootOptions } from "./plan.ts";

const RAM = { ram: [{ start: 0n, size: 1n << 30n }] };

/** Plans a boot with options that TypeScript would not allow. */
function plan(options: Record<string, unknown>, ram: unknown = RAM) {
  return planBoot(ram as typeof RAM, { kernel: elfImage(), ...options as Partial<BootOptions> });
}

/** What is said of an option of a wrong type. */
function complaint(options: Record<string, unknown>, ram?: unknown): string {
  return assertThrows(() => plan(options, ram), TypeError).message;
}

const range = { name: "r", start: 0x100_0000n, size: 0x1000n };

describe("planBoot with an option of a wrong type", () => {
  it("names it, what was expected and what was there", () => {
    const wrong: [Record<string, unknown>, string][] = [
      [{ kernelAddress: 5 }, "kernelAddress: expected a bigint, got number"],
      [{ initrdAddress: "0x1000" }, "initrdAddress: expected a bigint, got string"],
      [{ rsdp: 0xe0000 }, "rsdp: expected a bigint, got number"],
      [{ rsdp: null }, "rsdp: expected a bigint, got null"],
      [{ hartid: 1 }, "hartid: expected a bigint, got number"],
      [{ protocol: 64 }, "protocol: expected a string, got number"],
      [{ maxCmdlineSize: 5n }, "maxCmdlineSize: expected a number, got bigint"],
      [{ exceptionLevel: 1n }, "exceptionLevel: expected a number, got bigint"],
      [{ initrdPlacement: true }, "initrdPlacement: expected a string, got boolean"],
      [{ deviceTree: "virt.dtb" }, "deviceTree: expected an object, got string"],
      [{ reservations: range }, "reservations: expected an array, got object"],
      [{ reservations: [null] }, "reservations[0]: expected an object, got null"],
      [
        { reservations: [range, { ...range, size: 4096 }] },
        "reservations[1].size: expected a bigint, got number",
      ],
      [
        { reservations: [{ start: 0n, size: 1n }] },
        "reservations[0].name: expected a string, got undefined",
      ],
      [
        { memoryMap: [{ start: 1 << 31, size: 1n, type: "reserved" }] },
        "memoryMap[0].start: expected a bigint, got number",
      ],
      [{ memoryMap: [range] }, "memoryMap[0].type: expected a string, got undefined"],
      [
        { setupData: [{ type: 9n, data: new Uint8Array(1) }] },
        "setupData[0].type: expected a number, got bigint",
      ],
      [
        { setupData: [{ type: 9, data: "x" }] },
        "setupData[0].data: expected a Uint8Array, got string",
      ],
      [
        { modules: [{ source: new Uint8Array(1), cmdline: 5 }] },
        "modules[0].cmdline: expected a string, got number",
      ],
      [{ seeds: { kaslr: 5 } }, "seeds.kaslr: expected a bigint, got number"],
      [{ seeds: { rng: [1, 2] } }, "seeds.rng: expected a Uint8Array, got an array"],
    ];
    for (const [options, what] of wrong) assertEquals(complaint(options), `Cannot use ${what}`);
  });

  it("takes a command line only from what has a text", () => {
    for (const cmdline of [5, {}, ["a", "b"], new Uint8Array(1), Object.create(null), null, true]) {
      assertEquals(/^Cannot use cmdline: expected a string/.test(complaint({ cmdline })), true);
    }
    const cmdline = Cmdline.tryFrom("quiet", 64);
    const own = { toString: () => "quiet" };
    for (const one of ["quiet", cmdline, own]) {
      const placed = plan({ cmdline: one }).placements.find(({ name }) => name === "command line");
      assertEquals(placed?.size, 6n);
    }
  });

  it("wants a list of RAM", () => {
    for (const ram of [null, new Uint8Array(9), { ram: {} }, { ram: [null] }]) {
      assertEquals(
        complaint({}, ram),
        "Cannot use guest memory: expected ranges { start: bigint, size: bigint }",
      );
    }
  });
});

describe("planBoot with an option out of range", () => {
  it("names it", () => {
    const wrong: [string, Record<string, unknown>][] = [
      ...["kernelAddress", "initrdAddress", "rsdp", "hartid"].flatMap((name) => {
        return [-1n, 1n << 64n].map((value): [string, Record<string, unknown>] => [name, {
          [name]: value,
        }]);
      }),
      ["seeds.kaslr", { seeds: { kaslr: 1n << 64n } }],
      ...[-1, 2 ** 32, 0.5, NaN].map((type): [string, Record<string, unknown>] => {
        return ["setupData[0].type", { setupData: [{ type, data: new Uint8Array(1) }] }];
      }),
    ];
    for (const [field, options] of wrong) {
      assertEquals(refusal(() => plan(options)), { code: "INVALID_OPTION", field });
    }
  });

  it("takes the largest", () => {
    const setupData = [{ type: 0xffffffff, data: new Uint8Array(1) }];
    plan({ rsdp: (1n << 64n) - 1n, setupData });
  });
});

describe("planBoot with an option of an unknown name", () => {
  it("refuses it and names those that there are, unless it is undefined", () => {
    const error = assertThrows(() => plan({ initrdAdress: 5n }), LoaderError);
    assertEquals([error.code, error.field], ["INVALID_OPTION", "initrdAdress"]);
    assertEquals(/initrdAdress.*, initrdAddress, /.test(error.message), true, error.message);
    for (const name of ["cmdLine", "fresh", "toString"]) {
      assertEquals(refusal(() => plan({ [name]: "x" })), { code: "INVALID_OPTION", field: name });
    }
    plan({ initrdAdress: undefined });
  });
});
