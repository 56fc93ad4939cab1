/** What a conformance case is, and what can come of it. */
import type {
  AddressRange,
  BootOptions,
  BootPlan,
  BootProtocol,
  LoaderErrorCode,
  PlanJson,
} from "../mod.ts";
import type { RuntimeName } from "../scripts/runtimes.ts";
import type { GuestArch, Machine } from "./machines.ts";

/** How a case ended. Red: fail, xpass, timeout, broken. */
export type Outcome = "pass" | "fail" | "xfail" | "xpass" | "timeout" | "skip" | "broken";

/** Who runs a case. */
export type DriverName = "qemu-tcg" | "qemu-kvm" | "kvm-deno" | "kvm-bun" | "none";

/** An accelerator of QEMU. */
export type Accelerator = "tcg" | "kvm";

/** A distribution's kernel, which is downloaded. */
export interface KernelNeed {
  /** The tag of this kind. */
  readonly kind: "kernel";
  /** Its name in ids, e.g. `debian-6.1`. */
  readonly id: string;
  /** Its architecture: an i386 kernel runs on an x86_64 machine. */
  readonly arch: GuestArch | "i386";
}

/** The monitor of drivers/kvm, on a KVM that works. */
export interface VmmNeed {
  /** The tag of this kind. */
  readonly kind: "vmm";
  /** The runtime that it runs in. */
  readonly runtime: "deno" | "bun";
  /** What it is to run: any guest, or a distribution's Linux, which not every KVM can. */
  readonly guest: "any" | "linux";
}

/** Something that a case needs, and that may not be there. */
export type Need =
  | { readonly kind: "qemu"; readonly arch: GuestArch }
  | { readonly kind: "kvm" }
  | { readonly kind: "runtime"; readonly runtime: RuntimeName }
  | VmmNeed
  | KernelNeed;

/** The parts of an id: `<driver>/<machine>/<arch>/<protocol>/<kernel>/<what>`. */
export interface CaseId {
  /** Who runs it. */
  readonly driver: DriverName;
  /** QEMU's machine, `-` for none or our own monitor. */
  readonly machine: string;
  /** The guest's architecture. */
  readonly arch: string;
  /** The boot protocol. */
  readonly protocol: string;
  /** The kernel, by its series and not its version. */
  readonly kernel: string;
  /** What is shown. */
  readonly what: string;
}

/** What a layout is built from. */
export interface Layout {
  /** The kernel: a file, or bytes made for the case. */
  readonly kernel: { readonly path: string } | Uint8Array;
  /** What else the library is asked for. */
  readonly options: LayoutOptions;
  /** The byte that guest memory is filled with before; fresh memory if not given. */
  readonly dirt?: number;
}

/** Everything that the library is asked for, but for the kernel. */
export type LayoutOptions = Omit<BootOptions, "kernel">;

/** Gives the path of a kernel that a case needs. */
export type KernelPaths = (need: KernelNeed) => string;

/** What was seen of a guest, and what it was given. */
export interface Observation {
  /** Everything on its serial port. */
  readonly serial: string;
  /** The plan. */
  readonly plan: BootPlan;
  /** The kernel that was booted. */
  readonly kernel: Layout["kernel"];
  /** What the library was asked for. */
  readonly options: LayoutOptions;
  /** The RAM that the library was told of. */
  readonly ram: readonly AddressRange[];
  /** The machine. */
  readonly machine: Machine;
}

/** Something that is not as it should be. */
export interface Mismatch {
  /** What was looked at, e.g. `rsi`. */
  readonly what: string;
  /** What should be. */
  readonly expected: string;
  /** What is. */
  readonly actual: string;
}

/** A case that boots a guest. */
export interface BootCase {
  /** The tag of this kind. */
  readonly kind: "boot";
  /** Its id. */
  readonly id: CaseId;
  /** What it needs. */
  readonly needs: readonly Need[];
  /** The machine. */
  readonly machine: Machine;
  /** RAM in bytes. */
  readonly ramSize: bigint;
  /** The parts of it that the plan is made for; all of it if not given. */
  readonly ram?: readonly AddressRange[];
  /** The layout. */
  readonly layout: (kernels: KernelPaths) => Layout | Promise<Layout>;
  /** What must be seen: an empty list is a pass. */
  readonly judge: (seen: Observation) => Mismatch[];
  /** Ends the run before the guest does. */
  readonly isDone?: (serial: string) => boolean;
  /** Hard limit in seconds. */
  readonly timeout: number;
  /** What of the protocol it shows, with the section of the specification. */
  readonly requirement?: string;
  /** Additional arguments of QEMU. */
  readonly qemuArgs?: readonly string[];
}

/** A case that the library must refuse. */
export interface RefusalCase {
  /** The tag of this kind. */
  readonly kind: "refusal";
  /** Its id. */
  readonly id: CaseId;
  /** What it needs. */
  readonly needs: readonly Need[];
  /** What must be refused, and why, with the section of the specification. */
  readonly requirement?: string;
  /** The error code that is the pass. */
  readonly code: LoaderErrorCode;
  /** The RAM that there is. */
  readonly ram: readonly AddressRange[];
  /** What the library is asked for. */
  readonly layout: (kernels: KernelPaths) => Layout | Promise<Layout>;
}

/** A case that all plans of the run are made in another runtime, and are the same. */
export interface RuntimeCase {
  /** The tag of this kind. */
  readonly kind: "runtime";
  /** Its id. */
  readonly id: CaseId;
  /** What it needs. */
  readonly needs: readonly Need[];
  /** The runtime. */
  readonly runtime: RuntimeName;
  /** What is shown. */
  readonly requirement?: string;
}

/** A case that boots many random layouts of a probe. */
export interface RandomCase {
  /** The tag of this kind. */
  readonly kind: "random";
  /** Its id. */
  readonly id: CaseId;
  /** What it needs. */
  readonly needs: readonly Need[];
  /** The machine. */
  readonly machine: Machine;
  /** The boot protocol. */
  readonly protocol: BootProtocol;
  /** The probe's file. */
  readonly kernel: string;
  /** What is shown. */
  readonly requirement?: string;
}

/** A case that compares what a guest sees of our boot with what it sees of QEMU's own. */
export interface OracleCase {
  /** The tag of this kind. */
  readonly kind: "oracle";
  /** Its id. */
  readonly id: CaseId;
  /** What it needs. */
  readonly needs: readonly Need[];
  /** Our boot: its kernel, initrd and command line are QEMU's, too. */
  readonly boot: BootCase;
  /** Why what they see may differ. */
  readonly explanations: readonly Explanation[];
  /** What is shown. */
  readonly requirement?: string;
}

/** Why something that a guest says may differ from what it says when QEMU itself loads it. */
export interface Explanation {
  /** The names of the facts. */
  readonly facts: RegExp;
  /** The reason, with the specification where that leaves it open. */
  readonly reason: string;
  /** Whether it applies to these values; to all if not given. An absent fact is empty. */
  readonly holds?: (ours: string, theirs: string) => boolean;
}

/** Something that a guest says otherwise when QEMU itself loads it. */
export interface Difference {
  /** The fact. */
  readonly fact: string;
  /** What it says of our boot; empty if nothing. */
  readonly ours: string;
  /** What it says of QEMU's. */
  readonly theirs: string;
  /** Why. */
  readonly reason: string;
}

/** A case. */
export type Case = BootCase | RefusalCase | RuntimeCase | RandomCase | OracleCase;

/** What a case of many random layouts did. */
export interface RandomRun {
  /** The seed that the layouts came from. */
  readonly seed: number;
  /** How many were booted. */
  readonly boots: number;
  /** How long that took, in milliseconds. */
  readonly ms: number;
}

/** What came of a case. */
export interface CaseResult {
  /** Its id. */
  readonly id: string;
  /** How it ended. */
  readonly outcome: Outcome;
  /** Why, unless it passed. */
  readonly reason?: string;
  /** A skip that `--no-skip` lets pass: a missing KVM. */
  readonly missingKvm?: boolean;
  /** What did not match. */
  readonly mismatches?: readonly Mismatch[];
  /** How long it took, in milliseconds. */
  readonly ms: number;
  /** The kernel's exact version, for a distribution's. */
  readonly kernelVersion?: string;
  /** The hypervisor and its version. */
  readonly driverVersion?: string;
  /** The accelerator that QEMU itself says the guest ran on; undefined if it did not say. */
  readonly accelerator?: Accelerator;
  /** A command that boots the same layout again, where artifacts were kept. */
  readonly replay?: string;
  /** Where artifacts were kept. */
  readonly artifacts?: string;
  /** The last lines on the guest's serial port, for red cases. */
  readonly serialTail?: readonly string[];
  /** What of the protocol the case shows. */
  readonly requirement?: string;
  /** The runtimes that made the same plan. */
  readonly plannedIn?: readonly string[];
  /** The plan that was booted. */
  readonly plan?: PlanJson;
  /** What was on the guest's serial port; of a long log its beginning and its end. */
  readonly serial?: string;
  /** The error that a refusal came to. */
  readonly refusal?: string;
  /** Where the time went. */
  readonly timing?: Timing;
  /** How many facts the guest says alike when QEMU itself loads it. */
  readonly sameFacts?: number;
  /** What it says otherwise, each with its reason. */
  readonly differences?: readonly Difference[];
  /** What was booted, of a case of many random layouts. */
  readonly random?: RandomRun;
}

/** What a case came to, without what every result has. */
export type Verdict = Omit<
  CaseResult,
  "id" | "ms" | "kernelVersion" | "driverVersion" | "requirement"
>;

/** Where a case's time went, in milliseconds. */
export interface Timing {
  /** The library: reading the kernel, planning, writing guest memory. */
  readonly load: number;
  /** The harness: guest memory to a file, the stub. */
  readonly prepare: number;
  /** The guest, with its hypervisor. */
  readonly guest: number;
}

/**
 * An id as it is printed and filtered.
 *
 * @param id Its parts.
 * @returns The id in lower case.
 */
export function formatId(id: CaseId): string {
  const { driver, machine, arch, protocol, kernel, what } = id;
  return [driver, machine, arch, protocol, kernel, what].join("/").toLowerCase();
}

/**
 * Whether an outcome makes a run red.
 *
 * @param result What came of a case.
 * @param policy Which skips are allowed.
 * @returns True for fail, xpass, timeout and broken, and for skips that are not allowed.
 */
export function isRed(
  { outcome, missingKvm }: CaseResult,
  policy: { readonly noSkip: boolean; readonly requireKvm: boolean },
): boolean {
  if (outcome === "skip") return missingKvm ? policy.requireKvm : policy.noSkip;
  return ["fail", "xpass", "timeout", "broken"].includes(outcome);
}
