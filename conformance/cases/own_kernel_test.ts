import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertThrows } from "@std/assert";
import { bzImage } from "../../fuzz/arbitraries/images.ts";
import { ownKernelCase } from "./own_kernel.ts";

describe("ownKernelCase", () => {
  it("refuses an initrd that is larger than RAM without reading it", () => {
    const directory = mkdtempSync(join(tmpdir(), "own-kernel-test-"));
    try {
      const [kernel, initrd] = ["kernel", "initrd"].map((name) => join(directory, name));
      writeFileSync(kernel, bzImage());
      writeFileSync(initrd, "");
      truncateSync(initrd, 2 ** 40);
      const own = { kernel, initrd, expect: /./, ramSize: 1n << 29n, qemuArgs: [] };
      assertThrows(() => ownKernelCase(own), Error, "1099511627776 bytes, the guest has 536870912");
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
