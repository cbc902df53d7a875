// SPDX-License-Identifier: GPL-3.0-or-later
/** The least that can answer a request through an onion: one file over HTTP on a unix socket. In: its argument, `{socket, file}`. */
import { createReadStream, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { readArgument } from './process.ts'

const { socket, file } = await readArgument<{ socket: string; file: string }>()
const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-length': statSync(file).size })
  createReadStream(file).pipe(response)
})
server.listen(socket, () => process.send!({ ready: true }))
