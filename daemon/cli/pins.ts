// SPDX-License-Identifier: GPL-3.0-or-later
import { ENVELOPE_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import { equal } from '../base/bytes.ts'
import { keepPins } from '../config/keyring.ts'
import { openEnvelope, type Pins } from '../core/envelope/index.ts'
import type { Api } from './api.ts'
import { CliError } from './error.ts'
import { fieldsOf, optionalBytesIn } from './fields.ts'
import type { Tools } from './tools.ts'

/**
 * The hub CAs that a new device is to pin: as the root says by now, kept in the owner's directory when that is news. An older
 * generation than is known here counts for nothing.
 * @throws CliError bad-answer for what the root did not seal
 */
export async function learnPins(tools: Tools, api: Api): Promise<readonly Uint8Array[]> {
  const person = await tools.person()
  const frame = optionalBytesIn(fieldsOf(await api.get('/ca'), 'the state of the authorities'), 'pins')
  if (!frame) return person.hubCas
  const opened = openEnvelope(
    frame,
    {
      sizeMax: ENVELOPE_BYTES_MAX,
      accepts: (body, signer) => body.type === 'pins' && equal(signer, person.root),
      isAudience: (body) => body.audience === person.home,
    },
    person.ed25519,
  )
  if (!opened.ok) throw new CliError('bad-answer', 'the home showed authorities that its root did not seal')
  const { generation, hubCas } = opened.value.body as Pins
  if (generation <= person.generation) return person.hubCas
  keepPins(tools.configured.config.owner, { generation, hubCas })
  return hubCas
}
