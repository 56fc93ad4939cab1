#!/bin/bash -eu
# Runs inside the image of ./Dockerfile, which sets SRC and OUT.

npm install --no-audit --no-fund --no-package-lock
npm install --no-audit --no-fund --no-package-lock --no-save @jazzer.js/core@4.0.0

# One CommonJS file and one folder of seeds for each target of fuzz/guided/targets.ts
npx tsx fuzz/bundle_targets.ts fuzz/dist

for target in fuzz/dist/*.js; do
  name=$(basename "$target" .js)
  compile_javascript_fuzzer linux-loader "$target" --sync
  (cd "fuzz/dist/$name" && zip -q "$OUT/${name}_seed_corpus.zip" ./*)
done
