import { assert, assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { makeWorkDirectory } from "./work_directory.ts";

describe("makeWorkDirectory", () => {
  it("makes a new one each time, and removes only those of dead processes", () => {
    const root = mkdtempSync(join(tmpdir(), "work-directory-test-"));
    try {
      const parent = join(root, "deep/tmp");
      const mine = makeWorkDirectory(parent);
      assertEquals(dirname(mine), parent);

      const deadPid = spawnSync("sh", ["-c", "exit 0"]).pid;
      const make = (name: string, ageHours: number) => {
        const path = join(parent, name);
        mkdirSync(path);
        const time = Date.now() / 1000 - ageHours * 3600;
        utimesSync(path, time, time);
        return path;
      };
      const dead = make(`work-${hostname()}-${deadPid}-abc`, 0);
      const living = make(`work-${hostname()}-${process.ppid}-abc`, 100);
      const elsewhereNew = make(`work-other.host-${deadPid}-abc`, 1);
      const elsewhereOld = make(`work-other.host-${deadPid}-def`, 25);
      const notOurs = make("other", 100);

      const another = makeWorkDirectory(parent);
      assert(another !== mine);
      const left = [mine, another, dead, living, elsewhereNew, elsewhereOld, notOurs].map(
        existsSync,
      );
      assertEquals(left, [true, true, false, true, true, false, true]);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
