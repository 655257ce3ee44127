import { Button, Combobox, Popover, TextInput, useCombobox } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { fieldsQuery, type Signal, valuesQuery } from "~/api/queries";
import { Icon } from "~/components/Icon";
import { useTimeRange } from "~/time/useTimeRange";
import { FilterHelp } from "./FilterHelp";
import classes from "./SearchBox.module.css";
import { complete, matchingFields, tokenAt } from "./suggest";

interface Props {
  kind: Signal;
  label: string;
  placeholder: string;
  value: string;
  onSubmit: (query: string) => void;
}

/** The filter language's input: suggests fields, then their values; Enter asks. */
export function SearchBox({ kind, label, placeholder, value, onSubmit }: Props) {
  const { resolved } = useTimeRange();
  const [text, setText] = useState(value);
  const [cursor, setCursor] = useState(value.length);
  const input = useRef<HTMLInputElement>(null);
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() });
  const { dropdownOpened } = combobox;

  useEffect(() => setText(value), [value]);
  // The cursor is in the box, but not on a phone, where the keyboard would cover the page.
  useEffect(() => {
    if (window.matchMedia("(min-width: 900px)").matches) input.current?.focus({ preventScroll: true });
  }, []);

  const token = tokenAt(text, cursor);
  const minute = useMemo(
    () => ({
      from: Math.floor(resolved.from / 60_000) * 60_000,
      to: Math.ceil(resolved.to / 60_000) * 60_000,
    }),
    [resolved],
  );
  const fields = useQuery({ ...fieldsQuery(kind, "", minute), enabled: dropdownOpened, staleTime: 60_000 });
  const values = useQuery({
    ...valuesQuery(kind, token.field ?? "", "", minute, 30),
    enabled: dropdownOpened && Boolean(token.field),
    staleTime: 60_000,
  });
  const choices =
    token.field === undefined
      ? matchingFields(fields.data?.fields ?? [], token.typed)
      : matchingFields((values.data?.values ?? []).map((one) => one.value).filter(Boolean), token.typed);

  const submit = () => {
    combobox.closeDropdown();
    onSubmit(text.trim());
  };
  const choose = (choice: string) => {
    const next = complete(text, token, choice);
    setText(next.query);
    setCursor(next.cursor);
    requestAnimationFrame(() => input.current?.setSelectionRange(next.cursor, next.cursor));
    if (token.field !== undefined) combobox.closeDropdown();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Enter" && combobox.getSelectedOptionIndex() < 0) {
      event.preventDefault();
      submit();
    }
    if (event.key === "Escape" && dropdownOpened) {
      event.preventDefault();
      combobox.closeDropdown();
    }
  };

  return (
    <div role="search" className={classes.bar}>
      <Combobox store={combobox} onOptionSubmit={choose} withinPortal>
        <Combobox.EventsTarget>
          <TextInput
            ref={input}
            className={classes.input}
            aria-label={label}
            placeholder={placeholder}
            value={text}
            data-search
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            leftSection={<Icon name="search" size={16} />}
            styles={{ input: { fontFamily: "var(--sb-mono)", fontSize: 13 } }}
            onChange={(event) => {
              setText(event.currentTarget.value);
              setCursor(event.currentTarget.selectionStart ?? event.currentTarget.value.length);
              combobox.openDropdown();
              combobox.resetSelectedOption();
            }}
            onClick={(event) => setCursor(event.currentTarget.selectionStart ?? 0)}
            onKeyUp={(event) => setCursor(event.currentTarget.selectionStart ?? 0)}
            onKeyDown={onKeyDown}
            onBlur={() => combobox.closeDropdown()}
          />
        </Combobox.EventsTarget>
        <Combobox.DropdownTarget>
          <span className={classes.anchor} />
        </Combobox.DropdownTarget>
        <Combobox.Dropdown hidden={choices.length === 0} className={classes.dropdown}>
          <Combobox.Options aria-label="Suggestions">
            {choices.map((choice) => (
              <Combobox.Option key={choice} value={choice}>
                <code>{token.field === undefined ? `${choice}:` : choice}</code>
              </Combobox.Option>
            ))}
          </Combobox.Options>
        </Combobox.Dropdown>
      </Combobox>
      <Button size="sm" onClick={submit}>
        Search
      </Button>
      <Popover width={380} position="bottom-end" shadow="md" withinPortal>
        <Popover.Target>
          <Button size="sm" variant="default" aria-label="How to write a filter">
            <Icon name="help" />
          </Button>
        </Popover.Target>
        <Popover.Dropdown>
          <FilterHelp kind={kind} />
        </Popover.Dropdown>
      </Popover>
    </div>
  );
}
