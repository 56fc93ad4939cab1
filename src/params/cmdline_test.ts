import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { LoaderError, type LoaderErrorCode } from "../errors.ts";
import { checkCmdline, Cmdline, CMDLINE_LIMITS } from "./cmdline.ts";

/** What an error must say, as far as a test cares. */
interface Expected {
  field?: string;
  offset?: number;
  expected?: string;
  actual?: string;
}

function assertRefused(run: () => unknown, code: LoaderErrorCode, wanted: Expected = {}): void {
  const error = assertThrows(run);
  assertInstanceOf(error, LoaderError);
  assertEquals(error.code, code);
  for (const [key, value] of Object.entries(wanted)) {
    assertEquals(error[key as keyof Expected], value, key);
  }
}

/** Runs an operation that must fail, and sees that the line is what it was. */
function assertUnchanged(
  cmdline: Cmdline,
  run: (cmdline: Cmdline) => void,
  code: LoaderErrorCode,
  wanted: Expected = {},
): void {
  const before = cmdline.toString();
  assertRefused(() => run(cmdline), code, wanted);
  assertEquals(cmdline.toString(), before);
}

function cString(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}

function cmdlineOf(capacity: number, boot: string, init?: string): Cmdline {
  const cmdline = new Cmdline(capacity);
  if (boot !== "") cmdline.insertStr(boot);
  if (init !== undefined) cmdline.insertInitArgs(init);
  return cmdline;
}

const HEART = "\u{1f496}";

describe("Cmdline", () => {
  it("starts empty, which is one NUL", () => {
    assertEquals(new Cmdline(1).asCString(), new Uint8Array(1));
    assertEquals(`${new Cmdline(1)}`, "");
  });

  it("refuses a capacity that is not a positive integer", () => {
    for (const capacity of [0, -1, 1.5, NaN, Infinity]) {
      assertRefused(() => new Cmdline(capacity), "CMDLINE_CAPACITY", { field: "capacity" });
      assertRefused(() => Cmdline.tryFrom("", capacity), "CMDLINE_CAPACITY", { field: "capacity" });
    }
  });

  it("counts the NUL: an exact fit goes in, one byte more does not", () => {
    const exact: [number, string, (cmdline: Cmdline) => void][] = [
      [4, "a=b", (cmdline) => cmdline.insert("a", "b")],
      [6, "k=a,b", (cmdline) => cmdline.insertMultiple("k", ["a", "b"])],
      [6, "quiet", (cmdline) => cmdline.insertStr("quiet")],
      [34, "virtio_mmio.device=4K@0x1000:5:42", (c) => c.addVirtioMmioDevice(4096n, 4096n, 5, 42)],
    ];
    for (const [capacity, text, run] of exact) {
      const cmdline = new Cmdline(capacity);
      run(cmdline);
      assertEquals(cmdline.asCString(), cString(text));
      assertEquals(cmdline.asCString().length, capacity);
      assertUnchanged(new Cmdline(capacity - 1), run, "CMDLINE_TOO_LONG", {
        expected: `at most ${capacity - 1} bytes with the NUL`,
        actual: `${capacity} bytes with the NUL`,
      });
    }
  });

  it("counts the space before what is added", () => {
    const cmdline = cmdlineOf(4, "a");
    assertUnchanged(cmdline, (c) => c.insertStr("bc"), "CMDLINE_TOO_LONG", { field: "slug" });
    cmdline.insertStr("b");
    assertEquals(cmdline.toString(), "a b");
    assertUnchanged(cmdline, (c) => c.insertStr(""), "CMDLINE_TOO_LONG");
  });

  it("counts the separator with the first init arguments, a space with the next", () => {
    assertEquals(cmdlineOf(9, "abc", "d").toString(), "abc -- d");
    assertUnchanged(cmdlineOf(8, "abc"), (c) => c.insertInitArgs("d"), "CMDLINE_TOO_LONG", {
      field: "init arguments",
    });
    const cmdline = cmdlineOf(11, "abc", "d");
    cmdline.insertInitArgs("e");
    assertEquals(cmdline.toString(), "abc -- d e");
    assertUnchanged(cmdlineOf(10, "abc", "d"), (c) => c.insertInitArgs("e"), "CMDLINE_TOO_LONG");
  });

  it("counts the init arguments when the kernel's come later", () => {
    const cmdline = cmdlineOf(9, "", "d");
    assertUnchanged(cmdline, (c) => c.insertStr("abcd"), "CMDLINE_TOO_LONG");
    cmdline.insertStr("abc");
    assertEquals(cmdline.asCString(), cString("abc -- d"));
  });

  it("asks room for the separator even when the first init arguments are empty", () => {
    assertUnchanged(cmdlineOf(4, "abc"), (c) => c.insertInitArgs(""), "CMDLINE_TOO_LONG");
    const cmdline = cmdlineOf(8, "abc", "");
    assertEquals(cmdline.toString(), "abc");
    cmdline.insertStr("def"); // the four bytes are not taken
    assertEquals(cmdline.toString(), "abc def");
  });

  it("refuses to be written with init arguments only, but can be read", () => {
    const cmdline = cmdlineOf(100, "", "single");
    assertRefused(() => cmdline.asCString(), "CMDLINE_NO_BOOT_ARGS", { field: "command line" });
    assertEquals(cmdline.toString(), " -- single");
    cmdline.insertStr("quiet");
    assertEquals(cmdline.asCString(), cString("quiet -- single"));
  });

  it("throws a TypeError at what is not a string", () => {
    const number = 1 as unknown as string;
    const cmdline = new Cmdline(100);
    assertThrows(() => cmdline.insert(number, "v"), TypeError);
    assertThrows(() => cmdline.insert("k", number), TypeError);
    assertThrows(() => cmdline.insertMultiple("k", [number]), TypeError);
    assertThrows(() => cmdline.insertStr(number), TypeError);
    assertThrows(() => cmdline.insertInitArgs(number), TypeError);
    assertThrows(() => Cmdline.tryFrom(number, 100), TypeError);
    assertEquals(cmdline.toString(), "");
  });

  it("refuses an emoji at every door but tryFrom, and says where", () => {
    const cmdline = cmdlineOf(100, "a", "b");
    const actual = "U+1F496";
    const at = (field: string, offset: number) => ({ field, offset, actual });
    const code = "CMDLINE_ASCII";
    assertUnchanged(cmdline, (c) => c.insert(`k${HEART}`, "v"), code, at("key", 1));
    assertUnchanged(cmdline, (c) => c.insert("k", `vv${HEART}`), code, at("value", 2));
    assertUnchanged(cmdline, (c) => c.insertMultiple(HEART, []), code, at("key", 0));
    assertUnchanged(
      cmdline,
      (c) => c.insertMultiple("k", ["a", `b${HEART}`]),
      code,
      at("values[1]", 1),
    );
    assertUnchanged(cmdline, (c) => c.insertStr(` \ta${HEART}`), code, at("slug", 3));
    assertUnchanged(cmdline, (c) => c.insertInitArgs(` ${HEART}`), code, at("init arguments", 1));
  });
});

describe("Cmdline.insert", () => {
  it("joins parameters with spaces", () => {
    const cmdline = new Cmdline(100);
    cmdline.insert("console", "ttyS0");
    cmdline.insert("root", "UUID=0-1");
    cmdline.insert("empty", "");
    cmdline.insert("", "odd");
    assertEquals(cmdline.toString(), "console=ttyS0 root=UUID=0-1 empty= =odd");
  });

  it("refuses a key with a space or an equals sign, the space first", () => {
    const cmdline = cmdlineOf(100, "a");
    assertUnchanged(cmdline, (c) => c.insert("a=b c", "v"), "CMDLINE_SPACE", {
      field: "key",
      offset: 3,
      expected: "no space",
      actual: "U+0020",
    });
    assertUnchanged(cmdline, (c) => c.insert("ab=c", "v"), "CMDLINE_EQUALS", {
      field: "key",
      offset: 2,
      actual: "U+003D (=)",
    });
    assertUnchanged(cmdline, (c) => c.insert("a= \n", "v"), "CMDLINE_ASCII", { offset: 3 });
  });

  it("lets quotes stand only at a value's ends", () => {
    for (const value of ['"', '""', '"a', 'a"', '"a b"', '" "', '"=b='] as const) {
      const cmdline = new Cmdline(100);
      cmdline.insert("k", value);
      assertEquals(cmdline.toString(), `k=${value}`);
    }
    const cases: [string, number][] = [['a"b', 1], ['"a" ', 2], ['bb""', 2], ['"""', 1], [
      'a b"c',
      3,
    ]];
    for (const [value, offset] of cases) {
      assertUnchanged(cmdlineOf(100, "a"), (c) => c.insert("k", value), "CMDLINE_QUOTE", {
        field: "value",
        offset,
        actual: 'U+0022 (")',
      });
    }
  });

  it("refuses spaces in a value that is not quoted as a whole", () => {
    const cases: [string, number][] = [["a b", 1], [" ", 0], ['"a b', 2], ['a b"', 1], ["a ", 1]];
    for (const [value, offset] of cases) {
      assertUnchanged(cmdlineOf(100, "a"), (c) => c.insert("k", value), "CMDLINE_QUOTE_SPACE", {
        field: "value",
        offset,
        actual: "U+0020",
      });
    }
  });

  it("checks the characters before the size", () => {
    assertUnchanged(new Cmdline(1), (c) => c.insert("key", "a\tb"), "CMDLINE_ASCII", {
      field: "value",
      offset: 1,
      actual: "U+0009",
    });
  });
});

describe("Cmdline.insertMultiple", () => {
  it("joins the values with commas", () => {
    const cmdline = new Cmdline(100);
    cmdline.insertMultiple("a", ["1"]);
    cmdline.insertMultiple("b", ["1", "2", "3"]);
    cmdline.insertMultiple("c", ["", ""]);
    assertEquals(cmdline.toString(), "a=1 b=1,2,3 c=,");
  });

  it("wants a value, after it has checked the key", () => {
    const cmdline = cmdlineOf(100, "a");
    const refused = (key: string, code: LoaderErrorCode) =>
      assertUnchanged(cmdline, (c) => c.insertMultiple(key, []), code);
    refused("k", "CMDLINE_MISSING_VALUE");
    refused("k k", "CMDLINE_SPACE");
    refused("k=", "CMDLINE_EQUALS");
  });

  it("checks every value by itself, in order", () => {
    const cmdline = cmdlineOf(100, "a");
    cmdline.insertMultiple("k", ['""', '"', ""]); // joined it would not pass as one value
    assertEquals(cmdline.toString(), 'a k="",",');
    assertUnchanged(cmdline, (c) => c.insertMultiple("k", ["b ", 'a"b']), "CMDLINE_QUOTE_SPACE", {
      field: "values[0]",
      offset: 1,
    });
    assertUnchanged(cmdline, (c) => c.insertMultiple("k", ["b", 'a"b']), "CMDLINE_QUOTE", {
      field: "values[1]",
      offset: 1,
    });
    assertUnchanged(
      cmdline,
      (c) => c.insertMultiple("k", ['"a', 'b c"']),
      "CMDLINE_QUOTE_SPACE",
      { field: "values[1]", offset: 1 },
    );
  });
});

describe("Cmdline.insertStr", () => {
  it("trims Unicode white space as Rust does, and no other character", () => {
    const cmdline = new Cmdline(100);
    cmdline.insertStr(
      "\r\n\t\v\f a  b \u0085\u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000",
    );
    assertEquals(cmdline.toString(), "a  b");
    for (const kept of ["\ufeff", "\u200b", "\u180e", "\u001f", "\u0000", "\u007f"]) {
      assertUnchanged(cmdline, (c) => c.insertStr(` ${kept}x `), "CMDLINE_ASCII", { offset: 1 });
    }
  });

  it("refuses white space other than a space inside", () => {
    for (const space of ["\t", "\n", "\u00a0"]) {
      assertUnchanged(cmdlineOf(100, "a"), (c) => c.insertStr(`b${space}c`), "CMDLINE_ASCII", {
        field: "slug",
        offset: 1,
      });
    }
  });

  it("adds a space for an empty slug, unless the line is empty", () => {
    const cmdline = new Cmdline(100);
    for (const slug of ["", "a", " ", "", "b"]) cmdline.insertStr(slug);
    assertEquals(cmdline.toString(), "a   b");
  });

  it("does not look for init arguments", () => {
    const cmdline = cmdlineOf(100, " -- b");
    cmdline.insertStr("c");
    assertEquals(cmdline.toString(), "-- b c");
  });
});

describe("Cmdline.addVirtioMmioDevice", () => {
  it("writes upstream's documented devices", () => {
    const cmdline = new Cmdline(200);
    cmdline.addVirtioMmioDevice(1n, 0n, 1);
    cmdline.addVirtioMmioDevice(2n << 10n, 0x100n, 2);
    cmdline.addVirtioMmioDevice(3n << 20n, 0x1000n, 3);
    cmdline.addVirtioMmioDevice(4n << 30n, 0x1_0000n, 4, 42);
    assertEquals(
      cmdline.toString(),
      ["1@0x0:1", "2K@0x100:2", "3M@0x1000:3", "4G@0x10000:4:42"]
        .map((device) => `virtio_mmio.device=${device}`).join(" "),
    );
  });

  it("writes the size with the largest suffix that is exact", () => {
    const cases: [bigint, string][] = [
      [1023n, "1023"],
      [1536n, "1536"],
      [1025n << 10n, "1025K"],
      [(1n << 30n) + 1024n, "1048577K"],
      [1n << 40n, "1024G"],
      [(1n << 64n) - 1n, "18446744073709551615"],
    ];
    for (const [size, text] of cases) {
      const cmdline = new Cmdline(100);
      cmdline.addVirtioMmioDevice(size, 0xffff_ffff_ffff_ffffn, 0xffff_ffff, 0);
      assertEquals(
        cmdline.toString(),
        `virtio_mmio.device=${text}@0xffffffffffffffff:4294967295:0`,
      );
    }
  });

  it("refuses size 0", () => {
    assertUnchanged(
      cmdlineOf(100, "a"),
      (c) => c.addVirtioMmioDevice(0n, 0n, 0),
      "CMDLINE_MMIO_SIZE",
      { field: "virtio_mmio.device", actual: "0" },
    );
  });

  it("throws a RangeError at numbers that do not fit", () => {
    const cmdline = cmdlineOf(200, "a");
    const add = (size: bigint, base: bigint, irq: number, id?: number) =>
      assertThrows(() => cmdline.addVirtioMmioDevice(size, base, irq, id), RangeError);
    add(-1n, 0n, 0);
    add(1n << 64n, 0n, 0);
    add(1n, 1n << 64n, 0);
    for (const bad of [-1, 0.5, NaN, 2 ** 32]) {
      add(1n, 0n, bad);
      add(1n, 0n, 0, bad);
    }
    assertThrows(() => cmdline.addVirtioMmioDevice(1 as unknown as bigint, 0n, 0), TypeError);
    assertEquals(cmdline.toString(), "a");
  });
});

describe("Cmdline.tryFrom", () => {
  it('splits at the first " -- " that an even number of quotes precedes', () => {
    const cases: [string, string, string][] = [
      ["", "", ""],
      ["foo", "foo", ""],
      ["foo -- bar", "foo", "bar"],
      ["foo -- bar -- baz", "foo", "bar -- baz"],
      ["foo -- ", "foo", ""],
      ["foo --", "foo --", ""],
      ["foo--bar", "foo--bar", ""],
      ["-- bar", "-- bar", ""],
      ['"foo -- x" -- bar', '"foo -- x"', "bar"],
      ['"foo -- x', '"foo -- x', ""],
      ['a " -- " b -- c " -- d', 'a " -- " b', 'c " -- d'],
      ['a" -- -- " -- b', 'a" -- -- "', "b"],
      ["\nfoo -- \tbar\r", "foo", "bar"],
      ["foo\u00a0--\u00a0bar", "foo\u00a0--\u00a0bar", ""],
      ["foo\ufeff -- \ufeffbar\u0085", "foo\ufeff", "\ufeffbar"],
      [`${HEART} -- ${HEART}`, HEART, HEART],
      ["\u3000", "", ""],
    ];
    for (const [raw, boot, init] of cases) {
      const cmdline = Cmdline.tryFrom(raw, 100);
      assertEquals(cmdline.toString(), init === "" ? boot : `${boot} -- ${init}`);
      cmdline.insertStr("B"); // tells the halves apart
      cmdline.insertInitArgs("I");
      const joined = [boot === "" ? "B" : `${boot} B`, init === "" ? "I" : `${init} I`];
      assertEquals(cmdline.asCString(), cString(joined.join(" -- ")), JSON.stringify(raw));
    }
  });

  it("splits a line of many separators in quotes in linear time", () => {
    const raw = `"${" -- ".repeat(100_000)}" -- ${"\n".repeat(100_000)}x`;
    const start = performance.now();
    assert(Cmdline.tryFrom(raw, 1_000_000).toString().endsWith('-- " -- x'));
    assert(performance.now() - start < 5_000); // quadratic takes minutes
  });

  it("counts what is left after trimming, in bytes of UTF-8", () => {
    const cases: [string, number][] = [
      [" abc ", 4],
      ["abc -- d", 9],
      ["abc  --   d\n", 9],
      ["abc -- ", 4],
      ["\u00e9\u00e9", 5],
      [`${HEART} -- x`, 10],
    ];
    for (const [raw, capacity] of cases) {
      const cmdline = Cmdline.tryFrom(raw, capacity);
      assertEquals(cmdline.asCString().length, capacity);
      assertUnchanged(cmdline, (c) => c.insertStr("x"), "CMDLINE_TOO_LONG");
      assertRefused(() => Cmdline.tryFrom(raw, capacity - 1), "CMDLINE_CAPACITY", {
        field: "command line",
        expected: `at most ${capacity - 1} bytes with the NUL`,
        actual: `${capacity} bytes with the NUL`,
      });
    }
  });

  it("passes on a NUL, which then cannot be written", () => {
    const cmdline = Cmdline.tryFrom("ab -- c\0d", 100);
    assertRefused(() => cmdline.asCString(), "CMDLINE_NUL", { offset: 7, actual: "U+0000" });
  });

  it("refuses half a surrogate pair, which has no bytes", () => {
    assertRefused(() => Cmdline.tryFrom("ab\ud83d", 100), "CMDLINE_ASCII", {
      offset: 2,
      actual: "U+D83D",
    });
  });
});

describe("checkCmdline", () => {
  const where = "COMMAND_LINE_SIZE";

  it("returns the bytes with a NUL, untrimmed", () => {
    assertEquals(checkCmdline(' a="b  c" ~ ', 12, where), cString(' a="b  c" ~ '));
    assertEquals(checkCmdline("", 0, where), new Uint8Array(1));
  });

  it("refuses all but printable ASCII, and says where", () => {
    for (const character of ["\0", "\t", "\n", "\x7f", "\u00e9", HEART]) {
      assertRefused(() => checkCmdline(`ab${character}c`, 100, where), "CMDLINE_ASCII", {
        field: "command line",
        offset: 2,
        expected: "printable ASCII (U+0020 to U+007E)",
      });
    }
  });

  it("refuses a line that is longer than the kernel takes, and says by how much", () => {
    assertEquals(checkCmdline("x".repeat(2047), 2047, where).length, 2048);
    const error = assertThrows(() => checkCmdline("x".repeat(5000), 2047, where));
    assertInstanceOf(error, LoaderError);
    assertEquals(error.code, "CMDLINE_TOO_LONG");
    assertEquals(error.offset, 2047);
    assertEquals(
      error.message,
      "Cannot use command line: 5000 bytes, the kernel takes at most 2047 (COMMAND_LINE_SIZE); " +
        "shorten it by 2953",
    );
  });

  it("throws a TypeError at what is not a string", () => {
    assertThrows(() => checkCmdline(undefined as unknown as string, 10, where), TypeError);
  });
});

describe("CMDLINE_LIMITS", () => {
  it("is COMMAND_LINE_SIZE less the NUL", () => {
    assertEquals(CMDLINE_LIMITS.x86_64.maxLength + 1, 2048);
    assertEquals(CMDLINE_LIMITS.aarch64.maxLength + 1, 2048);
    assertEquals(CMDLINE_LIMITS.riscv64.maxLength + 1, 1024);
  });
});
