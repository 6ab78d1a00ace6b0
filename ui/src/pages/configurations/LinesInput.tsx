// Paths or patterns, one a line.
import { Textarea } from "@mantine/core";
import { useState } from "react";

interface Props {
  label: string;
  description: string;
  placeholder: string;
  required?: boolean;
  value: string[];
  onChange: (lines: string[]) => void;
}

export function LinesInput({ value, onChange, ...input }: Props) {
  // The text stays as it was typed, blank lines and all; what is sent are its lines.
  const [text, setText] = useState(value.join("\n"));
  // Chosen elsewhere, such as in a picker: the lines are other ones than were typed.
  if (linesOf(text).join("\n") !== value.join("\n")) setText(value.join("\n"));
  const change = (next: string) => {
    setText(next);
    onChange(linesOf(next));
  };
  return (
    <Textarea
      {...input}
      autosize
      minRows={2}
      maxRows={12}
      spellCheck={false}
      styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
      value={text}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
