// SPDX-License-Identifier: GPL-3.0-or-later
import { useEffect } from 'preact/hooks'
import { sayValue, sayWhen, titleOf } from '../kind.ts'
import { usePage } from '../parts/context.ts'
import { Heading } from '../parts/heading.tsx'
import type { LogLine } from '../state.ts'

export function LogView() {
  const { app, state, words } = usePage()
  const { lines, loading, complete, failed } = state.log
  useEffect(() => {
    void app.perform({ act: 'log', older: false })
  }, [])
  return (
    <>
      <Heading>{words.log.title}</Heading>
      {failed && <p class="refused">{words.reason(failed)}</p>}
      {!loading && !failed && lines.length === 0 && <p>{words.log.empty}</p>}
      <ol class="log">
        {lines.map((line) => (
          <li key={line.index}>
            <Line line={line} />
          </li>
        ))}
      </ol>
      {loading && <p role="status">{words.log.loading}</p>}
      {!loading && !complete && lines.length > 0 && (
        <button type="button" class="plain" onClick={() => void app.perform({ act: 'log', older: true })}>
          {words.log.older}
        </button>
      )}
    </>
  )
}

function Line({ line }: { line: LogLine }) {
  const { app, state, words, language, now } = usePage()
  const thing = line.device && state.things.get(line.device)?.name
  const isDevice = line.signer !== undefined && line.signer === line.device
  const who = isDevice
    ? thing
    : line.signer === app.person.id
      ? words.log.you
      : line.signer && words.log.somebody
  const what = Object.hasOwn(words.log.kind, line.kind) ? words.log.kind[line.kind] : line.kind
  const failed = line.code !== undefined && line.code !== 'ok'
  return (
    <>
      <p>
        <strong>{[who, what].filter(Boolean).join(' ')}</strong>
        {!isDevice && thing && ` · ${thing}`}
        {line.asked && ` · ${asked(line.asked)}`}
        {line.note && !thing && ` · ${line.note}`}
      </p>
      {failed && <p class="refused">{words.reason(line.code!)}</p>}
      <small>
        <time dateTime={new Date(line.at).toISOString()}>{sayWhen(line.at, now, language)}</time>
        {line.origin && ` · ${origin(line.origin)}`}
        {line.signer && !line.sealed && ` · ${words.log.unsealed}`}
      </small>
    </>
  )

  function asked({ name, value }: NonNullable<LogLine['asked']>): string {
    const title = titleOf(name, words)
    return value === undefined ? title : `${title}: ${sayValue(name, value, words, language)}`
  }

  function origin(text: string): string {
    const { from } = words.log
    if (text === 'unix' || text === 'lan' || text === 'link') return from[text]
    return text.startsWith('onion:') ? from.onion(text.slice(text.lastIndexOf(':') + 1)) : text
  }
}
