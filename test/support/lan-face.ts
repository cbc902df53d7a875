// SPDX-License-Identifier: GPL-3.0-or-later
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { type RequestOptions, request } from 'node:https'
import * as x509 from '@peculiar/x509'
import type { TlsFace } from '../../daemon/edge/http/index.ts'
import type { TestHome } from './http-home.ts'

async function webCertificate(): Promise<{ key: string; cert: string }> {
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=hub',
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
    },
    webcrypto as never,
  )
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { cert: certificate.toString('pem'), key: x509.PemConverter.encode(key, 'PRIVATE KEY') }
}

/** A face on loopback under a certificate of its own. */
export const lanFace = async (more: Partial<TlsFace> = {}): Promise<TlsFace> => ({
  kind: 'tls',
  host: '127.0.0.1',
  port: 0,
  origin: 'lan',
  ...(await webCertificate()),
  ...more,
})

/** Asks the owner’s question of a face on its LAN. @param options  more of the request, such as an agent */
export function askLan(
  home: TestHome,
  face: TlsFace,
  port: number,
  path: string,
  options: RequestOptions = {},
): Promise<{ status: number; base: string }> {
  return new Promise((resolve, reject) => {
    const authorization = home.owner.authorization({ method: 'GET', path })
    const asked = {
      host: '127.0.0.1',
      port,
      path,
      ca: face.cert,
      agent: false as const,
      headers: { authorization },
      ...options,
    }
    request(asked, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part) => {
        text += part
      })
      answer.once('end', () => resolve({ status: answer.statusCode!, base: JSON.parse(text).base }))
    })
      .once('error', reject)
      .end()
  })
}
