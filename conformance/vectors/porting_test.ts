import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { assert, assertEquals } from "@std/assert";
import * as library from "../../mod.ts";
import { DIVERGENCES, SOURCE_INDEPENDENT } from "./divergences.ts";
import { ERRORS } from "./errors.ts";

const ROOT = new URL("../../", import.meta.url);
const PORTING = readFileSync(new URL("PORTING.md", ROOT), "utf8");

/** The examples, as programs that can be imported from anywhere. */
const EXAMPLES = [...PORTING.matchAll(/^### (.*)\n[^]*?(?=^### |(?![^]))/gm)].flatMap((section) =>
  [...section[0].matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => ({
    name: section[1],
    code: code
      .replaceAll('"@vmm/linux-loader"', JSON.stringify(new URL("mod.ts", ROOT).href))
      .replaceAll('"@vmm/linux-loader/files"', JSON.stringify(new URL("src/files.ts", ROOT).href))
      .replaceAll('openFile("', `openFile(${JSON.stringify(ROOT.href)} + "`)
      .replaceAll(/openFile\((.*)\)/g, "openFile(new URL($1))"),
  }))
);

describe("PORTING.md", () => {
  it("has every divergence, with its reason", () => {
    const prose = PORTING.replaceAll(/\s+/g, " ");
    for (const { name, reason } of [...DIVERGENCES, SOURCE_INDEPENDENT]) {
      assert(prose.includes(`- \`${name}\`: ${reason}`), name);
    }
  });

  it("has every error of linux-loader that is compared, with its codes", () => {
    const rows = PORTING.split("\n").filter((line) => line.startsWith("| "));
    for (const [theirs, ours] of Object.entries(ERRORS)) {
      const row = rows.find((row) => row.includes(`\`${theirs}\``));
      assert(row !== undefined, theirs);
      for (const { code } of ours) assert(row.includes(`\`${code}\``), `${theirs}: ${code}`);
    }
  });

  it("names exports that are there", () => {
    const structs = PORTING.match(/^### Structs$[^]*?(?=^Left out)/m)![0];
    const ours = [...structs.matchAll(/^\|.*\| (.*) \|$/gm)].flatMap(([, column]) =>
      [...column.matchAll(/`([A-Z0-9_]+)`/g)].map(([, name]) => name)
    );
    assert(ours.length >= 18, `${ours.length}`);
    const values = "Elf BzImage PE loadCmdline loadDtb Cmdline BootParams LinuxBootConfigurator " +
      "PvhBootConfigurator FdtBootConfigurator GuestMemory LoaderError bootLinux planBoot " +
      "detectKernel parseArm64Image parseRiscv64Image buildArm64Tree buildRiscv64Tree";
    for (const name of [...ours, ...values.split(" ")]) {
      assert(name in library, name);
      assert(PORTING.includes(name), name);
    }
  });

  it("has examples for all of linux-loader's", () => {
    assertEquals(EXAMPLES.length, 9);
  });

  for (const [i, { name, code }] of EXAMPLES.entries()) {
    it(`runs example ${i}: ${name}`, async () => {
      const directory = mkdtempSync(join(tmpdir(), "porting-"));
      const { assert } = console;
      const failed: number[] = [];
      let count = 0;
      console.assert = (condition) => {
        count++;
        if (!condition) failed.push(count);
      };
      try {
        const path = join(directory, "example.mts");
        writeFileSync(path, code);
        await import(pathToFileURL(path).href);
      } finally {
        console.assert = assert;
        rmSync(directory, { recursive: true });
      }
      assertEquals(failed, []);
    });
  }
});
