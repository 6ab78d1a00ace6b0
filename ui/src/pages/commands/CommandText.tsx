// What machines print, as it comes: of all of them, or of one.
import { Button, Text } from "@mantine/core";
import { useEffect, useMemo, useRef } from "react";
import { Section } from "../../components/Section";
import { joined } from "./newest";
import { useOutput } from "./useOutput";

interface Props {
  id: string;
  /** Only of this machine; of all where absent. */
  machine: string | null;
  name: (machine: string) => string;
  onAll: () => void;
}

/** Who has scrolled up further than this, in pixels, is left where they are. */
const NEAR_END = 40;

export function CommandText({ id, machine, name, onAll }: Props) {
  const { pieces, cut } = useOutput(id, machine);
  const blocks = useMemo(() => joined(pieces), [pieces]);
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  useEffect(() => {
    if (box.current && follows.current && blocks.length > 0) box.current.scrollTop = box.current.scrollHeight;
  }, [blocks]);
  const scrolled = () => {
    const { scrollHeight = 0, scrollTop = 0, clientHeight = 0 } = box.current ?? {};
    follows.current = scrollHeight - scrollTop - clientHeight < NEAR_END;
  };
  const all = machine && (
    <Button size="xs" variant="default" onClick={onAll}>
      Of all machines
    </Button>
  );
  return (
    <Section title={machine ? `Output of ${name(machine)}` : "Output"} actions={all}>
      {cut && (
        <Text size="xs" c="dimmed" mb={4}>
          Only the newest part is shown; choose one machine to see more of it.
        </Text>
      )}
      <section className="output" ref={box} onScroll={scrolled} tabIndex={0} aria-label="What was printed">
        {blocks.length === 0 && <span className="output-name">Nothing was printed yet.</span>}
        {blocks.map((block) => (
          <div key={block.number}>
            {!machine && <div className="output-name">{name(block.machine_id)}</div>}
            <pre data-stream={block.stream}>{block.text}</pre>
          </div>
        ))}
      </section>
    </Section>
  );
}
