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
  const change = (next: string) => {
    setText(next);
    onChange(
      next
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== ""),
    );
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
