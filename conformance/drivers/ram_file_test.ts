import { Buffer } from "node:buffer";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { GuestMemory } from "../../mod.ts";
import { writeRamFile } from "./ram_file.ts";

const MIB = 1 << 20;

function inDirectory(test: (path: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "ram-file-"));
  try {
    test(join(directory, "ram"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe("writeRamFile", () => {
  it("writes every byte of the ranges, one after the other, and leaves holes for zeros", () => {
    inDirectory((path) => {
      const low = new Uint8Array(4 * MIB);
      const high = new Uint8Array(2 * MIB + 3);
      low[0] = 1;
      low[3 * MIB + 5] = 2;
      high[high.length - 1] = 3;
      const start = 1n << 32n;
      const memory = GuestMemory.of([{ start: 0n, bytes: low }, { start, bytes: high }]);
      writeRamFile(path, memory, memory.ram);
      const file = readFileSync(path);
      assertEquals(file.length, low.length + high.length);
      const expected = new Uint8Array(file.length);
      expected.set(low);
      expected.set(high, low.length);
      assert(file.every((byte, i) => byte === expected[i]));
      assert(statSync(path).blocks * 512 < MIB, "the file is sparse");
    });
  });

  it("leaves zeros where the memory has no region, and refuses what the machine has no RAM for", () => {
    inDirectory((path) => {
      const bytes = new Uint8Array(MIB).fill(7);
      const memory = GuestMemory.of([{ start: 0x8020_0000n, bytes }]);
      const low = { start: 0x1000n, size: BigInt(MIB) };
      writeRamFile(path, memory, [low, { start: 0x8000_0000n, size: 4n * BigInt(MIB) }]);
      const file = readFileSync(path);
      assertEquals(file.length, 5 * MIB);
      assert(file.every((byte, i) => byte === (i >= 3 * MIB && i < 4 * MIB ? 7 : 0)));
      const short = { start: 0x8000_0000n, size: 2n * BigInt(MIB) };
      assertThrows(() => writeRamFile(`${path}2`, memory, [low, short]), Error, "0x80200000");
    });
  });

  it("looks only at what it is told to, and puts it where the file holds it", () => {
    inDirectory((path) => {
      const [low, high] = [new Uint8Array(MIB).fill(1), new Uint8Array(MIB).fill(2)];
      const start = 1n << 32n;
      const memory = GuestMemory.of([{ start: 0n, bytes: low }, { start, bytes: high }]);
      writeRamFile(path, memory, memory.ram, [{ start: start + 7n, size: 5n }]);
      const file = readFileSync(path);
      const expected = new Uint8Array(2 * MIB);
      expected.fill(2, MIB + 7, MIB + 12);
      assertEquals(Buffer.compare(file, expected), 0);
    });
  });

  it("does not write over a file that is there", () => {
    inDirectory((path) => {
      const memory = GuestMemory.of([{ start: 0n, bytes: new Uint8Array(1) }]);
      writeRamFile(path, memory, memory.ram);
      assertThrows(() => writeRamFile(path, memory, memory.ram));
    });
  });
});
