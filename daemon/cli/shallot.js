#!/usr/bin/env node
// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Where Node begins; the program is shallot.ts. This is plain JavaScript because a first file in TypeScript has Node load its
 * compiler before any cache can be asked: 17 MB of the daemon's memory.
 */
import module from 'node:module'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'

const NODE_MAJOR_MIN = 26

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
  process.stderr.write(
    `shallot: this is Node ${process.versions.node}, and it needs ${NODE_MAJOR_MIN} or later\n` +
      '  `npm run -s shallot --` in its folder runs it with the Node that it brought along\n',
  )
  process.exit(1)
}
// Halves the time to start. Never in the shared temporary directory, nor in the one where somebody happens to be, which a variable
// that is empty or relative would mean: what lies in the cache is run.
const cache = [process.env.XDG_CACHE_HOME ?? '', join(process.env.HOME ?? homedir(), '.cache')].find(
  isAbsolute,
)
if (cache !== undefined) module.enableCompileCache(join(cache, 'shallot'))
// V8 doubles the room for new objects at every burst and keeps it: 10 MB of a daemon that idles.
setFlagsFromString('--semi-space-growth-factor=1')
await import('./shallot.ts')
