import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { acceleratorIn, judgeAccelerator } from "./accelerator.ts";

/** As QEMU 7.2 prints it, with the echo of what was typed. */
const ECHO = "(qemu) i\x1b[K\x1b[Din\x1b[K\x1b[D\x1b[Dinfo kvm\x1b[K\r\n";
const TCG = `${ECHO}kvm support: disabled\r\n(qemu) info jit\r\n` +
  "Translation buffer state:\r\ngen code size       0/1073736704\r\nTB count            0\r\n";
const KVM = `${ECHO}kvm support: enabled\r\n(qemu) info jit\r\n` +
  "Error: JIT information is only available with accel=tcg\r\n";

describe("acceleratorIn", () => {
  it("takes what QEMU says", () => {
    assertEquals(acceleratorIn(TCG), "tcg");
    assertEquals(acceleratorIn(KVM), "kvm");
  });

  it("takes no KVM for no TCG: there are others", () => {
    assertEquals(acceleratorIn(KVM.replace("enabled", "disabled")), undefined);
    assertEquals(acceleratorIn(TCG.replace("disabled", "not compiled")), "tcg");
  });

  it("takes no answer, half an answer and a contradiction for nothing", () => {
    assertEquals(acceleratorIn(""), undefined);
    assertEquals(acceleratorIn(TCG.slice(0, TCG.indexOf("TB count"))), undefined);
    assertEquals(acceleratorIn(KVM + TCG), undefined);
  });
});

describe("judgeAccelerator", () => {
  it("wants the one that was asked for", () => {
    assertEquals(judgeAccelerator("kvm", "kvm"), []);
    assertEquals(judgeAccelerator("kvm", "tcg").map(({ actual }) => actual), ["tcg"]);
    assertEquals(judgeAccelerator("tcg", undefined).map(({ actual }) => actual), ["no answer"]);
  });
});
