import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type CachedKernel, readCache, writeAtomically, writeCache } from "./kernel_cache.ts";

const ORIGIN = { package: "linux-image-1", version: "1.0-1", debSha256: "d".repeat(64) };
/** SHA-256 of "kernel one". */
const SHA256 = "71db653b9c939843738f91122bce573308a96210d150a2210d85fa9fbac501fa";

describe("the kernel cache", () => {
  let root: string;
  let directory: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "kernel-cache-test-"));
    directory = join(root, "kernels/k");
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const write = (content: string, origin = ORIGIN): CachedKernel => {
    mkdirSync(join(root, "work"), { recursive: true });
    writeFileSync(join(root, "work/vmlinuz-1"), content);
    return writeCache(directory, join(root, "work/vmlinuz-1"), origin);
  };
  const damage = () => {
    const entry = readCache(directory);
    assertEquals(entry.kernel, undefined);
    return entry.damage!;
  };

  it("returns what was written, and leaves nothing else", () => {
    const kernel = write("kernel one");
    assertEquals(kernel, {
      ...ORIGIN,
      kernelSha256: SHA256,
      size: 10,
      name: "vmlinuz-1",
      file: `vmlinuz-1-${SHA256.slice(0, 16)}`,
      path: join(directory, `vmlinuz-1-${SHA256.slice(0, 16)}`),
    });
    assertEquals(readFileSync(kernel.path, "utf8"), "kernel one");
    assertEquals(readCache(directory), { kernel });
    assertEquals(readdirSync(directory).sort(), ["kernel.json", kernel.file]);
    assertEquals(readdirSync(join(root, "work")), []);
  });

  it("is empty where there is nothing, or a kernel without its record", () => {
    assertEquals(readCache(directory), {});
    write("kernel one");
    rmSync(join(directory, "kernel.json"));
    assertEquals(readCache(directory), {});
  });

  it("never uses a truncated kernel", () => {
    const { path } = write("kernel one");
    truncateSync(path, 9);
    assertEquals(damage(), `${path} has 9 bytes, its record says 10`);
  });

  it("never uses a tampered kernel of the right size", () => {
    const { path } = write("kernel one");
    writeFileSync(path, "kernel 0ne");
    assertStringIncludes(damage(), `${path} has SHA-256 `);
    assertStringIncludes(damage(), `, its record says ${SHA256}`);
  });

  it("never uses a record without its kernel", () => {
    const { path } = write("kernel one");
    rmSync(path);
    assertEquals(damage(), `${path} is missing`);
  });

  it("never uses a record that is no record, or that names a file elsewhere", () => {
    const kernel = write("kernel one");
    const path = join(directory, "kernel.json");
    const text = readFileSync(path, "utf8");
    writeFileSync(join(root, "elsewhere"), "kernel one");
    for (
      const bad of [
        "",
        text.slice(0, -10),
        "null",
        "[]",
        text.replace(`"size": 10`, `"size": "10"`),
        text.replace(`"version"`, `"versions"`),
        text.replace(`"file": "${kernel.file}"`, `"file": "../../elsewhere"`),
        text.replace(`"file": "${kernel.file}"`, `"file": ".."`),
      ]
    ) {
      assert(bad !== text);
      writeFileSync(path, bad);
      assertEquals(damage(), `${path} is not a record`);
    }
  });

  it("replaces an old kernel, and a damaged one", () => {
    const old = write("kernel one");
    const kernel = write("kernel two", { ...ORIGIN, version: "1.0-2" });
    assertEquals(readCache(directory), { kernel });
    assertEquals(readdirSync(directory).sort(), ["kernel.json", kernel.file]);
    assert(old.file !== kernel.file);
    truncateSync(kernel.path, 0);
    assertEquals(write("kernel two").path, kernel.path);
    assertEquals(readCache(directory).damage, undefined);
    assertEquals(readFileSync(kernel.path, "utf8"), "kernel two");
  });

  it("ignores what a writer left that was killed", () => {
    const kernel = write("kernel one");
    writeFileSync(join(directory, "kernel.json.0.partial"), "{");
    writeFileSync(join(directory, "vmlinuz-1-0000000000000000"), "not recorded yet");
    assertEquals(readCache(directory), { kernel });
  });
});

describe("writeAtomically", () => {
  it("replaces the content, and removes its partial file when it fails", () => {
    const directory = mkdtempSync(join(tmpdir(), "write-atomically-test-"));
    try {
      const path = join(directory, "file");
      writeAtomically(path, "one");
      writeAtomically(path, "two");
      assertEquals(readFileSync(path, "utf8"), "two");
      mkdirSync(join(directory, "taken"));
      let failed = false;
      try {
        writeAtomically(join(directory, "taken"), "three");
      } catch {
        failed = true;
      }
      assert(failed, "a directory is not replaced by a file");
      assertEquals(readdirSync(directory).sort(), ["file", "taken"]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
