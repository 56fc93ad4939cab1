import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { downloadSize, ensureTools, installHint, QEMU_X86_64 } from "./setup.ts";
import { packageManager, parseOsRelease, type System } from "./system.ts";

const DEBIAN = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n`;
const UBUNTU = `ID=ubuntu\nID_LIKE=debian\n`;
const MINT = `ID=linuxmint\nID_LIKE="ubuntu debian"\n`;
const ROCKY = `ID="rocky"\nID_LIKE="rhel centos fedora"\n`;
const SLACKWARE = `ID=slackware\n`;

describe("parseOsRelease", () => {
  it("reads plain and quoted values, and nothing else", () => {
    const text = `# ID=no\nID=debian\n  A_1='b c'  \nB="q\\"\\$\\\\"\nE=\nx y=z\n`;
    assertEquals(parseOsRelease(text), { ID: "debian", A_1: "b c", B: 'q"$\\', E: "" });
  });
});

describe("packageManager", () => {
  it("follows ID, then ID_LIKE, and knows macOS", () => {
    const of = (osRelease: string, platform = "linux") => packageManager({ osRelease, platform });
    assertEquals([DEBIAN, UBUNTU, MINT, ROCKY, "ID=arch"].map((text) => of(text)), [
      ...["apt", "apt", "apt", "dnf", "pacman"] as const,
    ]);
    assertEquals([of(SLACKWARE), of(""), of("", "darwin")], [undefined, undefined, "brew"]);
  });
});

describe("installHint", () => {
  it("is one command where the package manager is known, else all of them", () => {
    assertEquals(installHint(QEMU_X86_64, "brew"), "Install it with: brew install qemu");
    const all = installHint(QEMU_X86_64);
    for (const word of ["apt-get", "dnf", "pacman", "brew"]) assertStringIncludes(all, word);
  });
});

describe("downloadSize", () => {
  it("adds up the sizes, and ignores other lines", () => {
    const printed =
      "'http://h/a%2b.deb' a_1.deb 1500 SHA256:00\nE: 'x' 77\n'u' b.deb 25 MD5Sum:1\n";
    assertEquals(downloadSize(printed), 1525);
    assertEquals(downloadSize(""), 0);
  });
});

describe("ensureTools", () => {
  let directory: string;
  let system: System;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "setup-test-"));
    const tool = (name: string, script: string) => {
      writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(directory, name), 0o755);
    };
    tool("good", `echo "QEMU emulator version 7.2.22 (Debian 1:7.2)"; echo "Copyright 2003"`);
    tool("broken", "echo 'lib.so: not found' >&2; exit 127");
    tool("silent", "exit 0");
    writeFileSync(join(directory, "plain"), "not executable");
    system = { platform: "linux", osRelease: DEBIAN, isRoot: false, path: directory };
  });
  after(() => rmSync(directory, { recursive: true }));

  const named = (name: string) => ({ ...QEMU_X86_64, name });
  const log = (line: string) => assert(false, `nothing is installed, but it said: ${line}`);

  it("reports path and version of a tool that runs", async () => {
    assertEquals(await ensureTools([named("good")], { system, log }), [
      { name: "good", path: join(directory, "good"), version: "7.2.22 (Debian 1:7.2)" },
    ]);
  });

  it("reports a tool that does not run as failed, with what it said", async () => {
    const [broken, silent] = await ensureTools([named("broken"), named("silent")], { system, log });
    const path = join(directory, "broken");
    assertEquals(broken.failed, {
      reason: `Cannot use ${path}: --version ended with exit code 127, 0 is wanted`,
      lines: ["lib.so: not found"],
    });
    assertEquals([broken.path, broken.missing], [undefined, undefined]);
    assertStringIncludes(silent.failed!.reason, "printed no version");
  });

  it("reports an absent tool as missing, with the reason and the command", async () => {
    const cases: [Partial<System>, boolean, string, string][] = [
      [{}, false, "only root can install it", "sudo apt-get install -y"],
      [{ isRoot: true }, true, "nothing may be fetched offline", "qemu-system-x86"],
      [{ isRoot: true }, false, "there is no apt-get", "qemu-system-x86"],
      [{ isRoot: true, osRelease: ROCKY }, false, "only on Debian and Ubuntu", "sudo dnf install"],
      [{ isRoot: true, osRelease: "" }, false, "only on Debian and Ubuntu", "one of: "],
    ];
    for (const [change, offline, reason, hint] of cases) {
      const options = { system: { ...system, ...change }, offline, log };
      const [absent, plain, good] = await ensureTools(
        [named("absent"), named("plain"), named("good")],
        options,
      );
      for (const state of [absent, plain]) {
        assertStringIncludes(state.missing!.reason, `it is not in PATH, and ${reason}`);
        assertStringIncludes(state.missing!.hint, hint);
        assertEquals([state.path, state.failed], [undefined, undefined]);
      }
      assertEquals(good.path, join(directory, "good"));
    }
  });

  describe("where it installs", () => {
    /** Has a stand-in for apt-get do the installing. */
    async function withApt<T>(script: string, body: (system: System) => Promise<T>): Promise<T> {
      const apt = join(directory, "apt-get");
      writeFileSync(apt, `#!/bin/sh\ncd ${directory}\n${script}\n`);
      chmodSync(apt, 0o755);
      try {
        return await body({ ...system, isRoot: true });
      } finally {
        rmSync(apt);
      }
    }
    const arrives = `[ "$1" = --version ] || case "$*" in
*print-uris*) echo "'http://h/q.deb' q.deb 1500000 SHA256:0";;
*update*) echo "E: broken source" >&2; exit 100;;
*) printf '#!/bin/sh\\necho new 1.2\\n' > new; chmod +x new; echo "installed $*";;
esac`;

    it("installs in spite of a failed update, and tells the size", () =>
      withApt(arrives, async (system) => {
        const lines: string[] = [];
        const options = { system, logDir: directory, log: (line: string) => lines.push(line) };
        const states = await ensureTools([named("new"), named("good")], options);
        assertEquals(states.map(({ version }) => version), ["1.2", "7.2.22 (Debian 1:7.2)"]);
        assertStringIncludes(lines.join("\n"), "a source is broken");
        assertStringIncludes(lines.join("\n"), "qemu-system-x86 with apt-get (1.5 MB to download)");
        const said = readFileSync(join(directory, "apt-get.log"), "utf8");
        assertStringIncludes(said, "--no-install-recommends qemu-system-x86");
        assertStringIncludes(said, "DPkg::Lock::Timeout=120");
      }));

    it("reports a failed installation as failed, with its last lines and the log", () =>
      withApt(`echo "E: Unable to locate" >&2; exit 100`, async (system) => {
        const [state] = await ensureTools([named("absent")], { system, logDir: directory });
        assertEquals(state, {
          name: "absent",
          failed: {
            reason: "Cannot install qemu-system-x86: apt-get ended with exit code 100, 0 is wanted",
            log: join(directory, "apt-get.log"),
            lines: ["E: Unable to locate"],
          },
        });
      }));

    it("reports a tool that its package does not bring as failed", () =>
      withApt("exit 0", async (system) => {
        const [state] = await ensureTools([named("absent")], { system, logDir: directory });
        assertStringIncludes(
          state.failed!.reason,
          "Cannot find absent: qemu-system-x86 is installed",
        );
      }));

    it("stops when aborted, and apt-get with it", () =>
      withApt("echo $$ > pid; exec sleep 60", async (system) => {
        const controller = new AbortController();
        const { signal } = controller;
        const states = ensureTools([named("absent")], { system, logDir: directory, signal });
        const pidFile = join(directory, "pid");
        while (!existsSync(pidFile) || readFileSync(pidFile, "utf8") === "") await sleep(5);
        controller.abort(new Error("enough"));
        await assertRejects(() => states, Error, "enough");
        const pid = Number(readFileSync(pidFile, "utf8"));
        assertThrows(() => process.kill(pid, 0), Error, "ESRCH");
      }));
  });
});
