import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { bzImage, pattern, SETUP } from "../../fuzz/arbitraries/images.ts";
import { failingSource, refusal } from "../../fuzz/arbitraries/machines.ts";
import { sourceOf } from "../source.ts";
import { parseBzImage, setupHeaderField } from "./bzimage.ts";

const parse = (bytes: Uint8Array) => parseBzImage(sourceOf(bytes));
const names = Object.keys(SETUP) as (keyof typeof SETUP)[];
/** The names of the fields that a header of this version and end should have, from boot.rst. */
const WIDTHS: { readonly [name: string]: readonly [number, number] } = SETUP;

describe("parseBzImage", () => {
  it("reads every field of protocol 2.15", () => {
    // Every byte of the header is its own, but for those that make it a bzImage.
    const fields: Record<string, number | bigint> = {};
    for (const [i, name] of names.entries()) {
      const width = SETUP[name][1];
      const value = (0x0101_0101_0101_0101n * BigInt(i + 2)) & ((1n << BigInt(8 * width)) - 1n);
      fields[name] = width === 8 ? value : Number(value);
    }
    const magic = { boot_flag: 0xaa55, jump: 0x6aeb, header: 0x53726448, version: 0x20f };
    const all = { ...fields, ...magic, setup_sects: 2, loadflags: 0x81 };
    const kernel = parse(bzImage(all));
    assertEquals(kernel.header as Record<string, number | bigint>, all);
  });

  it("says where the kernel is and how large header and file say that it is", () => {
    const kernel = parse(bzImage({ kernel: pattern(100), setup_sects: 3 }));
    assertEquals(kernel.format, "bzimage");
    assertEquals(kernel.setupSize, 4 * 512);
    assertEquals(kernel.kernelSize, 112); // 7 units of 16 bytes
    assertEquals(kernel.fileKernelSize, 100);
    assertEquals(parse(bzImage({ syssize: 0xffffffff })).kernelSize, 0xffffffff * 16);
  });

  it("takes a setup_sects of 0 for 4", () => {
    const file = bzImage({ setup_sects: 4 });
    file[0x1f1] = 0;
    assertEquals(parse(file).setupSize, 5 * 512);
    assertEquals(parse(file).header.setup_sects, 0);
  });

  it("has no field that the version predates", () => {
    const since: [number, string[]][] = [
      [0x200, []],
      [0x201, ["heap_end_ptr"]],
      [0x202, ["ext_loader_ver", "ext_loader_type", "cmd_line_ptr"]],
      [0x203, ["initrd_addr_max"]],
      [0x204, []],
      [0x205, ["kernel_alignment", "relocatable_kernel"]],
      [0x206, ["cmdline_size"]],
      [0x207, ["hardware_subarch", "hardware_subarch_data"]],
      [0x208, ["payload_offset", "payload_length"]],
      [0x209, ["setup_data"]],
      [0x20a, ["min_alignment", "pref_address", "init_size"]],
      [0x20b, ["handover_offset"]],
      [0x20c, ["xloadflags"]],
      [0x20d, []],
      [0x20e, []],
      [0x20f, ["kernel_info_offset"]],
      [0xffff, []],
    ];
    const later = new Set(since.flatMap(([, fields]) => fields));
    const present = new Set(names.filter((name) => !later.has(name)));
    for (const [version, fields] of since) {
      for (const name of fields) present.add(name as keyof typeof SETUP);
      const found = Object.keys(parse(bzImage({ version })).header);
      assertEquals(found.sort(), [...present].sort(), `version 0x${version.toString(16)}`);
    }
  });

  it("has no field that the header's own length does not reach, whatever the version says", () => {
    for (let distance = 0; distance <= 0xff; distance++) {
      const file = bzImage({ jump: distance << 8 | 0xeb });
      const { header, headerBytes } = parse(file);
      const end = 0x202 + distance;
      const expected = names.filter((name) => {
        const [offset, width] = WIDTHS[name];
        return offset + width <= Math.max(end, 0x212);
      });
      assertEquals(Object.keys(header).sort(), expected.sort(), `byte 0x201 ${distance}`);
      assertEquals(headerBytes, file.slice(0x1f1, end));
    }
  });

  it("knows memtest86+'s header, which ends at 0x268 with version 2.12", () => {
    const { header } = parse(bzImage({ version: 0x20c, jump: 0x66eb }));
    assertEquals(header.init_size, 0x10000);
    assertEquals(header.handover_offset, 0);
    assertEquals("kernel_info_offset" in header, false);
  });

  it("refuses what is no bzImage, each with its own code", () => {
    assertEquals(refusal(() => parse(bzImage({ header: 0x53726449 }))), {
      code: "BZIMAGE_MAGIC",
      field: "setup_header.header",
      offset: 0x202,
    });
    assertEquals(refusal(() => parse(bzImage({ version: 0x1ff }))), {
      code: "BZIMAGE_VERSION",
      field: "setup_header.version",
      offset: 0x206,
    });
    assertEquals(refusal(() => parse(bzImage({ loadflags: 0xfe }))), {
      code: "BZIMAGE_LOADFLAGS",
      field: "setup_header.loadflags",
      offset: 0x211,
    });
  });

  it("leaves it to the protocols whether it boots", () => {
    const kernel = parse(bzImage({ boot_flag: 0, xloadflags: 0, version: 0x0200, syssize: 0 }));
    assertEquals(kernel.kernelSize, 0);
    assertEquals(parse(bzImage({ kernel: new Uint8Array(0) })).fileKernelSize, 0);
  });

  it("is TRUNCATED inside the header's oldest fields and inside the setup", () => {
    const file = bzImage({ setup_sects: 2 });
    for (let size = 0; size < 3 * 512; size++) {
      const { code, field, offset } = refusal(() => parse(file.slice(0, size)));
      assertEquals(code, "TRUNCATED", `${size} bytes`);
      assertEquals(field, size < 0x212 ? "setup_header" : "real-mode setup (setup_sects)");
      assertEquals(offset, 0);
    }
    assertEquals(parse(file.slice(0, 3 * 512)).fileKernelSize, 0);
  });

  it("refuses 559 bytes with 198 setup sectors", () => {
    const file = bzImage();
    file[0x1f1] = 0xc6;
    assertEquals(refusal(() => parse(file.slice(0, 559))).code, "TRUNCATED");
  });

  it("passes on that its source failed", () => {
    const { code, field } = refusal(() => parseBzImage(failingSource(bzImage(), 0x220)));
    assertEquals([code, field], ["SOURCE_FAILED", "setup_header"]);
  });
});

describe("setupHeaderField", () => {
  it("counts from the start of the file", () => {
    for (const name of names) {
      assertEquals(setupHeaderField(name), {
        field: `setup_header.${name}`,
        offset: SETUP[name][0],
      });
    }
  });
});
