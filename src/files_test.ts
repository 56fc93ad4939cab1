import { describe, it } from "node:test";
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { assertEquals, assertThrows } from "@std/assert";
import { bzImage, pattern } from "../fuzz/arbitraries/images.ts";
import { dirtyRam, refusal } from "../fuzz/arbitraries/machines.ts";
import { applyPlan, bootLinux, planBoot } from "./boot.ts";
import { openFile } from "./files.ts";
import { GuestMemory } from "./memory/guest_memory.ts";

/** Runs with a file that holds `bytes`; directory and file are removed afterwards. */
function withFile(
  bytes: Uint8Array,
  run: (path: string, directory: string) => void,
  parent = tmpdir(),
): void {
  const directory = mkdtempSync(join(parent, "files-test-"));
  try {
    const path = join(directory, "kernel");
    writeFileSync(path, bytes);
    run(path, directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe("openFile", () => {
  it("knows the size and reads any part straight into the target", () => {
    withFile(pattern(1000), (path) => {
      const source = openFile(path);
      const target = new Uint8Array(300);
      assertEquals(source.size, 1000);
      assertEquals(source.readAt(700, target.subarray(100)), 200);
      assertEquals(target.subarray(100), pattern(1000).slice(700, 900));
      assertEquals(target.subarray(0, 100), new Uint8Array(100));
      source.close();
    });
  });

  it("reads what there is at the end, and nothing beyond", () => {
    withFile(pattern(1000), (path) => {
      using source = openFile(pathToFileURL(path));
      assertEquals(source.readAt(990, new Uint8Array(100)), 10);
      assertEquals(source.readAt(1000, new Uint8Array(100)), 0);
    });
  });

  it("throws once it is closed, and lets itself be closed twice", () => {
    withFile(pattern(10), (path) => {
      const source = openFile(path);
      source.close();
      source.close();
      assertThrows(() => source.readAt(0, new Uint8Array(1)), Error, "closed");
    });
  });

  it("throws for a size that was rounded", () => {
    // A file of holes; most disks have none that large, memory has
    const inMemory = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
    withFile(pattern(10), (path) => {
      try {
        truncateSync(path, 2 ** 53);
      } catch {
        return; // there is no such file here
      }
      assertThrows(() => openFile(path), Error, "2^53 bytes");
    }, inMemory);
  });

  it("throws for a directory and for a file that is not there", () => {
    withFile(pattern(10), (path, directory) => {
      assertThrows(() => openFile(directory), Error);
      assertThrows(() => openFile(`${path}.not-there`), Error);
    });
  });
});

describe("bootLinux with a FileSource", () => {
  const RAM = { start: 0n, size: 32 << 20 };

  it("loads what it loads from the same bytes", () => {
    const kernel = bzImage({ kernel: pattern(70_000, 2), init_size: 0x20000 });
    withFile(kernel, (path) => {
      const [a, b] = [dirtyRam(RAM), dirtyRam(RAM)];
      using file = openFile(path);
      const fromFile = bootLinux(GuestMemory.of(a.regions), { kernel: file });
      const fromBytes = bootLinux(GuestMemory.of(b.regions), { kernel });
      assertEquals(fromFile.cpu, fromBytes.cpu);
      assertEquals(a.changes(), b.changes());
      assertEquals(a.regions[0].bytes.slice(0x1000000, 0x1000000 + 70_000), pattern(70_000, 2));
    });
  });

  it("fails with PARTIALLY_APPLIED when the file shrinks after the plan was made", () => {
    withFile(bzImage({ kernel: pattern(70_000), init_size: 0x20000 }), (path) => {
      const memory = GuestMemory.of(dirtyRam(RAM).regions);
      using kernel = openFile(path);
      const plan = planBoot(memory, { kernel });
      truncateSync(path, 5000);
      assertEquals(refusal(() => applyPlan(memory, plan)), {
        code: "PARTIALLY_APPLIED",
        field: "kernel",
        offset: 1024, // where the kernel starts in the file; the cause knows where it ended
        between: ["kernel"],
      });
    });
  });
});
