/** Compares a zero page and its setup_data with what was asked for, the kernel's file, and the plan. */
import { SETUP_INDIRECT, SETUP_INDIRECT_DATA } from "../../mod.ts";
import type { Observation } from "../case.ts";
import { formatCrc32 } from "../crc32.ts";
import { bytesOf, fileOf, placementOf } from "./content.ts";
import type { Facts } from "./facts.ts";
import { E820_TYPES, expectEntries, ZERO_PAGE_ENTRIES } from "./memory_map.ts";
import { isElf, kernelPage } from "./setup_header.ts";

const low = (value: bigint) => value & 0xffffffffn;
const high = (value: bigint) => value >> 32n;

/**
 * Compares what a guest says of its zero page.
 *
 * @param facts What it said.
 * @param seen What was seen, and what was asked for.
 * @param address Where the zero page should be.
 */
export function expectZeroPage(facts: Facts, seen: Observation, address: bigint): void {
  const { plan, options } = seen;
  const cmdline = placementOf(plan, "command line")?.start ?? 0n;
  const initrd = initrdOf(seen);
  facts.expectAll({
    zero_page: address,
    sentinel: 0,
    "hdr.boot_flag": 0xaa55,
    "hdr.header": 0x53726448,
    "hdr.type_of_loader": 0xff,
    "hdr.cmd_line_ptr": low(cmdline),
    ext_cmd_line_ptr: high(cmdline),
    "hdr.ramdisk_image": low(initrd.start),
    ext_ramdisk_image: high(initrd.start),
    "hdr.ramdisk_size": low(initrd.size),
    ext_ramdisk_size: high(initrd.size),
    acpi_rsdp_addr: options.rsdp ?? 0n,
    e820_entries: Math.min(plan.memoryMap.length, ZERO_PAGE_ENTRIES),
  });
  expectEntries(facts, "e820", plan.memoryMap.slice(0, ZERO_PAGE_ENTRIES));
  expectEveryByte(facts, seen);
  expectSetupData(facts, seen);
}

function initrdOf({ plan, options }: Observation): { start: bigint; size: bigint } {
  const start = options.initrdAddress ?? placementOf(plan, "initrd")?.start ?? 0n;
  return options.initrd
    ? { start, size: BigInt(bytesOf(options.initrd).length) }
    : { start: 0n, size: 0n };
}

/** Builds the page once more: zeros, the file's header, and what a loader sets by boot.rst. */
function expectEveryByte(facts: Facts, seen: Observation): void {
  const { plan, kernel, options } = seen;
  const file = fileOf(kernel);
  const rip = BigInt(facts.get("rip") ?? 0x200);
  if (options.kernelAddress !== undefined && !isElf(file)) {
    facts.expect("rip", options.kernelAddress + (plan.protocol === "linux64" ? 0x200n : 0n));
  }
  const page = kernelPage(file, plan.protocol, rip);
  const view = new DataView(page.buffer);
  const cmdline = placementOf(plan, "command line")?.start ?? 0n;
  const initrd = initrdOf(seen);
  const split = (value: bigint, lowAt: number, highAt: number) => {
    view.setUint32(lowAt, Number(low(value)), true);
    view.setUint32(highAt, Number(high(value)), true);
  };
  view.setUint16(0x1fa, 0xffff, true); // vid_mode: normal
  view.setUint8(0x210, 0xff); // type_of_loader: undefined
  split(cmdline, 0x228, 0xc8);
  split(initrd.start, 0x218, 0xc0);
  split(initrd.size, 0x21c, 0xc4);
  view.setBigUint64(0x70, options.rsdp ?? 0n, true); // acpi_rsdp_addr
  view.setBigUint64(0x250, BigInt(facts.get("setup_data[0]")?.split(" ")[0] ?? 0), true);
  const entries = facts.count("e820");
  view.setUint8(0x1e8, entries);
  for (let i = 0; i < entries; i++) {
    const [start, size, type] = facts.get(`e820[${i}]`)!.split(" ").map(BigInt);
    view.setBigUint64(0x2d0 + 20 * i, start, true);
    view.setBigUint64(0x2d8 + 20 * i, size, true);
    view.setUint32(0x2e0 + 20 * i, Number(type), true);
  }
  facts.expect("zero_page.crc32", formatCrc32(page));
  // A checksum does not say which byte
  const planned = placementOf(plan, "zero page")?.content;
  const at = planned?.kind === "bytes" ? page.findIndex((byte, i) => byte !== planned.bytes[i]) : 0;
  if (planned?.kind !== "bytes" || at < 0) return;
  const [expected, actual] = [page, planned.bytes].map((bytes) => `0x${bytes[at].toString(16)}`);
  facts.note({ what: `zero page, byte 0x${at.toString(16)}`, expected, actual });
}

/** The setup_data that a guest must find: those handed over, and the memory map's rest. */
function wantedSetupData({ plan, options }: Observation): { type: number; data: Uint8Array }[] {
  const rest = plan.memoryMap.slice(ZERO_PAGE_ENTRIES);
  const view = new DataView(new ArrayBuffer(20 * rest.length));
  for (const [i, { start, size, type }] of rest.entries()) {
    view.setBigUint64(20 * i, start, true);
    view.setBigUint64(20 * i + 8, size, true);
    view.setUint32(20 * i + 16, E820_TYPES[type], true);
  }
  const overflow = rest.length > 0 ? [{ type: 1, data: new Uint8Array(view.buffer) }] : [];
  return [...options.setupData ?? [], ...overflow];
}

function expectSetupData(facts: Facts, seen: Observation): void {
  const setupData = wantedSetupData(seen);
  if (setupData.length !== facts.count("setup_data")) {
    facts.note({
      what: "PROBE setup_data",
      expected: `${setupData.length} in the chain`,
      actual: `${facts.count("setup_data")}`,
    });
  }
  for (const [i, { type, data }] of setupData.entries()) {
    const [, ...rest] = facts.get(`setup_data[${i}]`)?.split(" ") ?? [];
    const wanted = `0x${type.toString(16)} 0x${data.length.toString(16)} ${formatCrc32(data)}`;
    if (rest.join(" ") === wanted) continue;
    facts.note({ what: `PROBE setup_data[${i}]`, expected: wanted, actual: rest.join(" ") });
  }
  for (const [i, { type, data }] of setupData.entries()) {
    facts.expect(
      `setup_indirect[${i}]`,
      type === SETUP_INDIRECT ? indirectData(data, seen) : undefined,
    );
  }
}

/** What lies where a setup_indirect says; cases let it point into the initrd. */
function indirectData(item: Uint8Array, { plan, options }: Observation): string {
  const { type, len, addr } = SETUP_INDIRECT_DATA.read(item);
  const at = Number(addr - (placementOf(plan, "initrd")?.start ?? 0n));
  const data = bytesOf(options.initrd ?? new Uint8Array()).subarray(at, at + Number(len));
  const numbers = [addr, type, len].map((value) => `0x${value.toString(16)}`);
  return `${numbers.join(" ")} ${formatCrc32(data)}`;
}
