// SPDX-License-Identifier: GPL-3.0-or-later
/** One property or action as a person handles it: a switch, a slider, a figure, a button. */
import { useEffect, useState } from 'preact/hooks'
import { fromWire } from '../../core/model/index.ts'
import type { Reported, Thing, Value } from '../answers.ts'
import { capabilityOf, sayValue, sayWhen, titleOf } from '../kind.ts'
import { usePage } from './context.ts'
import { Stages, useIsBusy } from './stages.tsx'

export interface ControlProps {
  readonly thing: Thing
  readonly name: string
}

export function Property({ thing, name }: ControlProps) {
  const capability = capabilityOf(name)
  const reported = thing.properties.get(name)
  if (!capability?.writable) return <Figure name={name} reported={reported} />
  return capability.type === 'boolean' ? (
    <Switch thing={thing} name={name} />
  ) : (
    <Slider thing={thing} name={name} />
  )
}

function useCommand({ thing, name }: ControlProps, kind: 'property' | 'action') {
  const { app } = usePage()
  return (value?: Value) => {
    void app.perform({ act: 'command', wish: { thing: thing.id, kind, name, value } })
  }
}

function Switch({ thing, name }: ControlProps) {
  const { words } = usePage()
  const command = useCommand({ thing, name }, 'property')
  const busy = useIsBusy(thing.id, name)
  const on = thing.properties.get(name)?.value === true
  const title = titleOf(name, words)
  return (
    <div class="control">
      <button
        type="button"
        class="switch"
        role="switch"
        aria-checked={on}
        aria-label={`${thing.name}: ${title}`}
        aria-busy={busy}
        onClick={() => command(!on)}
      >
        <i aria-hidden="true" />
        <span>{on ? words.value.on : words.value.off}</span>
      </button>
      <Stages thing={thing.id} name={name} />
    </div>
  )
}

/** While one command is on its way the slider may move on; what it was left at is asked for when that has ended. */
function Slider({ thing, name }: ControlProps) {
  const { words, language } = usePage()
  const command = useCommand({ thing, name }, 'property')
  const busy = useIsBusy(thing.id, name)
  const [moving, setMoving] = useState<number>()
  const [wanted, setWanted] = useState<number>()
  useEffect(() => {
    if (busy || wanted === undefined) return
    setWanted(undefined)
    command(wanted)
  }, [busy, wanted])
  useEffect(() => {
    if (!busy && wanted === undefined) setMoving(undefined)
  }, [busy])
  const capability = capabilityOf(name)!
  const [min, max] = [fromWire(capability, capability.min), fromWire(capability, capability.max)]
  const value = moving ?? Number(thing.properties.get(name)?.value ?? min)
  const title = titleOf(name, words)
  return (
    <div class="control">
      <label>
        <span class="row">
          <span>{title}</span>
          <output>{sayValue(name, value, words, language)}</output>
        </span>
        <input
          type="range"
          min={Number(min)}
          max={Number(max)}
          step={10 ** -capability.scale}
          value={value}
          aria-label={`${thing.name}: ${title}`}
          aria-valuetext={sayValue(name, value, words, language)}
          onInput={(event) => setMoving(event.currentTarget.valueAsNumber)}
          onChange={(event) => setWanted(event.currentTarget.valueAsNumber)}
        />
      </label>
      <Stages thing={thing.id} name={name} />
    </div>
  )
}

function Figure({ name, reported }: { name: string; reported: Reported | undefined }) {
  const { words, language, now } = usePage()
  return (
    <div class="figure">
      <span class="label">{titleOf(name, words)}</span>
      <span class="number">
        {reported ? sayValue(name, reported.value, words, language) : words.thing.neverHeard}
      </span>
      {reported && <small>{words.thing.asOf(sayWhen(reported.at, now, language))}</small>}
    </div>
  )
}

export function ActionButton({ thing, name }: ControlProps) {
  const { words } = usePage()
  const command = useCommand({ thing, name }, 'action')
  const capability = capabilityOf(name)
  const busy = useIsBusy(thing.id, name)
  if (!capability) return null
  // An action with a number is asked for with a small one that is always in range.
  const value =
    capability.type === 'integer' ? Math.min(capability.max, Math.max(capability.min, 5)) : undefined
  const press = () => command(value === undefined ? undefined : fromWire(capability, value))
  return (
    <div class="control">
      <button type="button" class="plain" aria-busy={busy} onClick={press}>
        {titleOf(name, words)}
        <span class="only-read">: {thing.name}</span>
      </button>
      <Stages thing={thing.id} name={name} />
    </div>
  )
}
