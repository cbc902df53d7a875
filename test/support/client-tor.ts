// SPDX-License-Identifier: GPL-3.0-or-later
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

export interface ClientTor extends AsyncDisposable {
  /** On 127.0.0.1. */
  readonly socksPort: number
}

const READY_MS_MAX = 60_000

/** A tor as somebody elsewhere runs it: a SOCKS port and nothing else. @param torrc  joins a network; is added to */
export async function openClientTor(torrc: string, directory: string): Promise<ClientTor> {
  appendFileSync(torrc, `DataDirectory ${directory}\nSocksPort 127.0.0.1:auto\nLog notice stdout\n`)
  const child = spawn('tor', ['-f', torrc, '--defaults-torrc', '/dev/null'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  const close = async () => {
    child.kill('SIGTERM')
    await closed
  }
  let port: number | undefined
  const said: string[] = []
  const ready = new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      said.push(line)
      const opened = /Opened Socks listener connection \(ready\) on 127\.0\.0\.1:(\d+)/.exec(line)
      if (opened) port = Number(opened[1])
      if (line.includes('Bootstrapped 100%') && port !== undefined) resolve(port)
    })
    const late = () => reject(new Error(`tor did not join: ${said.slice(-5).join(' | ')}`))
    closed.then(late)
    AbortSignal.timeout(READY_MS_MAX).addEventListener('abort', late)
  })
  try {
    return { socksPort: await ready, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}
