import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  cachedKernel,
  catalogue,
  fetchKernel,
  type FetchOptions,
  type KernelArch,
} from "./debian_kernels.ts";

const hasGnuTar = spawnSync("tar", ["--version"]).stdout?.toString().includes("GNU tar") ?? false;

describe("catalogue", () => {
  it("has each pair of id and architecture once", () => {
    const keys = catalogue.map(({ id, arch }) => `${id} ${arch}`);
    assertEquals(keys.length, new Set(keys).size);
    assert(catalogue.every(({ id, series }) => id === `debian-${series}`));
  });

  it("matches the plain flavour of its own series and architecture alone", () => {
    const cases: [string, KernelArch, string][] = [
      ["debian-6.1", "x86_64", "linux-image-6.1.0-56-amd64-unsigned"],
      ["debian-6.12", "x86_64", "linux-image-6.12.117+deb12-amd64-unsigned"],
      ["debian-6.1", "aarch64", "linux-image-6.1.0-9-arm64-unsigned"],
      ["debian-6.12", "aarch64", "linux-image-6.12.9+deb12-arm64-unsigned"],
      ["debian-6.1", "i386", "linux-image-6.1.0-50-686-unsigned"],
      ["debian-6.12", "riscv64", "linux-image-6.12.107+deb13-riscv64"],
    ];
    const others = [
      "linux-image-6.1.0-56-amd64", // signed
      "linux-image-6.1.0-56-cloud-amd64-unsigned",
      "linux-image-6.1.0-56-rt-amd64-unsigned",
      "linux-image-6.1.0-56-amd64-unsigned-dbg",
      "linux-image-6.1.0-50-686-pae-unsigned",
      "linux-image-6.12.117+deb12-arm64-16k-unsigned",
      "linux-image-6.12-arm64",
      "linux-image-amd64",
      "linux-headers-6.1.0-56-amd64",
      "xlinux-image-6.1.0-56-amd64-unsigned",
    ];
    for (const row of catalogue) {
      const names = [...cases.map(([, , name]) => name), ...others];
      const matching = names.filter((name) => row.packages.test(name));
      const own = cases.filter(([id, arch]) => id === row.id && arch === row.arch);
      assertEquals(matching, own.map(([, , name]) => name));
    }
    assertEquals(cases.length, catalogue.length);
  });
});

describe("cachedKernel", () => {
  it("is undefined where there is none, and throws for what the catalogue does not have", () => {
    const absent = join(tmpdir(), "no-such-cache");
    assertEquals(cachedKernel(absent, "debian-6.1", "x86_64"), undefined);
    assertThrows(
      () => cachedKernel(absent, "debian-6.1", "riscv64"),
      TypeError,
      "Cannot find kernel debian-6.1 for riscv64: known are debian-6.1 for x86_64,",
    );
    assert(!existsSync(absent), "looking makes no directories");
  });
});

describe("fetchKernel", { skip: !hasGnuTar && "there is no GNU tar" }, () => {
  const path = process.env.PATH;
  const lines: string[] = [];
  let root: string;
  let cache: string;
  let options: FetchOptions;

  /** Replaces a program. */
  const program = (name: string, script: string) => {
    writeFileSync(join(root, "bin", name), `#!/bin/sh\ncd "$PWD" && ${script}\n`);
    chmodSync(join(root, "bin", name), 0o755);
  };
  const sources = (...suites: string[]) => {
    const text = suites.map((suite) => {
      const archive = suite.endsWith("-security") ? "debian-security" : "debian";
      return `deb http://mirror.invalid/${archive} ${suite} main\n`;
    });
    writeFileSync(join(root, "apt/sources.list"), text.join(""));
  };
  /** A package, as a tar file, since the stand-in for dpkg-deb unpacks nothing. */
  const makeDeb = (version: string) => {
    mkdirSync(join(root, "tree/boot"), { recursive: true });
    mkdirSync(join(root, "tree/lib"), { recursive: true });
    writeFileSync(join(root, "tree/boot/vmlinuz-6.1.0-1-amd64"), `kernel ${version}`);
    writeFileSync(join(root, "tree/boot/config-6.1.0-1-amd64"), "CONFIG_64BIT=y");
    writeFileSync(join(root, "tree/lib/module.ko"), "a module");
    const tar = spawnSync("tar", ["-C", join(root, "tree"), "-cf", join(root, "deb"), "."]);
    assertEquals(tar.status, 0);
    const bytes = readFileSync(join(root, "deb"));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const stanza = (version: string, sha256: string) =>
      `Package: linux-image-6.1.0-1-amd64-unsigned\nVersion: ${version}\n` +
      `Size: ${bytes.length}\nSHA256: ${sha256}\n\n`;
    writeFileSync(
      join(root, "index"),
      stanza("6.1.9-1", "0".repeat(64)) + stanza(version, sha256) +
        stanza("6.1.10~rc1-1", "1".repeat(64)),
    );
  };
  const fetch = (more: FetchOptions = {}) =>
    fetchKernel(cache, "debian-6.1", "x86_64", { ...options, ...more });
  const assertNothingLeft = () => assertEquals(readdirSync(join(cache, "tmp")), []);

  before(() => {
    root = mkdtempSync(join(tmpdir(), "debian-kernels-test-"));
    for (const name of ["bin", "apt"]) mkdirSync(join(root, name));
    process.env.PATH = `${join(root, "bin")}:${path}`;
  });
  after(() => {
    process.env.PATH = path;
    rmSync(root, { recursive: true });
  });
  beforeEach(() => {
    cache = mkdtempSync(join(root, "cache-"));
    lines.length = 0;
    options = { log: (line) => lines.push(line), aptDirectory: join(root, "apt") };
    sources("bookworm", "bookworm-security");
    makeDeb("6.1.10-1");
    program(
      "apt-get",
      `case "$3" in
update) echo "$2" >> ${root}/updates; cp "$2" ${root}/conf; cp "$(dirname "$2")/sources.list" ${root}/list;;
download) echo "$4" > ${root}/wanted; cp ${root}/deb ./linux-image_amd64.deb;;
esac`,
    );
    program(
      "apt-cache",
      `case "$3" in
pkgnames) printf 'linux-image-6.1.0-1-cloud-amd64-unsigned\\nlinux-image-6.1.0-1-amd64-unsigned\\n';;
show) shift 3; echo "$*" > ${root}/shown; cat ${root}/index;;
esac`,
    );
    program("dpkg-deb", `cat "$2"`);
  });

  it("caches the newest package's kernel, and then needs no program at all", async () => {
    const result = await fetch();
    assert(result.unavailable === undefined);
    assertEquals(readFileSync(result.path, "utf8"), "kernel 6.1.10-1");
    assertEquals([result.package, result.version, result.name], [
      ...["linux-image-6.1.0-1-amd64-unsigned", "6.1.10-1", "vmlinuz-6.1.0-1-amd64"],
    ]);
    const read = (name: string) => readFileSync(join(root, name), "utf8").trim();
    assertEquals(read("shown"), "linux-image-6.1.0-1-amd64-unsigned");
    assertEquals(read("wanted"), "linux-image-6.1.0-1-amd64-unsigned=6.1.10-1");
    assertStringIncludes(read("conf"), `APT::Architecture "amd64";`);
    assert(/ http:\/\/mirror.invalid\/debian-security bookworm-security main$/.test(read("list")));
    assertStringIncludes(
      lines.join("\n"),
      "Downloading linux-image-6.1.0-1-amd64-unsigned 6.1.10-1",
    );
    assertEquals(cachedKernel(cache, "debian-6.1", "x86_64"), result);
    assertEquals(readdirSync(join(cache, "kernels")), ["debian-6.1-x86_64"]);
    assertEquals(readdirSync(join(cache, "kernels/debian-6.1-x86_64")).length, 2);
    assertNothingLeft();

    for (const name of ["apt-get", "apt-cache", "dpkg-deb"]) program(name, "exit 1");
    assertEquals(await fetch(), result);
  });

  it("fetches again when the cached kernel is damaged", async () => {
    const first = await fetch();
    assert(first.unavailable === undefined);
    writeFileSync(first.path, "kernel 6.1.10-2");
    assertEquals(cachedKernel(cache, "debian-6.1", "x86_64"), undefined);
    lines.length = 0;
    assertEquals(await fetch(), first);
    assertEquals(readFileSync(first.path, "utf8"), "kernel 6.1.10-1");
    assertStringIncludes(lines[0], "Not using the cached debian-6.1 for x86_64: ");
  });

  it("looks for a newer version when asked, and downloads only if there is one", async () => {
    const first = await fetch();
    lines.length = 0;
    assertEquals(await fetch({ refresh: true }), first);
    assert(!lines.join("\n").includes("Downloading"), lines.join("\n"));
    makeDeb("6.1.11-1");
    const second = await fetch({ refresh: true });
    assert(second.unavailable === undefined);
    assertEquals(readFileSync(second.path, "utf8"), "kernel 6.1.11-1");
    assertEquals(readdirSync(join(cache, "kernels/debian-6.1-x86_64")).length, 2);
  });

  it("goes on to the next suite when one is broken", async () => {
    const rest = readFileSync(join(root, "bin/apt-get"), "utf8").split("\n").slice(1).join("\n");
    program(
      "apt-get",
      `grep -q bookworm-security "$(dirname "$2")/sources.list" && {
echo "E: unexpected size" >&2; exit 100; }\n${rest}`,
    );
    assertEquals((await fetch()).unavailable, undefined);
    assertStringIncludes(lines.join("\n"), "bookworm-security: Cannot fetch the package index");
    assertStringIncludes(lines.join("\n"), "E: unexpected size");
    assert(/ http:\/\/mirror.invalid\/debian bookworm main$/m.test(
      readFileSync(join(root, "list"), "utf8"),
    ));
  });

  it("fails when no suite has the series, and names them all", async () => {
    program("apt-cache", "exit 0");
    const error = await assertRejects(() => fetch(), Error, "Cannot fetch debian-6.1 for x86_64: ");
    assertStringIncludes(error.message, "bookworm-security: no package matches ^linux-image-6");
    assertStringIncludes(error.message, "bookworm: no package matches ^linux-image-6");
  });

  it("fails when a package is not what the index says, and caches nothing", async () => {
    writeFileSync(join(root, "deb"), "something else");
    await assertRejects(() => fetch(), Error, "its SHA-256 is ");
    assertEquals(cachedKernel(cache, "debian-6.1", "x86_64"), undefined);
    assert(!existsSync(join(cache, "kernels")));
    assertNothingLeft();
  });

  it("fails when the download or the unpacking fails, with what was said", async () => {
    program("dpkg-deb", `echo "corrupted" >&2; cat "$2"; exit 2`);
    await assertRejects(() => fetch(), Error, "corrupted");
    program("apt-get", `[ "$3" = update ] || { echo "E: 404" >&2; exit 100; }`);
    await assertRejects(() => fetch(), Error, "E: 404");
    assertEquals(cachedKernel(cache, "debian-6.1", "x86_64"), undefined);
  });

  it("says that the disk is full, where, and how much is wanted", async () => {
    const full = /is full: [\d.]+ MB are free, some [\d.]+ MB are wanted; make room there/;
    program(
      "apt-get",
      `echo "E: Error writing to file - write (28: No space left on device)" >&2; exit 100`,
    );
    const late = await assertRejects(() => fetch(), Error, `the disk of ${cache} is full: `);
    assert(full.test(late.message), late.message);
    assertStringIncludes(late.message, "E: Error writing to file");

    program("apt-get", `[ "$3" = update ] || touch ${root}/downloaded`);
    const index = readFileSync(join(root, "index"), "utf8");
    writeFileSync(join(root, "index"), index.replace(/^Size: .*$/gm, "Size: 4000000000000000"));
    const early = await assertRejects(() => fetch(), Error, `the disk of ${cache} is full: `);
    assertStringIncludes(early.message, "some 4000000064.0 MB are wanted");
    assert(!existsSync(join(root, "downloaded")), "before anything is downloaded");
    assertNothingLeft();
  });

  it("stops its children when aborted, and leaves nothing", async () => {
    program(
      "apt-get",
      `[ "$3" = update ] || { echo part > x.deb; echo $$ > ${root}/pid; exec sleep 60; }`,
    );
    const controller = new AbortController();
    const fetching = fetch({ signal: controller.signal });
    while (!existsSync(join(root, "pid")) || !readFileSync(join(root, "pid"), "utf8")) {
      await sleep(5);
    }
    controller.abort(new Error("interrupted"));
    const error = await assertRejects(() => fetching, Error);
    assertEquals(error.message, "interrupted");
    const pid = Number(readFileSync(join(root, "pid"), "utf8"));
    assertThrows(() => process.kill(pid, 0), Error, "ESRCH");
    assertNothingLeft();
  });

  it("survives others that fetch the same at the same time", async () => {
    const results = await Promise.all([fetch(), fetch(), fetch(), fetch()]);
    for (const result of results) assertEquals(result, results[0]);
    assertEquals(results[0], cachedKernel(cache, "debian-6.1", "x86_64")!);
    assertNothingLeft();
  });

  it("is unavailable without a Debian mirror, and says what to do", async () => {
    writeFileSync(join(root, "apt/sources.list"), "deb http://m.invalid/ubuntu noble main\n");
    const { unavailable } = await fetch();
    assertEquals(unavailable, {
      reason: "the system's APT sources name no mirror of debian-security or debian",
      hint: "pass a kernel of your own with --kernel PATH",
    });
  });

  it("is unavailable where the mirror that has the series is not known", async () => {
    sources("bookworm");
    const { unavailable } = await fetchKernel(cache, "debian-6.12", "x86_64", options);
    assertStringIncludes(unavailable!.reason, "no mirror of debian-security");
    assertEquals((await fetch()).unavailable, undefined);
  });

  it("is unavailable without APT", async () => {
    process.env.PATH = "/no/such/directory";
    try {
      assertEquals((await fetch()).unavailable?.reason, "there is no apt-get here");
    } finally {
      process.env.PATH = `${join(root, "bin")}:${path}`;
    }
  });
});
