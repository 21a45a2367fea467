#!/usr/bin/env node
// The npm package `solc` behind the command line that py-solc-x expects of a native compiler:
// `--version`, or standard JSON from stdin to stdout. (The package's own `solcjs --standard-json`
// prints a line about SMT solvers before the JSON.)
"use strict";

const { readFileSync } = require("node:fs");
const solc = require("solc");

if (process.argv.includes("--version")) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`);
} else {
  process.stdout.write(solc.compile(readFileSync(0, "utf8")));
}
