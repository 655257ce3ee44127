import { Button, Popover, SegmentedControl, Switch, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { Icon } from "~/components/Icon";
import { formatSpan, fromInputValue, toInputValue, type Zone, zoneName } from "~/format/time";
import { parseSpan, presets, rangeLabel, shift, zoomOut } from "./range";
import classes from "./TimeRangeControl.module.css";
import { useTimeRange } from "./useTimeRange";

/** Shows the shared range and changes it: presets, free text, absolute times, zone, live mode. */
export function TimeRangeControl() {
  const { range, resolved, now, zone, live, paused, setRange, setLive, refresh } = useTimeRange();
  const [open, setOpen] = useState(false);
  const label = range.kind === "last" ? rangeLabel(range) : formatSpan(range.from, range.to, zone);
  return (
    <div className={classes.bar} role="group" aria-label="Time range">
      <button
        type="button"
        className={classes.step}
        aria-label="Earlier"
        title="Earlier"
        onClick={() => setRange(shift(resolved, -1, now))}
      >
        <Icon name="left" />
      </button>
      <Popover
        opened={open}
        onChange={setOpen}
        position="bottom-end"
        width={320}
        shadow="md"
        trapFocus
        withinPortal
      >
        <Popover.Target>
          <button
            type="button"
            className={classes.label}
            aria-expanded={open}
            aria-haspopup="dialog"
            onClick={() => setOpen(!open)}
          >
            <span className={classes.text}>{label}</span>
            <span className={classes.zone}>{zoneName(zone, resolved.to)}</span>
            {live && <span className={classes.live}>{paused ? "live, paused while you read" : "live"}</span>}
          </button>
        </Popover.Target>
        <Popover.Dropdown aria-label="Choose a time range">
          {open && <Chooser onDone={() => setOpen(false)} />}
        </Popover.Dropdown>
      </Popover>
      <button
        type="button"
        className={`${classes.step} ${classes.wide}`}
        aria-label="Zoom out"
        title="Zoom out"
        onClick={() => setRange(zoomOut(resolved, now))}
      >
        <Icon name="zoomOut" />
      </button>
      {range.kind === "last" ? (
        <>
          <button
            type="button"
            className={`${classes.step} ${classes.wide}`}
            aria-pressed={live}
            title={live ? "Stop live mode" : "Live: follow now"}
            aria-label="Live mode"
            onClick={() => setLive(!live)}
          >
            <Icon name={live ? "pause" : "play"} />
          </button>
          <button
            type="button"
            className={classes.step}
            aria-label="Refresh"
            title="Refresh"
            onClick={refresh}
          >
            <Icon name="refresh" />
          </button>
        </>
      ) : (
        <button
          type="button"
          className={classes.step}
          aria-label="Later"
          title="Later"
          onClick={() => setRange(shift(resolved, 1, now))}
        >
          <Icon name="right" />
        </button>
      )}
    </div>
  );
}

function Chooser({ onDone }: { onDone: () => void }) {
  const { range, resolved, zone, live, setRange, setZone, setLive } = useTimeRange();
  const [from, setFrom] = useState(toInputValue(resolved.from, zone));
  const [to, setTo] = useState(toInputValue(resolved.to, zone));
  const [custom, setCustom] = useState("");
  const [problem, setProblem] = useState("");

  const changeZone = (next: string) => {
    const start = fromInputValue(from, zone);
    const end = fromInputValue(to, zone);
    setZone(next as Zone);
    if (start !== undefined) setFrom(toInputValue(start, next as Zone));
    if (end !== undefined) setTo(toInputValue(end, next as Zone));
  };
  const apply = (event: FormEvent) => {
    event.preventDefault();
    if (custom !== "") {
      const seconds = parseSpan(custom);
      if (!seconds) return setProblem("Write a span such as 90m, 4h or 2d.");
      setRange({ kind: "last", seconds });
      return onDone();
    }
    const start = fromInputValue(from, zone);
    const end = fromInputValue(to, zone);
    if (start === undefined || end === undefined) return setProblem("Both times are needed.");
    if (start >= end) return setProblem("The start must be before the end.");
    setRange({ kind: "absolute", from: start, to: end });
    onDone();
  };

  return (
    <form onSubmit={apply} className={classes.chooser}>
      <div className={classes.presets} role="group" aria-label="Recent">
        {presets.map((preset) => (
          <button
            key={preset.seconds}
            type="button"
            className={classes.preset}
            aria-pressed={range.kind === "last" && range.seconds === preset.seconds}
            onClick={() => {
              setRange(preset);
              onDone();
            }}
          >
            {rangeLabel(preset)}
          </button>
        ))}
      </div>
      <TextInput
        label="Last"
        placeholder="90m, 4h, 2d"
        value={custom}
        size="xs"
        onChange={(event) => setCustom(event.currentTarget.value)}
      />
      <div className={classes.absolute}>
        <TextInput
          label="From"
          type="datetime-local"
          step={1}
          size="xs"
          value={from}
          onChange={(event) => setFrom(event.currentTarget.value)}
        />
        <TextInput
          label="To"
          type="datetime-local"
          step={1}
          size="xs"
          value={to}
          onChange={(event) => setTo(event.currentTarget.value)}
        />
      </div>
      {problem && (
        <p role="alert" className={classes.problem}>
          {problem}
        </p>
      )}
      <div className={classes.foot}>
        <SegmentedControl
          size="xs"
          value={zone}
          onChange={changeZone}
          aria-label="Time zone"
          data={[
            { value: "local", label: "Local" },
            { value: "utc", label: "UTC" },
          ]}
        />
        <Switch
          size="xs"
          label="Live"
          checked={live}
          disabled={range.kind === "absolute"}
          onChange={(event) => setLive(event.currentTarget.checked)}
        />
        <Button type="submit" size="xs">
          Apply
        </Button>
      </div>
    </form>
  );
}
