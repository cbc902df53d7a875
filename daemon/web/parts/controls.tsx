// SPDX-License-Identifier: GPL-3.0-or-later
/** One property or action as a person handles it: a switch, a slider, a figure, a button. */
import { useEffect, useState } from 'preact/hooks'
import { fromWire } from '../../core/model/index.ts'
import type { Held, May, Thing, Value } from '../answers.ts'
import { capabilityOf, kindOf, sayValue, sayWhen, titleOf } from '../kind.ts'
import { usePage } from './context.ts'
import { PictureFigure } from './picture-figure.tsx'
import { Stages, useIsBusy } from './stages.tsx'

export interface ControlProps {
  readonly thing: Thing
  readonly held: Held
}

export function Control({ thing, held }: ControlProps) {
  const capability = capabilityOf(held.name)
  if (capability?.name === 'still') return <PictureFigure thing={thing} held={held} />
  const may = held.may[held.kind === 'action' ? 'invoke' : 'write']
  if (held.kind === 'action') return may && capability ? <ActionButton thing={thing} held={held} /> : null
  if (!may || !capability) return <Figure held={held} />
  if (capability.type === 'boolean') return <Switch thing={thing} held={held} />
  if (capability.name === 'color') return <Colour thing={thing} held={held} />
  return <Slider thing={thing} held={held} />
}

function useCommand({ thing, held }: ControlProps) {
  const { app } = usePage()
  return (value?: Value) => {
    void app.perform({ act: 'command', wish: { thing: thing.id, kind: held.kind, name: held.name, value } })
  }
}

/** What is known already to be refused at this moment; pressing asks the device all the same, which decides. */
function NotNow({ may }: { may: May | undefined }) {
  const { words } = usePage()
  if (!may || may.ok) return null
  return (
    <p class="warning">
      {words.thing.notNow} {words.reason(may.code ?? 'not-permitted')}
    </p>
  )
}

function Switch({ thing, held }: ControlProps) {
  const { words } = usePage()
  const { name } = held
  const command = useCommand({ thing, held })
  const busy = useIsBusy(thing.id, name)
  const on = held.value === true
  // What is on or off of a camera is its light.
  const isLamp = isPlainSwitch(name) && kindOf(thing) === 'camera'
  const title = isLamp ? words.picture.lamp : titleOf(name, words)
  return (
    <div class="control">
      {(isLamp || !isPlainSwitch(name)) && (
        <span class="label" aria-hidden="true">
          {title}
        </span>
      )}
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
      <NotNow may={held.may.write} />
      <Stages thing={thing.id} name={name} />
    </div>
  )
}

/** Whether somebody who sees a switch knows what it is for: what is on or off is the device itself. */
function isPlainSwitch(name: string): boolean {
  return capabilityOf(name)?.name === 'on'
}

/** While one command is on its way the slider may move on; what it was left at is asked for when that has ended. */
function Slider({ thing, held }: ControlProps) {
  const { words, language } = usePage()
  const { name } = held
  const command = useCommand({ thing, held })
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
  const value = moving ?? Number(held.value ?? min)
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
      <NotNow may={held.may.write} />
      <Stages thing={thing.id} name={name} />
    </div>
  )
}

/** A colour is 24 bits, red first. */
function Colour({ thing, held }: ControlProps) {
  const { words } = usePage()
  const { name } = held
  const command = useCommand({ thing, held })
  const title = titleOf(name, words)
  const shown = `#${Number(held.value ?? 0)
    .toString(16)
    .padStart(6, '0')}`
  return (
    <div class="control">
      <label class="row">
        <span>{title}</span>
        <input
          type="color"
          value={shown}
          aria-label={`${thing.name}: ${title}`}
          onChange={(event) => command(Number.parseInt(event.currentTarget.value.slice(1), 16))}
        />
      </label>
      <NotNow may={held.may.write} />
      <Stages thing={thing.id} name={name} />
    </div>
  )
}

export function Figure({ held: { name, value, at } }: { held: Held }) {
  const { words, language, now } = usePage()
  return (
    <div class="figure">
      <span class="label">{titleOf(name, words)}</span>
      <span class="number">
        {value === undefined ? words.thing.neverHeard : sayValue(name, value, words, language)}
      </span>
      {at !== undefined && <small>{words.thing.asOf(sayWhen(at, now, language))}</small>}
    </div>
  )
}

/** For how long a lock is opened, or a device shows itself, when nothing else is said. */
const SECONDS = 5

function ActionButton({ thing, held }: ControlProps) {
  const { words, language } = usePage()
  const { name } = held
  const command = useCommand({ thing, held })
  const busy = useIsBusy(thing.id, name)
  const capability = capabilityOf(name)!
  const value = capability.type === 'integer' ? SECONDS : undefined
  const title =
    name === 'unlock' ? words.thing.unlockFor(sayValue(name, SECONDS, words, language)) : titleOf(name, words)
  return (
    <div class="control action">
      <button
        type="button"
        class="plain"
        aria-label={`${title}: ${thing.name}`}
        aria-busy={busy}
        onClick={() => command(value)}
      >
        {title}
      </button>
      <NotNow may={held.may.invoke} />
      <Stages thing={thing.id} name={name} />
    </div>
  )
}
