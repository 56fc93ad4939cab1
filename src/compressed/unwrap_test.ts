import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fixture, type FixtureName, sample } from "../../fuzz/arbitraries/compressed.ts";
import { pattern, poke } from "../../fuzz/arbitraries/images.ts";
import { LoaderError } from "../errors.ts";
import { crc32 } from "./checksums.ts";
import { bzImageChecksum } from "./bzimage_crc.ts";
import { unwrapKernel, type UnwrapOptions } from "./unwrap.ts";

/** 4,096 bytes that start as an ELF file does: all that unwrapping looks at. */
const ELF = sample();
ELF.set([0x7f, 0x45, 0x4c, 0x46]);

function join(...parts: (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  poke(bytes, 0, 4, value);
  return bytes;
}

/** A gzip member with one stored block (RFC 1951, 3.2.4), which has to be under 64 KiB. */
function gzip(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
  const length = [bytes.length & 0xff, bytes.length >> 8];
  const block = [1, ...length, ...length.map((byte) => byte ^ 0xff)];
  return join(header, block, bytes, word(crc32(bytes)), word(bytes.length));
}

/** A bzImage of protocol 2.08: 0x1f1 is setup_sects, 0x248 payload_offset, 0x24c payload_length. */
function bzImage(payload: Uint8Array, decoy: readonly number[] = []): Uint8Array<ArrayBuffer> {
  const code = 0x100;
  const size = Math.ceil((1024 + code + payload.length + 4) / 16) * 16;
  const file = new Uint8Array(size);
  file[0x1f1] = 1;
  poke(file, 0x1f4, 4, (size - 1024) / 16);
  poke(file, 0x1fe, 2, 0xaa55);
  poke(file, 0x200, 2, 0x66eb);
  poke(file, 0x202, 4, 0x53726448);
  poke(file, 0x206, 2, 0x020f);
  file[0x211] = 1;
  poke(file, 0x248, 4, code);
  poke(file, 0x24c, 4, payload.length);
  file.set(decoy, 1024);
  file.set(payload, 1024 + code);
  return file;
}

/** zboot-header.S, and 0x80 bytes of what would be code. */
function zboot(type: string, payload: Uint8Array, trailer: Uint8Array): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(0xc0);
  poke(file, 0, 4, 0x5a4d);
  poke(file, 4, 4, 0x676d697a);
  poke(file, 8, 4, file.length);
  poke(file, 0xc, 4, payload.length);
  file.set(new TextEncoder().encode(type), 0x18);
  poke(file, 0x38, 4, 0x818223cd);
  return join(file, payload, trailer, new Uint8Array(64));
}

async function refusal(file: Uint8Array, options?: UnwrapOptions): Promise<unknown[]> {
  const error = await assertRejects(() => unwrapKernel(file, options), LoaderError);
  return [error.code, error.field, error.offset];
}

describe("unwrapKernel", () => {
  it("hands a kernel that is not wrapped back as it is", async () => {
    let reads = 0;
    const source = {
      size: ELF.length,
      readAt: (at: number, target: Uint8Array) => {
        reads++;
        target.set(ELF.subarray(at, at + target.length));
        return Math.min(target.length, ELF.length - at);
      },
    };
    const kernel = await unwrapKernel(source);
    assertEquals([kernel.format, kernel.size, kernel.bytes], ["elf", 4096, undefined]);
    assertEquals(kernel.layers, [{ format: "elf", offset: 0, size: 4096 }]);
    assertEquals(reads, 1);
    const target = new Uint8Array(8);
    assertEquals(kernel.readAt(0, target), 8);
    assertEquals(target, ELF.slice(0, 8));
  });

  it("takes an ELF out of gzip, a bzImage and gzip again", async () => {
    const inner = bzImage(gzip(ELF));
    const kernel = await unwrapKernel(gzip(inner));
    assertEquals(kernel.bytes, ELF);
    assertEquals(kernel.layers.map(({ format }) => format), ["gzip", "bzimage", "gzip", "elf"]);
    assertEquals(kernel.layers[2].offset, 1024 + 0x100);
  });

  it("keeps a bzImage that is to be kept, and unwraps what it is in", async () => {
    const file = bzImage(gzip(ELF));
    const options = { bzImage: "keep" } as const;
    assertEquals((await unwrapKernel(file, options)).format, "bzimage");
    assertEquals((await unwrapKernel(gzip(file), options)).bytes, file);
  });

  it("goes by payload_offset, not by the first magic", async () => {
    const decoy = [0x1f, 0x8b, 8, 0, 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0x28, 0xb5, 0x2f, 0xfd];
    assertEquals((await unwrapKernel(bzImage(gzip(ELF), decoy))).bytes, ELF);
  });

  it("takes an ELF that is not compressed out of a bzImage", async () => {
    const kernel = await unwrapKernel(bzImage(ELF));
    assertEquals(kernel.bytes, ELF);
    assertEquals(kernel.layers[1], { format: "elf", offset: 1024 + 0x100, size: ELF.length });
    assertEquals(await refusal(bzImage(ELF), { maxSize: ELF.length - 1 }), [
      "COMPRESSED_SIZE",
      "elf data",
      0,
    ]);
    assertEquals(kernel.layers.map(({ format }) => format), ["bzimage", "elf"]);
  });

  it("believes the size word of a bzImage, to the byte", async () => {
    const names: FixtureName[] = ["xz", "bzip2", "lzma", "lzo", "lz4Legacy", "zstd"];
    for (const name of names) {
      const payload = fixture(name);
      // The right size comes as far as the content, which is no kernel
      const right = await refusal(bzImage(join(payload, word(4096))));
      assertEquals(right[0], "UNKNOWN_FORMAT", name);
      for (const size of [0, 1, 4095, 4097, 0x7fffffff, 0xffffffff]) {
        const [code] = await refusal(bzImage(join(payload, word(size))));
        assertEquals(code, "COMPRESSED_SIZE", `${name} ${size}`);
      }
    }
  });

  it("takes kernels out of zboot images, with the size word behind them and without", async () => {
    const packed = gzip(ELF);
    assertEquals((await unwrapKernel(zboot("gzip", packed, new Uint8Array(0)))).bytes, ELF);
    const [code] = await refusal(zboot("xzkern", fixture("xz"), word(4096)));
    assertEquals(code, "UNKNOWN_FORMAT");
    assertEquals((await refusal(zboot("xzkern", fixture("xz"), word(4095))))[0], "COMPRESSED_SIZE");
  });

  it("says what is wrong with a zboot header, and where", async () => {
    const file = zboot("gzip", gzip(ELF), new Uint8Array(0));
    const bent = (at: number, value: number) => {
      const bytes = file.slice();
      poke(bytes, at, 4, value);
      return bytes;
    };
    assertEquals(await refusal(bent(0x18, 0x61)), [
      "ZBOOT_FIELD",
      "zboot_header.compression_type",
      0x18,
    ]);
    // What a terminal would obey does not reach the message
    const escape = await assertRejects(() => unwrapKernel(bent(0x18, 0x009b_1b7f)), LoaderError);
    assertEquals(escape.actual, '"\\u007f\\u001b\\u009b"');
    assertEquals(await refusal(bent(8, 8)), ["ZBOOT_FIELD", "zboot_header.payload_offset", 8]);
    assertEquals(await refusal(bent(0xc, 0)), ["ZBOOT_FIELD", "zboot_header.payload_size", 0xc]);
    assertEquals((await refusal(bent(0xc, 0xffffffff)))[0], "TRUNCATED");
    assertEquals((await refusal(bent(8, 0xffffffff)))[0], "TRUNCATED");
  });

  it("names the payload field that a bzImage lacks", async () => {
    const bent = (at: number, value: number) => {
      const bytes = bzImage(gzip(ELF));
      poke(bytes, at, 4, value);
      return bytes;
    };
    const field = (
      name: string,
      offset: number,
    ) => ["BZIMAGE_FIELD", `setup_header.${name}`, offset];
    assertEquals(await refusal(bent(0x248, 0)), field("payload_offset", 0x248));
    assertEquals(await refusal(bent(0x24c, 4)), field("payload_length", 0x24c));
    assertEquals((await refusal(bent(0x24c, 0xffffffff)))[0], "TRUNCATED");
  });

  it("stops at four layers", async () => {
    let file = gzip(gzip(gzip(gzip(ELF))));
    assertEquals((await unwrapKernel(file)).bytes, ELF);
    file = gzip(file);
    assertEquals((await refusal(file))[0], "COMPRESSED_NESTING");
  });

  it("bounds every layer, and what is not wrapped, by maxSize and the output", async () => {
    for (const options of [{ maxSize: 4095 }, { output: new Uint8Array(4095) }]) {
      assertEquals((await refusal(gzip(ELF), options))[0], "COMPRESSED_SIZE");
      assertEquals((await refusal(gzip(gzip(ELF)), options))[0], "COMPRESSED_SIZE");
    }
    assertEquals((await refusal(ELF, { output: new Uint8Array(4095) }))[0], "COMPRESSED_SIZE");
    const huge = {
      size: 2 ** 40,
      readAt: (_: number, t: Uint8Array) => (t.set([0x1f, 0x8b, 8]), t.length),
    };
    const error = await assertRejects(() => unwrapKernel(huge), LoaderError);
    assertEquals(error.code, "COMPRESSED_SIZE");
  });

  it("writes to the caller's buffer, however deep the kernel lies", async () => {
    const twice = gzip(gzip(ELF));
    for (const file of [ELF, gzip(ELF), twice, gzip(twice), bzImage(ELF)]) {
      const output = new Uint8Array(8192);
      const { bytes, size } = await unwrapKernel(file, { output });
      assertEquals([bytes?.buffer, bytes?.byteOffset, size], [output.buffer, 0, 4096]);
      assertEquals(bytes, ELF);
    }
  });

  it("says of an error inside what was unpacked that its offsets are not the file's", async () => {
    const inner = bzImage(fixture("xz"));
    const error = await assertRejects(() => unwrapKernel(gzip(inner)), LoaderError);
    assert(error.message.includes("unpacked from gzip > bzimage"), error.message);
  });
});

describe("bzImageChecksum", () => {
  /** boot.rst: the CRC over the file, without the inversion at the end, is 0. */
  const signed = bzImage(gzip(ELF));
  poke(signed, signed.length - 4, 4, ~crc32(signed.subarray(0, -4)));

  it("covers a kernel that is read in more than one part", () => {
    const file = bzImage(pattern((1 << 20) + 4096));
    poke(file, file.length - 4, 4, ~crc32(file.subarray(0, -4)) >>> 0);
    assertEquals(bzImageChecksum(file).state, "valid");
    file[file.length - 5] ^= 1;
    assertEquals(bzImageChecksum(file).state, "mismatch");
  });

  it("is valid over what syssize says, with anything behind it", () => {
    assertEquals(bzImageChecksum(signed).state, "valid");
    assertEquals(bzImageChecksum(join(signed, [1, 2, 3])).state, "valid");
  });

  it("tells a changed file and a short one", () => {
    const changed = signed.slice();
    changed[2000] ^= 1;
    assertEquals(bzImageChecksum(changed).state, "mismatch");
    assertEquals(bzImageChecksum(signed.subarray(0, -1)).state, "truncated");
  });

  it("refuses to read what no kernel is, a sparse file of 64 GiB", () => {
    const head = signed.slice();
    poke(head, 0x1f4, 4, 0xffff_ffff); // syssize
    const readAt = (at: number, target: Uint8Array) => {
      target.fill(0).set(head.subarray(at, at + target.length));
      return target.length;
    };
    const error = assertThrows(() => bzImageChecksum({ size: 2 ** 40, readAt }), LoaderError);
    assertEquals([error.code, error.field], ["LIMIT_EXCEEDED", "setup_header.syssize"]);
  });
});
