// Inputs made from the fields that a provider declares.
import { Checkbox, FileInput, NumberInput, PasswordInput, Select, Textarea, TextInput } from "@mantine/core";
import { useAll } from "../api/lists";
import type { Field } from "../api/schema";
import { words } from "../format/words";

/** Values by the fields' names. */
export type Values = Record<string, string | number | boolean | null>;

interface Props {
  fields: Field[];
  values: Values;
  /** Whether fields may stay empty: of what exists already, only what changes is given. */
  changing?: boolean;
  onChange: (values: Values) => void;
}

export function FieldForm({ fields, values, changing = false, onChange }: Props) {
  return fields.map((field) => (
    <FieldInput
      key={field.name}
      field={field}
      required={field.required && !changing}
      value={values[field.name]}
      onChange={(value) => onChange({ ...values, [field.name]: value })}
    />
  ));
}

interface InputProps {
  field: Field;
  required: boolean;
  value: Values[string] | undefined;
  onChange: (value: Values[string]) => void;
}

function FieldInput({ field, required, value, onChange }: InputProps) {
  const same = { label: words(field.name), description: field.help, required, name: field.name };
  const text = typeof value === "string" ? value : "";
  const hint = field.default ? `${field.default} when empty` : undefined;
  switch (field.kind) {
    case "flag":
      return (
        <Checkbox
          label={same.label}
          description={field.help}
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case "number":
      return (
        <NumberInput
          {...same}
          value={typeof value === "number" ? value : ""}
          placeholder={hint}
          min={field.minimum ?? undefined}
          max={field.maximum ?? undefined}
          allowDecimal={false}
          onChange={(number) => onChange(typeof number === "number" ? number : null)}
        />
      );
    case "secret":
      return (
        <PasswordInput
          {...same}
          value={text}
          autoComplete="new-password"
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case "key":
      return <KeyInput {...same} value={text} onChange={onChange} />;
    case "file":
      return <ContentInput {...same} value={text} onChange={onChange} />;
    default:
      return (
        <TextInput
          {...same}
          value={text}
          placeholder={hint}
          autoComplete="off"
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
  }
}

interface TextProps {
  label: string;
  description: string;
  required: boolean;
  value: string;
  onChange: (value: string | null) => void;
}

/** One of the account's keys. */
function KeyInput(props: TextProps) {
  const keys = useAll("key", "/keys");
  const data = keys.data?.map((key) => ({ value: key.id, label: key.name })) ?? [];
  const empty = "There are no keys yet: add one under Keys.";
  return (
    <Select
      {...props}
      value={props.value || null}
      data={data}
      clearable
      nothingFoundMessage={empty}
      error={keys.error?.message}
    />
  );
}

/** The content of a file: chosen, or pasted. */
function ContentInput({ onChange, ...props }: TextProps) {
  return (
    <>
      <Textarea
        {...props}
        autosize
        minRows={2}
        maxRows={6}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      <FileInput
        aria-label={`${props.label}: choose a file`}
        placeholder="or choose a file"
        size="xs"
        onChange={(file) => void file?.text().then(onChange)}
      />
    </>
  );
}
