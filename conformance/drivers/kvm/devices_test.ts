import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { LineWriter, Ports, Serial } from "./devices.ts";

function makeSerial() {
  const sent: number[] = [];
  const levels: boolean[] = [];
  const serial = new Serial((byte) => sent.push(byte), (level) => levels.push(level));
  return { serial, sent, levels };
}

describe("Serial", () => {
  it("sends what is written to the data register and is always ready", () => {
    const { serial, sent, levels } = makeSerial();
    serial.write(0, 0x41);
    assertEquals([sent, serial.read(5)], [[0x41], 0x60]);
    assertEquals(levels, []);
  });

  it("does not send the divisor", () => {
    const { serial, sent } = makeSerial();
    serial.write(3, 0x83);
    serial.write(0, 1);
    serial.write(1, 0);
    assertEquals(serial.read(0), 0);
    serial.write(3, 0x03);
    assertEquals([sent, serial.read(1)], [[], 0]);
  });

  it("interrupts when it may send, until the reason is read, and after each byte", () => {
    const { serial, levels } = makeSerial();
    serial.write(1, 0x02);
    assertEquals(levels, [true]);
    assertEquals([serial.read(2), serial.read(2)], [0x02, 0x01]);
    assertEquals(levels, [true, false]);
    serial.write(0, 0x41);
    assertEquals(levels, [true, false, true]);
    serial.write(1, 0x00);
    assertEquals(levels, [true, false, true, false]);
    assertEquals(serial.read(2), 0x01);
  });

  it("says that it has FIFOs once they are on, as a 16550A does", () => {
    const { serial } = makeSerial();
    assertEquals(serial.read(2) & 0xc0, 0);
    serial.write(2, 0x07);
    assertEquals(serial.read(2) & 0xc0, 0xc0);
  });

  it("keeps the scratch register", () => {
    const { serial } = makeSerial();
    serial.write(7, 0xa5);
    assertEquals(serial.read(7), 0xa5);
  });
});

describe("Ports", () => {
  it("reach the serial port, and nothing around it", () => {
    const { serial, sent } = makeSerial();
    const ports = new Ports(serial);
    ports.write(0x3f8, 0x42);
    ports.write(0x3f7, 0x43);
    ports.write(0x400, 0x44);
    assertEquals(sent, [0x42]);
    assertEquals([0x3fd, 0x3f7, 0x400, 0xcfc].map((port) => ports.read(port)), [
      ...[0x60, 0xff, 0xff, 0xff],
    ]);
  });

  it("keep what was written to the debug-exit port", () => {
    const ports = new Ports(makeSerial().serial);
    assertEquals(ports.exitValue, undefined);
    ports.write(0xf4, 0);
    assertEquals(ports.exitValue, 0);
  });
});

describe("LineWriter", () => {
  it("writes lines when they end, and the rest when told to", () => {
    const directory = mkdtempSync(join(tmpdir(), "line-writer-"));
    try {
      const path = join(directory, "output");
      const fd = openSync(path, "w");
      const writer = new LineWriter(fd);
      const push = (text: string) => new TextEncoder().encode(text).forEach((b) => writer.push(b));
      push("a line\nmore");
      assertEquals(readFileSync(path, "utf8"), "a line\n");
      writer.flush();
      assertEquals(readFileSync(path, "utf8"), "a line\nmore");
      push("x".repeat(5000)); // longer than it holds
      writer.flush();
      assertEquals(readFileSync(path, "utf8").length, 11 + 5000);
      closeSync(fd);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
