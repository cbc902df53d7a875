// SPDX-License-Identifier: GPL-3.0-or-later
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { codeOf } from '../../base/error.ts'
import { type Converted, convert, FILE_BYTES_MAX, NAME_CHARS_MAX } from '../certificate-header.ts'
import { CliError } from '../error.ts'
import { group, verb } from '../verb.ts'

const header = verb({
  command: 'header <file>',
  says: 'Turns PEM or DER into a C header, and such a header back into exactly the file it was',
  examples: [
    ['cert header ca.pem --out ca.h', 'one array of DER for each certificate or public key'],
    ['cert header ca.h --out ca.pem', 'the same bytes again'],
    ['cert header key.pem --out key.h --private-key', 'a private key too, if that is really wanted'],
  ],
  options: (cli) =>
    cli
      .positional('file', {
        type: 'string',
        demandOption: true,
        describe: 'PEM, DER, or a header that this wrote',
      })
      .option('out', { type: 'string', demandOption: true, describe: 'a new file' })
      .option('name', { type: 'string', describe: 'what the C names begin with; from the name of the file' })
      .option('private-key', { type: 'boolean', default: false, describe: 'private keys are wanted too' }),
  async run({ voice, workingDirectory }, args) {
    const [from, to] = [resolve(workingDirectory, args.file), resolve(workingDirectory, args.out)]
    const options = { name: args.name ?? nameOf(from), privateKeys: args['private-key'] }
    const converted = convert(read(from), options)
    if (!converted.ok) {
      throw new CliError(converted.why, `${args.file}: ${converted.detail}`, { next: NEXT[converted.why] })
    }
    write(to, converted.value)
    const { to: form, bytes, isPrivate } = converted.value
    voice.tell({ ok: true, out: to, form, bytes: bytes.length, private: isPrivate }, () =>
      isPrivate
        ? `${args.out} is written. It holds a private key: keep it out of every repository.`
        : `${args.out} is written.`,
    )
  },
})

const NEXT = {
  'bad-value':
    'openssl writes the strict form: `openssl x509 -in <file> -out <file>`, `openssl pkey` for keys',
  'too-large': undefined,
  forbidden: 'leave the key out, or say --private-key if you mean it',
} as const

function nameOf(path: string): string {
  const stem = basename(path).replace(/\.[^.]*$/, '')
  const name = stem.toLowerCase().replace(/[^a-z0-9_]/g, '_')
  return (/^[a-z]/.test(name) ? name : `c_${name}`).slice(0, NAME_CHARS_MAX)
}

function read(path: string): Uint8Array {
  try {
    return Uint8Array.from(readFileSync(path).subarray(0, FILE_BYTES_MAX + 1))
  } catch (cause) {
    throw new CliError('missing', `${path} cannot be read (${codeOf(cause)})`, { cause })
  }
}

function write(path: string, { bytes, isPrivate }: Converted): void {
  try {
    writeFileSync(path, bytes, { flag: 'wx', mode: isPrivate ? 0o600 : 0o644 })
  } catch (cause) {
    const why = codeOf(cause) === 'EEXIST' ? 'is there already' : 'cannot be written'
    throw new CliError('conflict', `${path} ${why}, so nothing was done`, { cause })
  }
}

export const cert = group('cert', 'Certificates as other programs want them', [header])
