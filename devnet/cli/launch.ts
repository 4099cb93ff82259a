#!/usr/bin/env node
/**
 * The first thing of `troupe` that Node reads, bundled as CommonJS: Node is ready for that fifteen milliseconds before it is
 * ready for a module. The version is answered here; for everything else `main.ts` is loaded.
 */
import { VERSION } from '../primitives/version.ts'

/** Beside this file when built; a variable, so that the bundler leaves it there. */
const MAIN = './main.js'

if (process.argv[2] === '--version' || process.argv[2] === '-V') process.stdout.write(`${VERSION}\n`)
else void import(MAIN)
