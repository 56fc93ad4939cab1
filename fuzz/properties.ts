/**
 * All properties. A new one is a file in properties/ and a line here.
 *
 * @module
 */
import atomic from "./properties/atomic.ts";
import atomicDetached from "./properties/atomic_detached.ts";
import atomicPlans from "./properties/atomic_plans.ts";
import atomicSources from "./properties/atomic_sources.ts";
import bootParams from "./properties/boot_params.ts";
import bounded from "./properties/bounded.ts";
import confined from "./properties/confined.ts";
import dtc from "./properties/dtc.ts";
import faithful from "./properties/faithful.ts";
import limitsFdt from "./properties/limits_fdt.ts";
import linear from "./properties/linear.ts";
import load from "./properties/load.ts";
import loadParts from "./properties/load_parts.ts";
import modelBoot from "./properties/model_boot.ts";
import modelCrowd from "./properties/model_crowd.ts";
import modelEdits from "./properties/model_edits.ts";
import modelFdt from "./properties/model_fdt.ts";
import modelHuge from "./properties/model_huge.ts";
import modelMachines from "./properties/model_machines.ts";
import modelMemory from "./properties/model_memory.ts";
import modelPlaces from "./properties/model_places.ts";
import modelValues from "./properties/model_values.ts";
import modelZboot from "./properties/model_zboot.ts";
import readSources from "./properties/read_sources.ts";
import roundTripFdt from "./properties/round_trip_fdt.ts";
import roundTripImages from "./properties/round_trip_images.ts";
import roundTripStructs from "./properties/round_trip_structs.ts";
import sound from "./properties/sound.ts";
import stableRuntimes from "./properties/stable_runtimes.ts";
import stableSources from "./properties/stable_sources.ts";
import totalBoot from "./properties/total_boot.ts";
import totalBzimage from "./properties/total_bzimage.ts";
import totalCmdline from "./properties/total_cmdline.ts";
import totalDetect from "./properties/total_detect.ts";
import totalElf from "./properties/total_elf.ts";
import totalFdt from "./properties/total_fdt.ts";
import totalImages from "./properties/total_images.ts";
import totalLayout from "./properties/total_layout.ts";
import totalNotes from "./properties/total_notes.ts";
import totalOptions from "./properties/total_options.ts";
import unpack from "./properties/unpack.ts";
import unpackBounded from "./properties/unpack_bounded.ts";
import unpackMatches from "./properties/unpack_matches.ts";
import unpackSequences from "./properties/unpack_sequences.ts";
import unpackStreams from "./properties/unpack_streams.ts";
import unpackWhole from "./properties/unpack_whole.ts";
import unpackWork from "./properties/unpack_work.ts";
import unwrap from "./properties/unwrap.ts";
import unwrapFaults from "./properties/unwrap_faults.ts";
import writeFdt from "./properties/write_fdt.ts";
import type { Property } from "./property.ts";

/** In the order in which they run: parsers before planners before what needs other programs. */
export const PROPERTIES: readonly Property[] = [
  readSources,
  totalDetect,
  totalElf,
  totalNotes,
  totalBzimage,
  totalImages,
  totalFdt,
  totalCmdline,
  totalLayout,
  totalBoot,
  totalOptions,
  modelMemory,
  atomic,
  atomicSources,
  atomicPlans,
  atomicDetached,
  confined,
  sound,
  faithful,
  roundTripStructs,
  roundTripImages,
  roundTripFdt,
  load,
  loadParts,
  bootParams,
  modelBoot,
  modelCrowd,
  modelPlaces,
  modelHuge,
  modelValues,
  modelEdits,
  modelFdt,
  limitsFdt,
  writeFdt,
  dtc,
  modelMachines,
  modelZboot,
  unpack,
  unpackMatches,
  unpackStreams,
  unpackWhole,
  unpackSequences,
  unpackBounded,
  unpackWork,
  unwrap,
  unwrapFaults,
  bounded,
  linear,
  stableSources,
  stableRuntimes,
];
