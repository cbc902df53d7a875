// SPDX-License-Identifier: GPL-3.0-or-later
import { X509Certificate } from 'node:crypto'
import { Agent } from 'node:https'
import { CliError } from '../error.ts'
import { askOver, type Way } from './way.ts'

/** The LAN page, with the home's own CA as the only one believed. @param origin `https://host[:port]` */
export function lanWay(origin: string, webCa: Uint8Array): Way {
  const url = URL.parse(origin)
  if (url?.protocol !== 'https:' || url.pathname !== '/' || url.username !== '' || url.search !== '') {
    throw new CliError('code-damaged', 'the code names a LAN address that is not https://host:port')
  }
  const ca = new X509Certificate(webCa).toString()
  const agent = new Agent({ keepAlive: true, maxSockets: 8, minVersion: 'TLSv1.2' })
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? 443 : Number(url.port)
  return {
    kind: 'lan',
    words: `over the LAN at ${url.origin}`,
    patienceMs: 10_000,
    ask: (ask, signal) => askOver({ secure: true, host, port, ca, agent }, ask, signal),
    async [Symbol.asyncDispose]() {
      agent.destroy()
    },
  }
}
