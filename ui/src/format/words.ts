// Words of the API as people read them.

/** `completed_with_errors` as `Completed with errors`. */
export function words(text: string): string {
  const spaced = text.replaceAll("_", " ");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
