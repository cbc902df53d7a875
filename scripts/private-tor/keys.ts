// SPDX-License-Identifier: GPL-3.0-or-later
import { spawn } from 'node:child_process'
import { createHash, generateKeyPair } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const MONTHS_VALID = 12

/** What clients pin of a directory authority: both fingerprints, 40 upper-case hex digits. */
export interface AuthorityIdentity {
  readonly relayFingerprint: string
  readonly v3Identity: string
}

/** Makes the authority's relay key and its certificate, so that no extra run of tor is needed to learn them. */
export async function makeAuthorityKeys(keys: string, directoryPort: number): Promise<AuthorityIdentity> {
  const [relayFingerprint, v3Identity] = await Promise.all([
    makeRelayIdentity(join(keys, 'secret_id_key')),
    makeCertificate(keys, `127.0.0.1:${directoryPort}`),
  ])
  return { relayFingerprint, v3Identity }
}

/** The legacy relay identity is RSA-1024; its fingerprint is SHA-1 over the PKCS#1 public key (tor-spec 1.1). */
async function makeRelayIdentity(file: string): Promise<string> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 1024,
    publicExponent: 65_537,
  })
  await writeFile(file, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 })
  const der = publicKey.export({ type: 'pkcs1', format: 'der' })
  return createHash('sha1').update(der).digest('hex').toUpperCase()
}

async function makeCertificate(keys: string, address: string): Promise<string> {
  const certificate = join(keys, 'authority_certificate')
  await runGencert([
    ...['--create-identity-key', '--passphrase-fd', '0', '-m', `${MONTHS_VALID}`, '-a', address],
    ...['-i', join(keys, 'authority_identity_key'), '-s', join(keys, 'authority_signing_key')],
    ...['-c', certificate],
  ])
  const fingerprint = /^fingerprint ([0-9A-F]{40})$/m.exec(await readFile(certificate, 'utf8'))?.[1]
  if (fingerprint === undefined) throw new Error(`tor-gencert wrote no fingerprint into ${certificate}`)
  return fingerprint
}

function runGencert(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const gencert = spawn('tor-gencert', args, { stdio: ['pipe', 'ignore', 'pipe'] })
    let complaint = ''
    gencert.stderr.on('data', (text) => {
      complaint = `${complaint}${text}`.slice(-2000)
    })
    gencert.once('error', (cause) =>
      reject(new Error('tor-gencert is not installed (Debian package tor)', { cause })),
    )
    gencert.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`tor-gencert failed: ${complaint}`)),
    )
    // The key protects nothing: the network lives as long as this process and on one machine.
    gencert.stdin.on('error', () => {})
    gencert.stdin.end('a private network\n')
  })
}
