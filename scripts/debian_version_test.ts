import { assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { compareVersions, newest } from "./debian_version.ts";

/** In ascending order, each one different from the next. */
const ASCENDING = [
  "0~rc1",
  "0",
  "6.1.9-1",
  "6.1.99-1",
  "6.1.176-1",
  "6.1.176-1+b1",
  "6.1.192-2",
  "6.12~rc7-1~exp1",
  "6.12.9-1~bpo12+1",
  "6.12.9-1",
  "6.12.107-1",
  "6.12.117-1~deb12u1",
  "6.12.117-1~deb12u2",
  "6.12.117-1",
  "6.12.117-1a",
  "6.12.117-1+deb12",
  "7.0a-1",
  "7.0+x-1",
  "7.0-1-1",
  "1:0.1",
  "1:7.2+dfsg-7+deb12u18",
  "1:7.2+dfsg-7+deb12u18+b3",
  "10:1",
];
const hasDpkg = spawnSync("dpkg", ["--version"]).status === 0;

describe("compareVersions", () => {
  it("orders every pair of a sorted list", () => {
    for (const [i, a] of ASCENDING.entries()) {
      for (const [j, b] of ASCENDING.entries()) {
        assertEquals(Math.sign(compareVersions(a, b)), Math.sign(i - j), `${a} and ${b}`);
      }
    }
  });

  it("takes as equal what differs in form only", () => {
    for (const [a, b] of [["1.0", "0:1.0"], ["1.0", "1.0-0"], ["1.01-1", "1.1-1"], ["1.", "1.0"]]) {
      assertEquals(compareVersions(a, b), 0, `${a} and ${b}`);
    }
  });

  it("agrees with dpkg", { skip: !hasDpkg && "there is no dpkg" }, () => {
    for (const [i, version] of ASCENDING.slice(1).entries()) {
      const previous = ASCENDING[i];
      const { status } = spawnSync("dpkg", ["--compare-versions", previous, "lt", version]);
      assertEquals(status, 0, `${previous} and ${version}`);
    }
  });
});

describe("newest", () => {
  it("picks the highest version, not the last or the longest, and changes nothing", () => {
    const packages = ["6.1.176-1", "6.1.192-2", "6.1.99-1"].map((version) => ({ version }));
    assertEquals(newest(packages), { version: "6.1.192-2" });
    assertEquals(packages.map(({ version }) => version), ["6.1.176-1", "6.1.192-2", "6.1.99-1"]);
    assertEquals(newest([]), undefined);
  });
});
