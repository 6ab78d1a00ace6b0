// The look: one accent colour, system fonts, small radii.
import { Alert, createTheme, type MantineColorsTuple, Modal } from "@mantine/core";

const harbour: MantineColorsTuple = [
  "#e8f7f9",
  "#d3ecef",
  "#a5d9df",
  "#73c5cf",
  "#4cb4c1",
  "#33aab8",
  "#1c95a4",
  "#0b7a88",
  "#06636f",
  "#004e58",
];

export const theme = createTheme({
  primaryColor: "harbour",
  primaryShade: 7,
  colors: { harbour },
  autoContrast: true,
  luminanceThreshold: 0.32,
  defaultRadius: "sm",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  components: {
    Alert: Alert.extend({ classNames: { title: "alert-title" } }),
    Modal: Modal.extend({ defaultProps: { closeButtonProps: { "aria-label": "Close" } } }),
  },
  headings: {
    fontWeight: "600",
    sizes: { h1: { fontSize: "1.5rem" }, h2: { fontSize: "1.1rem" }, h3: { fontSize: "1rem" } },
  },
});
