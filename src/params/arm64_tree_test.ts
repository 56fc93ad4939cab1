import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { VIRT_ARM64 } from "../../fuzz/arbitraries/virt.ts";
import { LoaderError } from "../errors.ts";
import { type FdtTree, parseFdt } from "../formats/fdt.ts";
import { writeFdt } from "../formats/fdt_write.ts";
import type { Arm64Machine } from "./arm64_machine.ts";
import { buildArm64Tree } from "./arm64_tree.ts";
import { addReservedMemory, setChosen, setMemory } from "./device_tree_edit.ts";
import { encodeCells, encodeString, encodeStrings, findNode, getProperty } from "./device_tree.ts";

const dtc = spawnSync("dtc", ["--version"]);
const skip = dtc.status === 0 ? false : "dtc is not installed";

const VIRT: Arm64Machine = {
  ...VIRT_ARM64,
  cpus: 2,
  virtioMmio: [
    { address: 0x0a00_0000n, irq: 16 },
    { address: 0x0a00_0200n, irq: 17 },
  ],
};
const GIC_V3: Arm64Machine["gic"] = {
  version: 3,
  distributor: { start: 0x0800_0000n, size: 0x1_0000n },
  redistributors: [
    { start: 0x080a_0000n, size: 0xf6_0000n },
    { start: 0x40_0000_0000n, size: 0x400_0000n },
  ],
};

const VIRT_SOURCE = `/dts-v1/;
/ {
	#address-cells = <0x02>;
	#size-cells = <0x02>;
	interrupt-parent = <0x01>;
	model = "linux,dummy-virt";
	compatible = "linux,dummy-virt";
	psci {
		compatible = "arm,psci-1.0", "arm,psci-0.2";
		method = "hvc";
	};
	cpus {
		#address-cells = <0x01>;
		#size-cells = <0x00>;
		cpu@0 {
			device_type = "cpu";
			compatible = "arm,armv8";
			reg = <0x00>;
			enable-method = "psci";
		};
		cpu@1 {
			device_type = "cpu";
			compatible = "arm,armv8";
			reg = <0x01>;
			enable-method = "psci";
		};
	};
	interrupt-controller@8000000 {
		compatible = "arm,gic-400", "arm,cortex-a15-gic";
		reg = <0x00 0x8000000 0x00 0x10000 0x00 0x8010000 0x00 0x10000>;
		#address-cells = <0x00>;
		#interrupt-cells = <0x03>;
		interrupt-controller;
		phandle = <0x01>;
	};
	timer {
		compatible = "arm,armv8-timer";
		interrupts = <0x01 0x0d 0x308 0x01 0x0e 0x308 0x01 0x0b 0x308 0x01 0x0a 0x308>;
		always-on;
	};
	apb-pclk {
		compatible = "fixed-clock";
		#clock-cells = <0x00>;
		clock-frequency = <0x16e3600>;
		clock-output-names = "apb_pclk";
		phandle = <0x02>;
	};
	serial@9000000 {
		compatible = "arm,pl011", "arm,primecell";
		reg = <0x00 0x9000000 0x00 0x1000>;
		interrupts = <0x00 0x01 0x04>;
		clocks = <0x02 0x02>;
		clock-names = "uartclk", "apb_pclk";
	};
	aliases {
		serial0 = "/serial@9000000";
	};
	virtio_mmio@a000000 {
		compatible = "virtio,mmio";
		reg = <0x00 0xa000000 0x00 0x200>;
		interrupts = <0x00 0x10 0x01>;
		dma-coherent;
	};
	virtio_mmio@a000200 {
		compatible = "virtio,mmio";
		reg = <0x00 0xa000200 0x00 0x200>;
		interrupts = <0x00 0x11 0x01>;
		dma-coherent;
	};
	memory@40000000 {
		device_type = "memory";
		reg = <0x00 0x40000000 0x00 0x20000000>;
	};
	reserved-memory {
		#address-cells = <0x02>;
		#size-cells = <0x02>;
		ranges;
		firmware@50000000 {
			reg = <0x00 0x50000000 0x00 0x200000>;
			no-map;
		};
	};
	chosen {
		bootargs = "console=ttyAMA0";
		linux,initrd-start = <0x00 0x48000000>;
		linux,initrd-end = <0x00 0x48001000>;
		stdout-path = "serial0:115200n8";
	};
};`;

describe("buildArm64Tree", () => {
  it("describes QEMU's virt machine so that dtc finds no fault", { skip }, () => {
    const tree = complete(buildArm64Tree(VIRT));
    assertNoFault(tree);
    const compiled = spawnSync("dtc", ["-I", "dts", "-O", "dtb"], { input: VIRT_SOURCE });
    assertEquals(tree, parseFdt(compiled.stdout));
  });

  it("describes other machines so that dtc finds no fault", { skip }, () => {
    const uart = { type: "ns16550a", address: 0x0900_0000n, irq: 1, clockHz: 3_686_400 } as const;
    assertNoFault(complete(buildArm64Tree({ ...VIRT, cpus: 512, gic: GIC_V3, uart })));
    const cpus = [{ mpidr: 0xff_00ff_ffffn }, { mpidr: 0n, compatible: ["arm,cortex-a53"] }];
    assertNoFault(complete(buildArm64Tree({ cpus, psci: "smc", gic: GIC_V3 })));
  });

  it("gives CPUs affinities of 16 for each Aff1", () => {
    const { root } = buildArm64Tree({ ...VIRT, cpus: 34, gic: GIC_V3 });
    const cpus = findNode(root, "/cpus")!.children;
    assertEquals(cpus.length, 34);
    assertEquals([0, 15, 16, 31, 32, 33].map((index) => cpus[index].name), [
      "cpu@0",
      "cpu@f",
      "cpu@100",
      "cpu@10f",
      "cpu@200",
      "cpu@201",
    ]);
    assertEquals(getProperty(cpus[33], "reg"), encodeCells([0x201]));
  });

  it("takes CPUs as they are given, with two cells where an Aff3 needs them", () => {
    const cpus = [{ mpidr: 0x100n }, { mpidr: 0x1_0000_0000n, compatible: ["arm,cortex-a53"] }];
    const { root, bootCpuId } = buildArm64Tree({ ...VIRT, cpus });
    assertEquals(bootCpuId, 0x100);
    const parent = findNode(root, "/cpus")!;
    assertEquals(getProperty(parent, "#address-cells"), encodeCells([2]));
    assertEquals(getProperty(parent.children[0], "reg"), encodeCells([0, 0x100]));
    assertEquals(parent.children[1].name, "cpu@100000000");
    assertEquals(getProperty(parent.children[1], "reg"), encodeCells([1, 0]));
    assertEquals(getProperty(parent.children[1], "compatible"), encodeString("arm,cortex-a53"));
  });

  it("describes a GICv3 with its regions and PPIs without a CPU mask", () => {
    const { root } = buildArm64Tree({ ...VIRT, cpus: 32, gic: GIC_V3 });
    const gic = findNode(root, "/interrupt-controller")!;
    assertEquals(getProperty(gic, "compatible"), encodeString("arm,gic-v3"));
    assertEquals(getProperty(gic, "#redistributor-regions"), encodeCells([2]));
    assertEquals(
      getProperty(gic, "reg"),
      encodeCells([
        ...[0, 0x0800_0000, 0, 0x1_0000],
        ...[0, 0x080a_0000, 0, 0xf6_0000],
        ...[0x40, 0, 0, 0x400_0000],
      ]),
    );
    assertEquals(
      getProperty(findNode(root, "/timer")!, "interrupts"),
      encodeCells([1, 13, 8, 1, 14, 8, 1, 11, 8, 1, 10, 8]),
    );
  });

  it("masks a GICv2's PPIs to its CPUs, and takes PPIs as they are given", () => {
    const timer = { secure: 0, nonSecure: 1, virtual: 2, hypervisor: 15 };
    const { root } = buildArm64Tree({ ...VIRT, cpus: 8, timer });
    assertEquals(
      getProperty(findNode(root, "/timer")!, "interrupts"),
      encodeCells([1, 0, 0xff08, 1, 1, 0xff08, 1, 2, 0xff08, 1, 15, 0xff08]),
    );
  });

  it("describes an ns16550a with its own clock and no clock node", () => {
    const uart = { type: "ns16550a", address: 0x3f8n, size: 8n, irq: 0 } as const;
    const { root } = buildArm64Tree({ ...VIRT, uart });
    assertEquals(findNode(root, "/serial@3f8")?.properties, [
      { name: "compatible", value: encodeString("ns16550a") },
      { name: "reg", value: encodeCells([0, 0x3f8, 0, 8]) },
      { name: "interrupts", value: encodeCells([0, 0, 4]) },
      { name: "clock-frequency", value: encodeCells([1_843_200]) },
    ]);
    assertEquals(findNode(root, "/apb-pclk"), undefined);
    assertEquals(getProperty(findNode(root, "/aliases")!, "serial0"), encodeString("/serial@3f8"));
  });

  it("leaves out devices that are not there, and memory and chosen", () => {
    const { root } = buildArm64Tree({ cpus: 1, psci: "smc", gic: VIRT.gic });
    assertEquals(
      root.children.map(({ name }) => name),
      ["psci", "cpus", "interrupt-controller@8000000", "timer"],
    );
    assertEquals(getProperty(root.children[0], "method"), encodeString("smc"));
  });

  it("takes the machine's name", () => {
    const { root } = buildArm64Tree({ ...VIRT, model: "Toaster", compatible: ["a,b", "c,d"] });
    assertEquals(getProperty(root, "model"), encodeString("Toaster"));
    assertEquals(getProperty(root, "compatible"), encodeStrings(["a,b", "c,d"]));
  });

  const gic = VIRT.gic;
  const uart = VIRT.uart!;
  const refusals: [string, Partial<Arm64Machine>, string][] = [
    ["no CPU", { cpus: 0 }, "cpus"],
    ["513 CPUs", { cpus: 513, gic: GIC_V3 }, "cpus"],
    ["half a CPU", { cpus: 1.5 }, "cpus"],
    ["an empty list of CPUs", { cpus: [] }, "cpus"],
    ["two CPUs of one affinity", { cpus: [{ mpidr: 1n }, { mpidr: 1n }] }, "cpus.mpidr"],
    ["an MPIDR with its U bit", { cpus: [{ mpidr: 1n << 30n }] }, "cpus.mpidr"],
    ["an MPIDR below 0", { cpus: [{ mpidr: -1n }] }, "cpus.mpidr"],
    ["9 CPUs on a GICv2", { cpus: 9 }, "cpus of a GICv2"],
    [
      "a GICv3 without redistributors",
      { gic: { ...GIC_V3, redistributors: [] } },
      "gic.redistributors",
    ],
    [
      "redistributors for fewer CPUs",
      { gic: { ...GIC_V3, redistributors: [{ start: 0n, size: 0x3_ffffn }] } },
      "gic.redistributors",
    ],
    ["PPI 16", { timer: { virtual: 16 } }, "timer.virtual"],
    ["SPI 988", { uart: { ...uart, irq: 988 } }, "uart.irq"],
    ["SPI -1", { virtioMmio: [{ address: 0n, irq: -1 }] }, "virtioMmio.irq"],
    ["an empty device", { uart: { ...uart, size: 0n } }, "uart"],
    ["a device past 2^64", { uart: { ...uart, address: (1n << 64n) - 1n } }, "uart"],
    ["a device below 0", { uart: { ...uart, address: -1n } }, "uart"],
    ["devices that overlap", { uart: { ...uart, address: 0x0801_f000n } }, "uart"],
    [
      "devices at one address",
      { virtioMmio: [{ address: 0n, irq: 0 }, { address: 0n, irq: 1 }] },
      "virtioMmio",
    ],
    ["another PSCI conduit", { psci: "svc" as "smc" }, "psci"],
    ["another GIC", { gic: { ...gic, version: 4 as 3 } as Arm64Machine["gic"] }, "gic.version"],
    ["another UART", { uart: { ...uart, type: "8250" as "pl011" } }, "uart.type"],
  ];
  for (const [what, change, field] of refusals) {
    it(`refuses ${what}`, () => {
      const error = assertThrows(() => buildArm64Tree({ ...VIRT, ...change }), LoaderError);
      assertEquals([error.code, error.field], ["INVALID_OPTION", field], error.message);
    });
  }

  it("refuses a clock of more than 32 bits and a NUL in a text", () => {
    for (const change of [{ uart: { ...uart, clockHz: 2 ** 32 } }, { model: "a\0" }]) {
      const error = assertThrows(() => buildArm64Tree({ ...VIRT, ...change }), LoaderError);
      assertEquals(error.code, "FDT_VALUE");
    }
  });
});

/** What a boot planner adds. */
function complete(tree: FdtTree): FdtTree {
  setMemory(tree, [{ start: 0x4000_0000n, size: 0x2000_0000n }]);
  addReservedMemory(tree, [{ name: "firmware", start: 0x5000_0000n, size: 0x20_0000n }]);
  setChosen(tree, {
    bootargs: "console=ttyAMA0",
    initrd: { start: 0x4800_0000n, size: 0x1000n },
    ...(findNode(tree.root, "/aliases") ? { stdoutPath: "serial0:115200n8" } : {}),
  });
  return tree;
}

/** Checks that dtc reads a tree without a warning. */
function assertNoFault(tree: FdtTree): void {
  const input = writeFdt(tree);
  const { status, stderr } = spawnSync("dtc", ["-I", "dtb", "-O", "dts"], { input });
  assertEquals([status, `${stderr}`], [0, ""]);
}
