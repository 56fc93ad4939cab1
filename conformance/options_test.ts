import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { parseOptions, UsageError } from "./options.ts";

describe("parseOptions", () => {
  it("has defaults for everything but the jobs, which are the machine's", () => {
    const { jobs, ...rest } = parseOptions([]);
    assertEquals(jobs >= 1, true);
    assertEquals(rest, {
      help: false,
      list: false,
      filters: [],
      offline: false,
      noSkip: false,
      requireKvm: false,
      json: undefined,
      report: undefined,
      shard: undefined,
      keep: false,
      timeout: undefined,
      random: { boots: 30, seed: 1, path: undefined },
      own: undefined,
    });
  });

  it("reads every option", () => {
    const options = parseOptions(
      "--filter pvh --filter arm64 --offline --no-skip --require kvm --json F --report R --shard 2/3 --keep --jobs 3 --timeout 9"
        .split(" "),
    );
    assertEquals(options.filters, ["pvh", "arm64"]);
    assertEquals([options.offline, options.noSkip, options.requireKvm], [true, true, true]);
    assertEquals([options.json, options.keep], ["F", true]);
    assertEquals([options.report, options.shard], ["R", { index: 2, count: 3 }]);
    assertEquals([options.jobs, options.timeout], [3, 9]);
  });

  it("reads a kernel of the user's own, with arguments for QEMU", () => {
    const { own } = parseOptions([
      ...["--kernel", "k", "--expect", "^ok$", "--protocol", "pvh", "--machine", "q35"],
      ...["--memory", "64", "--cmdline", "a b", "--initrd", "i", "--", "-device", "x"],
    ]);
    assertEquals(own?.kernel, "k");
    assertEquals(own?.expect.test("first\nok\n"), true);
    assertEquals([own?.protocol, own?.machine, own?.ramSize], ["pvh", "q35", 64n << 20n]);
    assertEquals([own?.cmdline, own?.initrd], ["a b", "i"]);
    assertEquals(own?.qemuArgs, ["-device", "x"]);
  });

  it("reads which random layouts are wanted", () => {
    assertEquals(parseOptions("--boots 7 --seed 9 --path 0:3".split(" ")).random, {
      boots: 7,
      seed: 9,
      path: "0:3",
    });
    assertEquals(parseOptions(["--seed", "fresh"]).random.seed > 0, true);
  });

  it("takes an empty command line for what it is", () => {
    assertEquals(
      parseOptions(["--kernel", "k", "--expect", "x", "--cmdline", ""]).own?.cmdline,
      "",
    );
  });

  for (
    const [args, message] of [
      ["--fliter x", "--fliter"],
      ["stray", "stray"],
      ["--require tcg", "--require tcg"],
      ["--jobs 0", "--jobs 0"],
      ["--jobs two", "--jobs two"],
      ["--timeout -1", "--timeout"],
      ["--timeout 1.5", "--timeout 1.5"],
      ["--kernel k", "--expect"],
      ["--expect x", "--kernel"],
      ["--cmdline x", "--kernel"],
      ["-- -device x", "--kernel"],
      ["--kernel k --expect (", "--expect"],
      ["--kernel k --expect x --machine vax", "--machine vax"],
      ["--kernel k --expect x --machine toString", "--machine toString"],
      ["--kernel k --expect x --protocol efi", "--protocol efi"],
      ["--boots 0", "--boots 0"],
      ["--seed x", "--seed x"],
      ["--path 1:2", "--path"],
      ["--seed fresh --path 1", "--path"],
      ["--seed 1 --path a", "--path a"],
      ["--json", "--json"],
      ["--json a --json b", "--json"],
      ["--shard 0/2", "--shard 0/2"],
      ["--shard 3/2", "--shard 3/2"],
      ["--shard 1", "--shard 1"],
      ["--shard 1/2/3", "--shard"],
      ["--shard -1/2", "--shard"],
      ["--kernel k --expect x --shard 1/2", "--shard"],
    ]
  ) {
    it(`refuses ${args}`, () => {
      assertThrows(() => parseOptions(args.split(" ")), UsageError, message);
    });
  }
});
