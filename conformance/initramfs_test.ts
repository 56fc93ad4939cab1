import { assert, assertEquals, assertThrows } from "@std/assert";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import {
  buildInitramfs,
  type InitramfsEntry,
  S_IFCHR,
  S_IFDIR,
  S_IFLNK,
  S_IFREG,
} from "./initramfs.ts";

const INIT = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0x02);
const ENTRIES: InitramfsEntry[] = [
  { path: "/dev", mode: S_IFDIR | 0o755 },
  { path: "/dev/console", mode: S_IFCHR | 0o600, rdev: { major: 5, minor: 1 } },
  { path: "/init", mode: S_IFREG | 0o755, data: INIT },
  { path: "sh", mode: S_IFLNK | 0o777, data: new TextEncoder().encode("init") },
  { path: "payload", mode: S_IFREG | 0o644, data: new Uint8Array(1000).fill(0xa5) },
];
const hasCpio = spawnSync("cpio", ["--version"]).status === 0;

/** A reader of its own: header fields by name, at offsets from buffer-format.rst. */
function parse(archive: Uint8Array): Record<string, unknown>[] {
  const ascii = new TextDecoder();
  const files: Record<string, unknown>[] = [];
  let at = 0;
  while (true) {
    const field = (i: number) => {
      const digits = ascii.decode(archive.subarray(at + 6 + 8 * i, at + 14 + 8 * i));
      assert(/^[0-9a-f]{8}$/.test(digits), `field ${i} at ${at} is ${digits}`);
      return parseInt(digits, 16);
    };
    assertEquals(ascii.decode(archive.subarray(at, at + 6)), "070701");
    const [ino, mode, uid, gid, nlink, mtime, size, , , rmajor, rminor, namesize, check] = Array
      .from({ length: 13 }, (_, i) => field(i));
    const name = ascii.decode(archive.subarray(at + 110, at + 110 + namesize));
    assert(name.endsWith("\0"), "the name ends with a NUL, which its size counts");
    const start = Math.ceil((at + 110 + namesize) / 4) * 4;
    const data = archive.subarray(start, start + size);
    at = Math.ceil((start + size) / 4) * 4;
    assertEquals([uid, gid, mtime, check], [0, 0, 0, 0]);
    files.push({ name: name.slice(0, -1), ino, mode, nlink, rmajor, rminor, data });
    if (name === "TRAILER!!!\0") break;
  }
  assert(archive.subarray(at).every((byte) => byte === 0), "after the trailer there are zeros");
  return files;
}

describe("buildInitramfs", () => {
  it("writes each entry with its fields and data, and the trailer", () => {
    const none = new Uint8Array(0);
    const plain = { nlink: 1, rmajor: 0, rminor: 0 };
    assertEquals(parse(buildInitramfs(ENTRIES)), [
      { ...plain, name: "dev", ino: 1, mode: 0o040755, nlink: 2, data: none },
      { ...plain, name: "dev/console", ino: 2, mode: 0o020600, rmajor: 5, rminor: 1, data: none },
      { ...plain, name: "init", ino: 3, mode: 0o100755, data: INIT },
      { ...plain, name: "sh", ino: 4, mode: 0o120777, data: new TextEncoder().encode("init") },
      { ...plain, name: "payload", ino: 5, mode: 0o100644, data: new Uint8Array(1000).fill(0xa5) },
      { ...plain, name: "TRAILER!!!", ino: 0, mode: 0, data: none },
    ]);
  });

  it("writes an archive of nothing as the bytes of the format", () => {
    const zeros = "00000000";
    const expected = "070701" +
      zeros.repeat(4) + // ino, mode, uid, gid
      "00000001" + // nlink
      zeros.repeat(6) + // mtime, filesize, maj, min, rmaj, rmin
      "0000000b" + // namesize
      zeros + // chksum
      "TRAILER!!!\0" + "\0\0\0"; // 110 + 11 bytes, padded to 124
    assertEquals(new TextDecoder().decode(buildInitramfs([])), expected);
  });

  it("writes the same bytes every time", () => {
    assertEquals(buildInitramfs(ENTRIES), buildInitramfs(structuredClone(ENTRIES)));
  });

  it("pads to a multiple of 4, or of padTo", () => {
    for (let size = 0; size < 8; size++) {
      const entries = [{ path: "x", mode: S_IFREG | 0o644, data: new Uint8Array(size) }];
      const plain = buildInitramfs(entries);
      assertEquals(plain.length % 4, 0);
      const padded = buildInitramfs(entries, { padTo: 4096 });
      assertEquals(padded.length, 4096);
      assertEquals(padded.subarray(0, plain.length), plain);
      assertEquals(parse(padded), parse(plain));
    }
  });

  it("refuses what the kernel would not unpack as meant", () => {
    const file = { path: "a/b", mode: S_IFREG | 0o644 };
    const device = { path: "tty", mode: S_IFCHR | 0o600 };
    const refused: [InitramfsEntry[], string][] = [
      [[file], "no directory a comes before it"],
      [[{ ...file, path: "a" }, file], "no directory a comes before it"],
      [[{ ...file, path: "a" }, { ...file, path: "/a" }], "its path is there already"],
      [[{ ...file, path: "a//b" }], "its path is not a plain one"],
      [[{ ...file, path: "../b" }], "its path is not a plain one"],
      [[{ ...file, path: "" }], "its path is not a plain one"],
      [[{ ...file, path: "TRAILER!!!" }], "its path is not a plain one"],
      [[{ ...file, path: "a\0b" }], "its path holds a NUL"],
      [[{ path: "a", mode: 0o644 }], "its mode is 0o644"],
      [[{ path: "a", mode: S_IFDIR | 0o755, data: INIT }], "it has data"],
      [[{ path: "a", mode: S_IFLNK | 0o777 }], "a target is wanted"],
      [[device], "it has no device number"],
      [[{ ...device, mode: S_IFREG, rdev: { major: 5, minor: 1 } }], "it has a device number"],
      [[{ ...device, rdev: { major: -1, minor: 0 } }], "a field is -1"],
    ];
    for (const [entries, message] of refused) {
      assertThrows(() => buildInitramfs(entries), RangeError, message);
    }
    for (const padTo of [0, -4, 6, 2.5, NaN]) {
      assertThrows(() => buildInitramfs([], { padTo }), RangeError, "a multiple of 4 is wanted");
    }
  });

  it("is read by cpio", { skip: !hasCpio && "there is no cpio" }, () => {
    const input = buildInitramfs(ENTRIES, { padTo: 512 });
    const result = spawnSync("cpio", ["-tvn"], { input, env: { LC_ALL: "C", TZ: "UTC" } });
    assertEquals(result.status, 0, result.stderr.toString());
    const lines = result.stdout.toString().trim().split("\n");
    const columns = lines.map((line) => line.replace(/\s+/g, " "));
    assertEquals(columns, [
      "drwxr-xr-x 2 0 0 0 Jan 1 1970 dev",
      "crw------- 1 0 0 5, 1 Jan 1 1970 dev/console",
      "-rwxr-xr-x 1 0 0 5 Jan 1 1970 init",
      "lrwxrwxrwx 1 0 0 4 Jan 1 1970 sh -> init",
      "-rw-r--r-- 1 0 0 1000 Jan 1 1970 payload",
    ]);
  });
});
