import { assert, assertEquals } from "@std/assert";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { diskFull, freeBytes, isDiskFull } from "./disk_space.ts";

describe("freeBytes", () => {
  it("is that of the disk, also for what is not there yet", () => {
    const free = freeBytes(join(tmpdir(), "no/such/directory"));
    assert(Number.isFinite(free) && free >= 0);
  });
});

describe("isDiskFull", () => {
  it("goes by what was said, and by what is left", () => {
    for (
      const message of [
        "ENOSPC: no space left on device, write",
        "E: You don't have enough free space in /var/cache/apt/archives/.",
        "tar: boot: Cannot write: Disk quota exceeded",
      ]
    ) assertEquals(isDiskFull(message, 1e9), true);
    assertEquals(isDiskFull("tar: Wrote only 7168 of 10240 bytes", 4096), true);
    assertEquals(isDiskFull("E: 404 Not Found", 1e9), false);
  });
});

describe("diskFull", () => {
  it("says where, how much there is and how much is wanted", () => {
    assertEquals(
      diskFull("/cache", 1_500_000, 64e6),
      "the disk of /cache is full: 1.5 MB are free, some 64.0 MB are wanted; make room there",
    );
  });
});
