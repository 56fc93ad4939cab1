/** Compares both answers to a case, and says which divergences explain what differs. */
import type { KernelSource, LoaderError } from "../../mod.ts";
import { type Answer, answerBootParams, answerCmdline, answerImage } from "./answers.ts";
import type { CmdlineCase, Vector, Verdict } from "./cases.ts";
import {
  DIVERGENCES,
  type Field,
  MEMORY_UNTOUCHED,
  type Seen,
  SOURCE_INDEPENDENT,
} from "./divergences.ts";
import { sameError } from "./errors.ts";
import { runsOf, sameRuns } from "./guest.ts";

/** What came of a case. */
export interface Comparison {
  /** The names of the divergences that explain all differences; empty if there are none. */
  readonly divergences: readonly string[];
  /** What nothing explains: our answer and theirs. Empty if all is explained. */
  readonly unexplained: readonly string[];
}

/** Opens an input as a file, for the time of a call. */
export type WithFile = <T>(input: Uint8Array, use: (file: KernelSource) => T) => T;

/**
 * Puts a case to this library and compares the answers.
 *
 * @param vector The case and linux-loader's answer.
 * @param withFile Puts the input into a file, to be read from there as well.
 * @returns What came of it.
 */
export function compare(vector: Vector, withFile: WithFile): Comparison {
  const { case: one, input, verdict } = vector;
  switch (one.format) {
    case "cmdline":
      return compareCmdline(one, verdict);
    case "bootparams":
      return judge({ case: one, input, theirs: verdict, ours: answerBootParams(one) });
    default: {
      const fromMemory = judge({
        case: one,
        input,
        theirs: verdict,
        ours: answerImage(one, input),
      });
      const ours = withFile(input, (file) => answerImage(one, file));
      return merge(fromMemory, judgeFile({ case: one, input, theirs: verdict, ours }));
    }
  }
}

/** The answer from a file is theirs from a file, or theirs from memory if they could not seek. */
function judgeFile(seen: Seen): Comparison {
  const { file } = seen.theirs;
  if (file === undefined) return judge(seen);
  const own = judge({ ...seen, theirs: file });
  if (own.unexplained.length === 0 || !SOURCE_INDEPENDENT.explains(seen, file)) return own;
  return merge({ divergences: [SOURCE_INDEPENDENT.name], unexplained: [] }, judge(seen));
}

/**
 * Explains the differences of two answers.
 *
 * @param seen The case and both answers.
 * @returns What explains them, and what nothing does.
 */
export function judge(seen: Seen): Comparison {
  const divergences: string[] = [];
  const unexplained: string[] = [];
  for (const field of differences(seen)) {
    const found = DIVERGENCES.find((one) =>
      one.fields.includes(field) && one.explains(seen, field)
    );
    if (found !== undefined) divergences.push(found.name);
    else {unexplained.push(
        `${field}: ours ${ourAnswer(seen.ours, field)}, theirs ${theirAnswer(seen.theirs, field)}`,
      );}
  }
  return { divergences: [...new Set(divergences)], unexplained };
}

const LOADED = ["kernel_load", "kernel_end", "pvh", "setup_header"] as const;

function differences({ theirs, ours }: Seen): Field[] {
  const fields: Field[] = [];
  const isOk = ours.error === undefined;
  if (theirs.ok !== isOk || (!isOk && !sameError(theirs.err ?? "", ours.error))) {
    fields.push("outcome");
  }
  if (theirs.ok && isOk) {
    fields.push(...LOADED.filter((field) => theirs[field] !== ours.loaded[field]));
  }
  // Where only this library refuses, theirs is what was loaded, and ours must be what was there
  const expected = theirs.ok && !isOk ? [] : theirs.mem ?? [];
  const runs = ours.guest === undefined ? [] : runsOf(ours.guest);
  if (!sameRuns(expected, runs)) fields.push("mem");
  return fields;
}

function compareCmdline(one: CmdlineCase, theirs: Verdict): Comparison {
  const ours = answerCmdline(one);
  const unexplained: string[] = [];
  const check = (what: string, their: string | undefined, our: LoaderError | undefined) => {
    const isSame = our === undefined
      ? their === undefined || their === "ok"
      : their !== undefined && sameError(their, our);
    if (!isSame) unexplained.push(`${what}: ours ${say(our)}, theirs ${their ?? "ok"}`);
  };
  check("new", theirs.new, ours.newError);
  if (ours.newError === undefined) {
    const their = theirs.ops ?? [];
    if (their.length !== ours.ops.length) unexplained.push(`ops: theirs are ${their.length}`);
    for (const [i, error] of ours.ops.entries()) check(`ops[${i}]`, their[i], error);
    check("as_cstring", theirs.err, ours.error);
    if (theirs.result !== ours.result) {
      unexplained.push(`result: ours ${ours.result}, theirs ${theirs.result}`);
    }
    // What is no command line was perhaps not loaded at all
    if (theirs.load !== undefined || theirs.err === undefined) {
      check("load", theirs.load, ours.loadError);
    }
  }
  const runs = ours.guest === undefined ? [] : runsOf(ours.guest);
  if (sameRuns(theirs.mem ?? [], runs)) return { divergences: [], unexplained };
  // As after a failed load of a kernel
  const isUntouched = ours.loadError !== undefined && runs.length === 0;
  if (isUntouched && (theirs.load ?? "ok") !== "ok") {
    return { divergences: [MEMORY_UNTOUCHED.name], unexplained };
  }
  unexplained.push(`mem: ours ${JSON.stringify(runs)}, theirs ${JSON.stringify(theirs.mem)}`);
  return { divergences: [], unexplained };
}

function merge(a: Comparison, b: Comparison): Comparison {
  return {
    divergences: [...new Set([...a.divergences, ...b.divergences])],
    unexplained: [...new Set([...a.unexplained, ...b.unexplained])],
  };
}

function say(error: LoaderError | undefined): string {
  return error === undefined ? "ok" : `${error.code} (${error.message})`;
}

function ourAnswer({ error, loaded, guest }: Answer, field: Field): string {
  if (field === "outcome") return say(error);
  if (field === "mem") return JSON.stringify(guest === undefined ? [] : runsOf(guest));
  return `${loaded[field]}`;
}

function theirAnswer(theirs: Verdict, field: Field): string {
  if (field === "outcome") return theirs.ok ? "ok" : `${theirs.err}`;
  return JSON.stringify(theirs[field] ?? []);
}
