#!/usr/bin/env node
// The compiler as Slither needs it: standard JSON from stdin to stdout, with empty bytecode. Slither
// reads the syntax tree and merely wants the bytecode to be there, which takes most of the time.
"use strict";

const { readFileSync } = require("node:fs");
const solc = require("solc");

const EMPTY = { object: "", sourceMap: "" };

if (process.argv.includes("--version")) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`);
} else {
  const output = JSON.parse(solc.compile(readFileSync(0, "utf8")));
  for (const contracts of Object.values(output.contracts ?? {})) {
    for (const contract of Object.values(contracts)) {
      contract.evm = { bytecode: EMPTY, deployedBytecode: EMPTY };
    }
  }
  process.stdout.write(JSON.stringify(output));
}
