import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { pattern } from "../fuzz/arbitraries/images.ts";
import { dirtyRam, refusal } from "../fuzz/arbitraries/machines.ts";
import {
  type BootConfigurator,
  FdtBootConfigurator,
  LinuxBootConfigurator,
  PvhBootConfigurator,
} from "./configurator.ts";
import { GuestMemory } from "./memory/guest_memory.ts";
import { BootParams } from "./params/boot_params.ts";
import { BOOT_PARAMS, SETUP_HEADER } from "./structs/bootparam.ts";

const SIZE = 0x10_0000;
const END = BigInt(SIZE);

function guest() {
  const ram = dirtyRam({ start: 0n, size: SIZE });
  return { ...ram, memory: GuestMemory.of(ram.regions) };
}

function refused(configurator: BootConfigurator, params: BootParams) {
  const { memory, changes } = guest();
  const said = refusal(() => configurator.writeBootparams(params, memory));
  assertEquals(changes(), [], "memory untouched");
  return said;
}

for (
  const [name, configurator, part] of [
    ["LinuxBootConfigurator", LinuxBootConfigurator, "zero page"],
    ["FdtBootConfigurator", FdtBootConfigurator, "device tree"],
  ] as const
) {
  describe(`${name}.writeBootparams`, () => {
    it("writes the header and nothing else", () => {
      const { memory, changes } = guest();
      const params = new BootParams(new Uint8Array(4096), 0x3_0000n);
      params.setSections(pattern(8), 0x1000n);
      params.setModules(pattern(8), 0x2000n);
      configurator.writeBootparams(params, memory);
      assertEquals(changes(), [{ start: 0x3_0000n, end: 0x3_1000n }]);
    });

    it("refuses a header that does not fit, up to the last byte of RAM", () => {
      const at = (start: bigint) => new BootParams(new Uint8Array(32), start);
      const outside = { code: "OUTSIDE_RAM", between: [part, "guest RAM"] };
      assertEquals(refused(configurator, at(END - 31n)), outside);
      assertEquals(refused(configurator, at((1n << 64n) - 1n)), outside);
      const { memory } = guest();
      configurator.writeBootparams(at(END - 32n), memory);
      assertEquals(memory.read(END - 32n, 32), new Uint8Array(32));
    });
  });
}

describe("LinuxBootConfigurator.writeBootparams", () => {
  it("writes a typed zero page", () => {
    const { memory } = guest();
    const hdr = SETUP_HEADER.make({ boot_flag: 0xaa55, header: 0x53726448, type_of_loader: 0xff });
    const e820_table = [{ addr: 0n, size: 0x9_fc00n, type: 1 }];
    const page = BOOT_PARAMS.make({ hdr, e820_entries: 1, e820_table });
    LinuxBootConfigurator.writeBootparams(BootParams.of(BOOT_PARAMS, page, 0x7000n), memory);
    assertEquals(memory.read(0x7000n + 0x202n, 4), new TextEncoder().encode("HdrS"));
    assertEquals(memory.read(0x7000n + 0x2d9n, 2), Uint8Array.of(0xfc, 0x09));
  });
});

describe("PvhBootConfigurator.writeBootparams", () => {
  const params = (change: (params: BootParams) => void = () => {}) => {
    const params = new BootParams(pattern(56, 1), 0x6000n);
    params.setSections(pattern(24, 2), 0x7000n);
    params.setModules(pattern(32, 3), 0x8000n);
    change(params);
    return params;
  };

  it("writes the memory map, the start info and the modules", () => {
    const { memory } = guest();
    PvhBootConfigurator.writeBootparams(params(), memory);
    assertEquals(memory.read(0x6000n, 56), pattern(56, 1));
    assertEquals(memory.read(0x7000n, 24), pattern(24, 2));
    assertEquals(memory.read(0x8000n, 32), pattern(32, 3));
  });

  it("writes without modules, and wants no address for none", () => {
    const { memory, changes } = guest();
    const none = params((params) => {
      params.modules = undefined;
    });
    PvhBootConfigurator.writeBootparams(none, memory);
    const empty = params((params) => params.setModules(new Uint8Array(0), (1n << 64n) - 1n));
    PvhBootConfigurator.writeBootparams(empty, memory);
    assertEquals(changes().every(({ end }) => end <= 0x7018n), true);
  });

  it("wants a memory map, and addresses, in linux-loader's order", () => {
    const missing = (field: string) => ({ code: "BOOT_PARAMS_MISSING", field });
    const change = (change: (params: BootParams) => void) =>
      refused(PvhBootConfigurator, params(change));
    const nothing = new BootParams(pattern(56), END);
    assertEquals(refused(PvhBootConfigurator, nothing), missing("memory map"));
    assertEquals(
      change((params) => {
        params.sectionsStart = undefined;
        params.headerStart = END;
      }),
      missing("memory map"),
    );
    assertEquals(
      change((params) => {
        params.headerStart = END;
        params.modulesStart = undefined;
      }).between,
      ["start info", "guest RAM"],
    );
    assertEquals(
      change((params) => {
        params.modulesStart = undefined;
      }),
      missing("modules"),
    );
  });

  it("refuses what does not fit before anything is written", () => {
    for (
      const [field, name, size] of [
        ["sectionsStart", "memory map", 24n],
        ["headerStart", "start info", 56n],
        ["modulesStart", "modules", 32n],
      ] as const
    ) {
      const at = (address: bigint) =>
        params((params) => {
          params[field] = address;
        });
      const outside = { code: "OUTSIDE_RAM", between: [name, "guest RAM"] };
      assertEquals(refused(PvhBootConfigurator, at(END - size + 1n)), outside);
      PvhBootConfigurator.writeBootparams(at(END - size), guest().memory);
    }
  });

  it("lets parts lie on each other, the modules last", () => {
    const { memory } = guest();
    const on = params((params) => {
      params.modulesStart = 0x6000n;
    });
    PvhBootConfigurator.writeBootparams(on, memory);
    assertEquals(memory.read(0x6000n, 32), pattern(32, 3));
    assertEquals(memory.read(0x6020n, 24), pattern(56, 1).slice(32));
  });
});
